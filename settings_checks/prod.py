"""What prod asks for beyond the rest."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.entry_settings import tls_problems
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
    for problem in tls_problems(settings.entry):
        yield problem.below("entry")
    if settings.directory is not None and settings.directory.tls == "unencrypted":
        yield Problem(
            where="directory.tls",
            found="unencrypted",
            allowed="verified, since environment is prod and people's passwords pass there",
            fix="set directory.tls to verified, and directory.ca_certificates if an authority of your own signs",
        )
