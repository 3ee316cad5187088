"""Contradictions between placeholders, the people whom they keep room for, and the pools that they are in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.hub.seats import placeholder, placeholders
from stackfile.problems import Problem

if TYPE_CHECKING:
    from settings import Settings


def problems(settings: "Settings") -> Iterator[Problem]:
    """Why placeholders would not keep the room that they are for."""
    yield from _large_enough(settings)
    yield from _fit_a_node(settings)
    yield from _fit_the_pool(settings)


def _large_enough(settings: "Settings") -> Iterator[Problem]:
    size = settings.scheduling.placeholder
    default = next((profile for profile in settings.users.profiles if profile.default), None)
    if size is None or default is None:
        return
    wanted = default.resources
    small = [
        name
        for name, mine, theirs in (
            ("cpu", size.cpu.request.millicores, wanted.cpu.request.millicores),
            ("memory", size.memory.request.bytes, wanted.memory.request.bytes),
        )
        if mine < theirs
    ]
    for name in small:
        theirs = getattr(wanted, name).request
        yield Problem(
            where=f"scheduling.placeholder.{name}.request",
            found=str(getattr(size, name).request),
            allowed=f"at least {theirs}, the request of the default profile {default.name}",
            fix=f"raise it to {theirs}, or remove scheduling.placeholder",
        )


def _fit_a_node(settings: "Settings") -> Iterator[Problem]:
    """A placeholder that no node can hold would call for new nodes for ever."""
    size = settings.scheduling.placeholder
    default = next((profile for profile in settings.users.profiles if profile.default), None)
    for index, pool in enumerate(settings.pools):
        if size is None or default is None or not (pool.placeholders or pool.arrivals):
            continue
        whole = pool.allocatable
        # Where it is a profile's size, and not the stack's own, the profile's check has told.
        if placeholder(pool, settings.users.profiles, size).resources == size and (
            size.cpu.request.millicores > whole.cpu.millicores or size.memory.request.bytes > whole.memory.bytes
        ):
            yield Problem(
                where="scheduling.placeholder",
                found=f"{size.cpu.request} CPU and {size.memory.request}",
                allowed=f"what a node of pool {pool.name} holds: {whole.cpu} CPU and {whole.memory}",
                fix=f"make placeholders smaller, or set pools.{index}.placeholders to 0",
            )


def _fit_the_pool(settings: "Settings") -> Iterator[Problem]:
    """Placeholders for more people than the pool ever holds would keep it at its largest, and still be too few."""
    default = next((profile for profile in settings.users.profiles if profile.default), None)
    for index, pool in enumerate(settings.known_pools):
        if default is None:
            continue
        profiles, size = settings.users.profiles, settings.scheduling.placeholder
        one, count = placeholder(pool, profiles, size), placeholders(pool, profiles, size)
        of_node = pool.allocatable.pods_of(one.resources, one.gpus)
        held = pool.nodes.max * of_node
        # That a node holds none was told of the stack's own size, or of the default profile.
        told = of_node == 0 and (size is not None or pool.name in default.pools)
        if count <= held or told:
            continue
        allowed = f"at most {held} placeholders: what {pool.nodes.max} nodes hold"
        if pool.arrivals is None:
            yield Problem(
                where=f"pools.{index}.placeholders",
                found=str(count),
                allowed=allowed,
                fix=f"raise nodes.max of pool {pool.name}, or set it to what the next people need"
                if held
                else "set it to 0: no node of the pool holds a server of the default profile",
            )
        else:
            coming = pool.arrivals.seats(pool.node_start)
            yield Problem(
                where=f"pools.{index}.arrivals",
                found=f"{coming} people while a node starts, which is {count} placeholders",
                allowed=allowed,
                fix=f"raise nodes.max of pool {pool.name}, set arrivals.at_most, or expect fewer",
            )
