"""What prod asks for beyond the rest."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.entry_settings import tls_problems
from components.logging.kibana import is_published
from stackfile.problems import Problem

if TYPE_CHECKING:
    from settings import Settings


def problems(settings: "Settings") -> Iterator[Problem]:
    """What is too weak for prod; none elsewhere."""
    if not settings.is_prod:
        return
    if settings.cluster.identifier is None:
        yield Problem(
            where="cluster.identifier",
            found="nothing",
            allowed="a name of your own: with another name of the kubeconfig's context all would else be replaced",
            fix='add identifier: "<a name that stays>" to elab:cluster',
        )
    if not settings.storage.create and settings.storage.reclaim_policy != "Retain":
        # The policy `volumes-retained` sees only what the stack makes, so of another's class the stack says it itself.
        yield Problem(
            where="storage.reclaim_policy",
            found=settings.storage.reclaim_policy or "nothing",
            allowed=f"Retain, which class {settings.storage.class_name} must have from its owner: with Delete, a "
            "claim that is deleted by mistake takes the person's disk with it",
            fix="let the owner make a class with reclaimPolicy: Retain (a class can't change its own), name it in "
            "storage.class_name, and set storage.reclaim_policy to Retain",
        )
    for problem in tls_problems(settings.entry):
        yield problem.below("entry")
    kibana = settings.logging.kibana
    if settings.logging.enabled and kibana.enabled and kibana.host is None and is_published(kibana, settings.entry):
        yield Problem(
            where="logging.kibana.host",
            found="nothing, so that Kibana is at the path /kibana of the address at which people's servers are",
            allowed="a host of its own, since environment is prod: any server's page could act there as who opens it",
            fix="set logging.kibana.host, or logging.kibana.published to false",
        )
    if settings.directory is not None and settings.directory.tls == "unencrypted":
        yield Problem(
            where="directory.tls",
            found="unencrypted",
            allowed="verified, since environment is prod and people's passwords pass there",
            fix="set directory.tls to verified, and directory.ca_certificates if an authority of your own signs",
        )
