"""Contradictions between sections of the settings, each with the way out."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from clouds.pools import NodePool
from components.entry import route_problems
from components.entry_settings import GatewayEntry, IngressEntry, tls_problems
from components.hub.profiles import Profile, repeated
from components.hub.proxy import route
from components.logging import room as logging_room
from components.logging.kibana import kibana_problems
from components.logging.sizing import volume_problems as log_volume_problems
from components.monitoring import room as monitoring_room
from components.monitoring.grafana import grafana_problems
from components.monitoring.sizing import memory_problems, volume_problems
from components.namespaces import ROOMS, NamespaceNames
from components.notebook_image import BuiltImage, ReadyImage
from placeholder_checks import placeholder_problems
from settings_login import login_problems
from stackfile.problems import Problem
from stackfile.quantities import shown_bytes, shown_millicores
from stackfile.references import Cidr, Image, Name

if TYPE_CHECKING:
    from settings import Settings


def cross_checks(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between sections."""
    yield from _pools(settings)
    yield from placeholder_problems(settings)
    yield from settings.facts.pool_problems(settings.pools)
    yield from _prices(settings)
    yield from _storage(settings)
    yield from _egress(settings)
    yield from _entry(settings)
    yield from login_problems(settings)
    yield from _hosts(settings)
    own = route(NamespaceNames(instance=settings.instance), settings.entry)
    published = (*monitoring_room.routes(settings.monitoring_args), *logging_room.routes(settings.logging_args))
    yield from route_problems(settings.entry, [own, *published])
    if settings.monitoring.enabled:
        yield from _monitoring(settings)
    if settings.logging.enabled:
        yield from _logging(settings)
    if settings.is_prod:
        yield from _prod(settings)


def _prices(settings: "Settings") -> Iterator[Problem]:
    for index, pool in enumerate(settings.node_pools if settings.policies.monthly_cost else ()):
        if pool.price_per_hour is None:
            yield Problem(
                where=f"pools.{index}.price_per_hour",
                found=f"nothing, while policies.monthly_cost is {settings.policies.monthly_cost}",
                allowed="what a node costs an hour, in the ceiling's currency",
                fix="state it, or remove policies.monthly_cost",
            )


def _pools(settings: "Settings") -> Iterator[Problem]:
    yield from repeated("pools", "name", [str(pool.name) for pool in settings.pools])
    by_name = {pool.name: pool for pool in settings.pools}
    for index, profile in enumerate(settings.users.profiles):
        for name in profile.pools:
            if name not in by_name:
                yield Problem(
                    where=f"users.profiles.{index}.pools",
                    found=f'"{name}"',
                    allowed=", ".join(by_name),
                    fix=f"add a pool {name} under pools, or name one that is there",
                )
            else:
                yield from _fits(settings, f"users.profiles.{index}", profile, by_name[name])
        yield from _strategy(settings, f"users.profiles.{index}", profile, by_name)
    used = {name for profile in settings.users.profiles for name in profile.pools}
    for index, pool in enumerate(settings.pools):
        if pool.name not in used:
            yield Problem(
                where=f"pools.{index}.name",
                found=f'the pool "{pool.name}", which no profile names',
                allowed="pools that some profile runs on",
                fix=f"name {pool.name} in a profile's pools, or remove it",
            )


def _strategy(
    settings: "Settings", where: str, profile: Profile, by_name: Mapping[Name, NodePool]
) -> Iterator[Problem]:
    """A strategy that has nothing to choose from would promise what it can't do."""
    kinds = {by_name[name].spot for name in profile.pools if name in by_name}
    if profile.strategy in ("spot-first", "on-demand-first") and len(kinds) == 1:
        lacking, spot = ("on-demand", "false") if kinds == {True} else ("spot", "true")
        yield Problem(
            where=f"{where}.strategy",
            found=f"{profile.strategy}, with no {lacking} pool among {', '.join(profile.pools)}",
            allowed="this strategy where the profile has pools of both kinds",
            fix=f"add a pool of {lacking} machines (spot: {spot}), or set strategy to burst",
        )
    if profile.strategy == "pack" and not settings.packs and not settings.facts.autoscaler.packs_already:
        yield Problem(
            where=f"{where}.strategy",
            found="pack, with scheduling.user_scheduler.enabled: false",
            allowed="pack where something packs: Kubernetes' own scheduler spreads servers",
            fix="remove scheduling.user_scheduler.enabled, or set strategy to burst",
        )


