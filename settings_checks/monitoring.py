"""Metrics: whether they fit their disk and memory, and whether they outlive what they watch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.monitoring.grafana import grafana_problems
from components.monitoring.sizing import memory_problems, volume_problems
from components.namespaces import ROOMS
from stackfile.problems import Problem

if TYPE_CHECKING:
    from settings import Settings


def problems(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between monitoring and the rest; none where it is off."""
    if not settings.monitoring.enabled:
        return
    yield from _hosts(settings)
    monitoring, args = settings.monitoring, settings.monitoring_args
    for problem in (*volume_problems(args.jobs, args.size), *memory_problems(args.jobs, args.size)):
        yield problem.below("monitoring")
    if (
        monitoring.ceph is not None
        and settings.facts.storage.is_ceph
        and args.storage_class == settings.storage.class_name
    ):
        yield Problem(
            where="monitoring.storage_class",
            found=f'"{args.storage_class}", which is on the Ceph of monitoring.ceph',
            allowed="a class whose disks are elsewhere: metrics of a Ceph that fails would fail with it",
            fix="set monitoring.storage_class to a class of the nodes' own disks",
        )
    own = {args.names.of(room) for room in ROOMS}
    for index, namespace in enumerate(monitoring.annotated_namespaces):
        if namespace in own:
            yield Problem(
                where=f"monitoring.annotated_namespaces.{index}",
                found=f'"{namespace}", which is of elab itself',
                allowed="namespaces of the institution's own: elab's have jobs, and where people work none may look",
                fix="remove it",
            )
    if monitoring.grafana.enabled and settings.directory is not None:
        yield from grafana_problems(monitoring.grafana, settings.directory, settings.entry)


def _hosts(settings: "Settings") -> Iterator[Problem]:
    """What monitoring can't do on this cloud's nodes."""
    hosts, port = settings.facts.hosts, settings.monitoring.node_exporter.port
    if port in hosts.ports:
        yield Problem(
            where="monitoring.node_exporter.port",
            found=str(port),
            allowed=f"a port that is free on every node: {hosts.ports[port]} has this one",
            fix="set monitoring.node_exporter.port to another one, for example 9101",
        )
    if settings.monitoring.verify_kubelets and not hosts.kubelets_verifiable:
        yield Problem(
            where="monitoring.verify_kubelets",
            found="true",
            allowed="false: another authority signs this cloud's kubelets than the one that pods trust",
            fix="set monitoring.verify_kubelets to false",
        )
