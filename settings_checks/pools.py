"""Profiles, the pools that they name, and placeholders: each must fit a node."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from clouds.pools import NodePool
from components.hub.profiles import Profile, repeated
from stackfile.problems import Problem
from stackfile.quantities import shown_bytes, shown_millicores
from stackfile.references import Name

if TYPE_CHECKING:
    from settings import Settings


def problems(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between profiles, pools and placeholders."""
    yield from _pools(settings)
    yield from _placeholders(settings)
    yield from _placeholders_fit(settings)


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


def _placeholders(settings: "Settings") -> Iterator[Problem]:
    placeholder = settings.scheduling.placeholder
    default = next((profile for profile in settings.users.profiles if profile.default), None)
    if placeholder is None or default is None:
        return
    wanted = default.resources
    small = [
        name
        for name, mine, theirs in (
            ("cpu", placeholder.cpu.request.millicores, wanted.cpu.request.millicores),
            ("memory", placeholder.memory.request.bytes, wanted.memory.request.bytes),
        )
        if mine < theirs
    ]
    for name in small:
        theirs = getattr(wanted, name).request
        yield Problem(
            where=f"scheduling.placeholder.{name}.request",
            found=str(getattr(placeholder, name).request),
            allowed=f"at least {theirs}, the request of the default profile {default.name}",
            fix=f"raise it to {theirs}, or remove scheduling.placeholder",
        )


def _placeholders_fit(settings: "Settings") -> Iterator[Problem]:
    """A placeholder that no node can hold would call for new nodes for ever."""
    placeholder = settings.scheduling.placeholder
    for index, pool in enumerate(settings.pools):
        if placeholder is None or not pool.placeholders:
            continue
        whole = pool.allocatable
        if (
            placeholder.cpu.request.millicores > whole.cpu.millicores
            or placeholder.memory.request.bytes > whole.memory.bytes
        ):
            yield Problem(
                where="scheduling.placeholder",
                found=f"{placeholder.cpu.request} CPU and {placeholder.memory.request}",
                allowed=f"what a node of pool {pool.name} holds: {whole.cpu} CPU and {whole.memory}",
                fix=f"make placeholders smaller, or set pools.{index}.placeholders to 0",
            )
