"""Profiles and the pools that they name: each must fit a node, and be what the cloud has."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from clouds.pools import NodePool
from components.hub.profiles import Profile, repeated
from stackfile.problems import Problem
from stackfile.quantities import shown_bytes, shown_millicores
from stackfile.references import PoolName

if TYPE_CHECKING:
    from settings import Settings

CALL_SECONDS = 60
"""From a server that finds no room until a node is called for: cluster-autoscaler's objective is at most 30 s with up
to a hundred nodes, 60 s with up to a thousand (its FAQ, "Service Level Objectives")."""


def problems(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between profiles, pools and what the cloud has of them."""
    yield from _pools(settings)
    yield from _fixed(settings)
    yield from _patience(settings)
    yield from settings.facts.pool_problems(settings.pools)
    yield from _prices(settings)


def _pools(settings: "Settings") -> Iterator[Problem]:
    yield from repeated("pools", "name", [str(pool.name) for pool in settings.pools])
    yield from _selectors(settings.pools)
    by_name = {pool.name: pool for pool in settings.pools}
    for index, profile in enumerate(settings.users.profiles):
        for name in dict.fromkeys(profile.pools):
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


def _selectors(pools: Sequence[NodePool]) -> Iterator[Problem]:
    """A selector that fits another pool's nodes too would put people, placeholders and images there."""
    for index, pool in enumerate(pools):
        for at, other in enumerate(pools):
            # Of two that are alike one is enough to tell.
            told = at > index and pool.selector == other.selector
            if at != index and not told and pool.selector.items() <= other.selector.items():
                labels = ", ".join(f"{key}={value}" for key, value in pool.selector.items())
                yield Problem(
                    where=f"pools.{index}.selector",
                    found=f"{labels}, which nodes of pool {other.name} carry too",
                    allowed="labels that no other pool's nodes carry",
                    fix=f"give each pool a label of its own, for example elab.dev/pool: {pool.name}",
                )


def _strategy(
    settings: "Settings", where: str, profile: Profile, by_name: Mapping[PoolName, NodePool]
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


def _fixed(settings: "Settings") -> Iterator[Problem]:
    """Room that nothing ever adds would be promised by the plan, the quota and the simulated day."""
    if settings.facts.autoscaler.kind != "none":
        return
    for index, pool in enumerate(settings.pools):
        if pool.nodes.min != pool.nodes.max:
            yield Problem(
                where=f"pools.{index}.nodes",
                found=f"min {pool.nodes.min} and max {pool.nodes.max}, with nothing that adds nodes",
                allowed=f"equal numbers: as many nodes as pool {pool.name} has",
                fix="set min and max to that number, or cloud.autoscaler to what adds nodes, where the cloud has one",
            )


def _patience(settings: "Settings") -> Iterator[Problem]:
    """Who waits for a node would else be told that their server failed, just before the node comes."""
    used = {name for profile in settings.users.profiles for name in profile.pools}
    growing = [
        (index, pool)
        for index, pool in enumerate(settings.pools)
        if pool.name in used and pool.nodes.min < pool.nodes.max
    ]
    if not growing:
        return
    index, slowest = max(growing, key=lambda one: one[1].node_start.seconds)
    needed = slowest.node_start.seconds + CALL_SECONDS
    if settings.users.start_timeout.seconds < needed:
        shown = f"{needed}s" if needed % 60 else f"{needed // 60}m"
        yield Problem(
            where="users.start_timeout",
            found=str(settings.users.start_timeout),
            allowed=f"at least {shown}: a node of pool {slowest.name} takes {slowest.node_start}, and up to "
            f"{CALL_SECONDS} s pass before it is called for",
            fix=f"set it to {shown} or more, or correct pools.{index}.node_start",
        )


def _prices(settings: "Settings") -> Iterator[Problem]:
    for index, pool in enumerate(settings.node_pools if settings.policies.monthly_cost else ()):
        if pool.price_per_hour is None:
            yield Problem(
                where=f"pools.{index}.price_per_hour",
                found=f"nothing, while policies.monthly_cost is {settings.policies.monthly_cost}",
                allowed="what a node costs an hour, in the ceiling's currency",
                fix="state it, or remove policies.monthly_cost",
            )
