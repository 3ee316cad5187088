"""A stack's own situation: its pools, profiles, strategies and culling, as its plan has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clouds.pools import NodePool
from components.hub.placement import prefers_pools
from components.hub.seats import Seat, placeholder
from settings import Settings

from ..capacity import Person, empty_node, may_run_on, residents
from ..pods import PodTemplate, Requests
from .advice import Advice, best
from .arrivals import SHAPES, Visit, from_csv
from .cluster import Pool, Resident, Size
from .day import Outcome, Situation, simulate


@dataclass(frozen=True, kw_only=True)
class SimulatedDay:
    """One shape of a day with what came of it."""

    shape: str
    people: int
    outcome: Outcome
    without_culling: Outcome
    advice: Advice | None
    node_starts: Mapping[str, int]
    """Seconds that a node of each pool took to start."""
    start_timeout: int
    """Seconds after which people gave up."""


def situation(
    settings: Settings, persons: Sequence[Person], pods: Sequence[PodTemplate], reserve: frozenset[str]
) -> Situation:
    """What the stack's days are simulated with. `pods` is everything that the platform runs; those of the owners in
    `reserve` make way for people.
    """
    packs = settings.packs or settings.facts.autoscaler.packs_already
    profiles = {str(profile.name): profile for profile in settings.users.profiles}
    pools = tuple(
        Pool(
            name=str(pool.name),
            room=empty_node(pods, pool),
            least=pool.nodes.min,
            most=pool.nodes.max,
            placeholders=pool.placeholders,
            placeholder=_requests(placeholder(pool, settings.users.profiles, settings.scheduling.placeholder)),
            node_start=pool.node_start.seconds,
            price_per_hour=pool.price_per_hour,
            adds_nodes=settings.facts.autoscaler.kind != "none",
            by_arrivals=stated.arrivals is not None,
        )
        for pool, stated in zip(settings.node_pools, settings.pools, strict=True)
    )
    sizes = {
        person.profile: Size(
            pools=person.pools,
            asked=person.pod.requests,
            prefers_pools=prefers_pools(profiles[person.profile]),
            packs=packs and profiles[person.profile].strategy != "spread",
        )
        for person in persons
    }
    culling = settings.culling
    return Situation(
        pools=pools,
        sizes=sizes,
        residents=tuple(_residents(settings.node_pools, pods, reserve)),
        start_timeout=settings.users.start_timeout.seconds,
        culled_after=culling.timeout.seconds,
        looked_every=culling.every.seconds,
        max_age=culling.max_age.seconds if culling.max_age else None,
    )


def _residents(pools: Sequence[NodePool], pods: Sequence[PodTemplate], reserve: frozenset[str]) -> Iterator[Resident]:
    for pod in residents(pods, reserve):
        here = tuple(str(pool.name) for pool in pools if may_run_on(pod.spec, pool))
        if here:
            yield Resident(pools=here, asked=pod.requests)


def _requests(one: Seat) -> Requests:
    asked = one.resources
    return Requests(cpu=asked.cpu.request.millicores, memory=asked.memory.request.bytes, gpus=one.gpus)


def days(found: Situation, settings: Settings) -> tuple[SimulatedDay, ...]:
    """The built-in shapes."""
    default, others = _profiles(settings)
    return tuple(day(found, name, shape(default, others)) for name, shape in SHAPES.items())


def day_of(found: Situation, settings: Settings, arrivals: Path) -> SimulatedDay:
    """The day of a file. Raises StackError where the file can't be used."""
    default, others = _profiles(settings)
    return day(found, arrivals.name, from_csv(arrivals, [default, *others], default))


def day(found: Situation, name: str, visits: Sequence[Visit]) -> SimulatedDay:
    """One day, with and without culling."""
    outcome = simulate(found, visits)
    return SimulatedDay(
        shape=name,
        people=len(visits),
        outcome=outcome,
        without_culling=simulate(found.unculled(), visits),
        advice=best(found, visits, outcome),
        node_starts={pool.name: pool.node_start for pool in found.pools},
        start_timeout=found.start_timeout,
    )


def _profiles(settings: Settings) -> tuple[str, list[str]]:
    default = settings.users.default_profile
    return str(default.name), [str(one.name) for one in settings.users.profiles if one is not default]