def _fits(settings: "Settings", where: str, profile: Profile, pool: NodePool) -> Iterator[Problem]:
    """A profile that no node of its pool can hold would leave its people waiting for ever."""
    agent = settings.puller.resources if settings.puller.enabled else None
    cpu = pool.allocatable.cpu.millicores - (agent.cpu.request.millicores if agent else 0)
    memory = pool.allocatable.memory.bytes - (agent.memory.request.bytes if agent else 0)
    wanted = profile.resources
    fix = f"lower the request, name a larger pool, or correct the allocatable of pool {pool.name}"
    if wanted.cpu.request.millicores > cpu:
        yield Problem(
            where=f"{where}.resources.cpu.request",
            found=str(wanted.cpu.request),
            allowed=f"at most {shown_millicores(cpu)}: what a node of pool {pool.name} has left beside its agents",
            fix=fix,
        )
    if profile.gpus > pool.allocatable.gpus:
        yield Problem(
            where=f"{where}.gpus",
            found=str(profile.gpus),
            allowed=f"at most {pool.allocatable.gpus}: the GPUs of a node of pool {pool.name}",
            fix=f"name a pool with GPUs, or set allocatable.gpus of pool {pool.name}",
        )
    if wanted.memory.request.bytes > memory:
        yield Problem(
            where=f"{where}.resources.memory.request",
            found=str(wanted.memory.request),
            allowed=f"at most {shown_bytes(memory)}: what a node of pool {pool.name} has left beside its agents",
            fix=fix,
        )


def _storage(settings: "Settings") -> Iterator[Problem]:
    for problem in settings.storage.problems_with(settings.facts.storage):
        yield Problem(where=f"storage.{problem.where}", found=problem.found, allowed=problem.allowed, fix=problem.fix)
    name = settings.storage.class_name
    if settings.storage.create and not name.startswith(f"{settings.instance}-"):
        yield Problem(
            where="storage.class_name",
            found=f'"{name}"',
            allowed=f"a name that begins with {settings.instance}-, since classes are the whole cluster's",
            fix=f'set it to "{settings.instance}-{name}", or set storage.create to false if the class is there already',
        )


def _egress(settings: "Settings") -> Iterator[Problem]:
    ranges = settings.facts.ranges
    forbidden: list[tuple[str, tuple[Cidr, ...]]] = [
        ("the cluster's pods", ranges.pods),
        ("the cluster's Services", ranges.services),
        ("the cluster's nodes", ranges.nodes),
        ("the API server", settings.facts.endpoints.api_server),
        ("the cloud's metadata, which hands out the node's credentials", ranges.metadata),
    ]
    for index, rule in enumerate(settings.users.egress.allow):
        for what, cidrs in forbidden:
            for cidr in cidrs:
                if rule.cidr.overlaps(cidr):
                    yield Problem(
                        where=f"users.egress.allow.{index}.cidr",
                        found=str(rule.cidr),
                        allowed=f"ranges that don't hold {cidr}: {what}",
                        fix="name the smaller ranges that people need"
                        + (", or use users.egress.internet" if rule.cidr.network.prefixlen == 0 else ""),
                    )


