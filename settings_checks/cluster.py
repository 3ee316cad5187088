"""What the cluster has, its disks, addresses and doors, and what the stack asks of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.entry import route_problems
from components.entry_settings import GatewayEntry, IngressEntry
from components.hub.proxy import route
from components.logging import room as logging_room
from components.monitoring import room as monitoring_room
from components.namespaces import NamespaceNames
from stackfile.problems import Problem
from stackfile.references import Cidr

if TYPE_CHECKING:
    from settings import Settings


def problems(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between the cluster's own disks, addresses and doors and what is asked of them."""
    yield from _storage(settings)
    yield from _egress(settings)
    yield from _entry(settings)


def _storage(settings: "Settings") -> Iterator[Problem]:
    for problem in settings.storage.problems_with(settings.facts.storage):
        yield problem.below("storage")
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
    own: list[tuple[str, tuple[Cidr, ...]]] = [
        ("the cluster's pods", ranges.pods),
        ("the cluster's Services", ranges.services),
        ("the API server", settings.facts.endpoints.api_server),
        ("the cloud's metadata, which hands out the node's credentials", ranges.metadata),
    ]
    nodes = ("the cluster's nodes", ranges.nodes)
    for index, rule in enumerate(settings.users.egress.allow):
        everywhere = rule.cidr.network.prefixlen == 0
        fix = "name the smaller ranges that people need" + (", or use users.egress.internet" if everywhere else "")
        yield from _holding(f"users.egress.allow.{index}.cidr", rule.cidr, [*own, nodes], fix)
    for index, cidr in enumerate(settings.network.proxy_cidrs):
        # A proxy may stand among the nodes' addresses, as one of them at most.
        forbidden = own if cidr.network.num_addresses == 1 else [*own, nodes]
        fix = "name the proxy's own addresses: people's servers reach all of these at its port"
        yield from _holding(f"network.proxy_cidrs.{index}", cidr, forbidden, fix)


def _holding(where: str, found: Cidr, forbidden: list[tuple[str, tuple[Cidr, ...]]], fix: str) -> Iterator[Problem]:
    """Why people's servers may not reach a range."""
    for what, cidrs in forbidden:
        for cidr in cidrs:
            if found.overlaps(cidr):
                yield Problem(where=where, found=str(found), allowed=f"ranges that don't hold {cidr}: {what}", fix=fix)


def _entry(settings: "Settings") -> Iterator[Problem]:
    entry = settings.entry
    if isinstance(entry, IngressEntry | GatewayEntry) and entry.host_network and not settings.facts.ranges.nodes:
        yield Problem(
            where="entry.host_network",
            found="true, with no cloud.node_cidrs",
            allowed="the nodes' addresses, since network policies let in nobody else",
            fix="list them as cloud.node_cidrs, for example [10.20.2.0/24]",
        )
    own = route(NamespaceNames(instance=settings.instance), entry)
    published = (*monitoring_room.routes(settings.monitoring_args), *logging_room.routes(settings.logging_args))
    yield from route_problems(entry, [own, *published])