def _entry(settings: "Settings") -> Iterator[Problem]:
    entry = settings.entry
    if isinstance(entry, IngressEntry | GatewayEntry) and entry.host_network and not settings.facts.ranges.nodes:
        yield Problem(
            where="entry.host_network",
            found="true, with no cloud.node_cidrs",
            allowed="the nodes' addresses, since network policies let in nobody else",
            fix="list them as cloud.node_cidrs, for example [10.20.2.0/24]",
        )


def _hosts(settings: "Settings") -> Iterator[Problem]:
    """What monitoring can't do on this cloud's nodes."""
    if not settings.monitoring.enabled:
        return
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


def _monitoring(settings: "Settings") -> Iterator[Problem]:
    monitoring, args = settings.monitoring, settings.monitoring_args
    for problem in (*volume_problems(args.jobs, args.size), *memory_problems(args.jobs, args.size)):
        yield Problem(
            where=f"monitoring.{problem.where}", found=problem.found, allowed=problem.allowed, fix=problem.fix
        )
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


def _logging(settings: "Settings") -> Iterator[Problem]:
    logging, args = settings.logging, settings.logging_args
    found = [*log_volume_problems(logging, args.size)]
    grafana = settings.monitoring.grafana
    other = grafana.host if settings.monitoring.enabled and grafana.enabled else None
    found += kibana_problems(logging.kibana, settings.entry, other) if logging.kibana.enabled else []
    own = {args.names.of(room) for room in ROOMS}
    for index, namespace in enumerate(logging.fluent_bit.namespaces):
        if namespace in own:
            found.append(
                Problem(
                    where=f"fluent_bit.namespaces.{index}",
                    found=f'"{namespace}", which is of elab itself',
                    allowed="namespaces of the institution's own: elab's are read anyway",
                    fix="remove it",
                )
            )
    for problem in found:
        yield Problem(where=f"logging.{problem.where}", found=problem.found, allowed=problem.allowed, fix=problem.fix)


def _prod(settings: "Settings") -> Iterator[Problem]:
    if settings.cluster.identifier is None:
        yield Problem(
            where="cluster.identifier",
            found="nothing",
            allowed="a name of your own: with another name of the kubeconfig's context all would else be replaced",
            fix='add identifier: "<a name that stays>" to elab:cluster',
        )
    for problem in tls_problems(settings.entry):
        yield Problem(where=f"entry.{problem.where}", found=problem.found, allowed=problem.allowed, fix=problem.fix)


def images_of(settings: "Settings") -> tuple[Image, ...]:
    """Every image that these settings name, each once."""
    notebook = settings.notebook_image
    found = [settings.hub.image, settings.proxy.image]
    found += [notebook.image] if isinstance(notebook, ReadyImage) else []
    found += [notebook.base_image] if isinstance(notebook, BuiltImage) else []
    found += [choice.image for choice in settings.users.images.values()]
    if settings.puller.enabled or any(pool.placeholders for pool in settings.node_pools):
        found.append(settings.puller.pause_image)
    if settings.packs:
        found.append(settings.scheduling.user_scheduler.image)
    if settings.monitoring.enabled:
        monitoring = settings.monitoring
        found += [
            monitoring.prometheus.image,
            monitoring.alertmanager.image,
            monitoring.node_exporter.image,
            monitoring.kube_state_metrics.image,
            monitoring.pushgateway.image,
        ]
        found += [monitoring.grafana.image] if monitoring.grafana.enabled else []
    if settings.logging.enabled:
        found += settings.logging.images(monitored=settings.monitoring.enabled)
    return tuple(dict.fromkeys(found))


def missing_digests(settings: "Settings") -> Iterator[Problem]:
    """Images that prod may not run yet: a plan shows them, `up` refuses."""
    for image in images_of(settings) if settings.is_prod else ():
        if not image.digest and image not in settings.images.digests:
            yield Problem(
                where="images.digests",
                found=f"no digest of {image}",
                allowed="images by digest, since environment is prod and a tag can change what it means",
                fix=f'add "{image}": <the output of skopeo inspect --format "{{{{.Digest}}}}" docker://{image}>',
            )
