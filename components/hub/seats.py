"""What a pool's placeholders keep room for, how large one is, and how many are needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from clouds.pools import NodePool
from components.hub.profiles import Profile
from stackfile.resources import Resources


@dataclass(frozen=True, kw_only=True)
class Seat:
    """What one server takes of a node besides its disk."""

    resources: Resources
    gpus: int = 0


def seat(pool: NodePool, profiles: Sequence[Profile]) -> Seat:
    """The server that the pool keeps room for: the default profile's; where some profile asks for the pool's GPUs, the
    smallest of those, since nobody follows a placeholder that left the GPU to others.
    """
    asking = [profile for profile in profiles if profile.gpus and pool.name in profile.pools]
    found = min(asking, key=_size) if asking else next(profile for profile in profiles if profile.default)
    return Seat(resources=found.resources, gpus=found.gpus if asking else 0)


def _size(profile: Profile) -> tuple[int, int, int]:
    return profile.gpus, profile.resources.memory.request.bytes, profile.resources.cpu.request.millicores


def placeholder(pool: NodePool, profiles: Sequence[Profile], size: Resources | None) -> Seat:
    """One placeholder: as large as the stack says, or as a seat where it says nothing; with GPUs always one seat, since
    a large one would need the GPUs of several.
    """
    one = seat(pool, profiles)
    return Seat(resources=size) if size and not one.gpus else one


def seats_of(size: Resources, one: Resources) -> int:
    """How many servers of this size have room where one placeholder was; none where it is too small for any."""
    return min(
        size.cpu.request.millicores // one.cpu.request.millicores,
        size.memory.request.bytes // one.memory.request.bytes,
    )


def placeholders(pool: NodePool, profiles: Sequence[Profile], size: Resources | None) -> int:
    """How many placeholders a pool has: as many as it names, or as its arrivals need.

    ``size`` is a placeholder's own size, None: a seat's.
    A placeholder has no disk. Where a node holds more of them than people can follow, for want of disks or of pods, as
    many are needed as fill the nodes that the people will need.
    """
    if pool.arrivals is None:
        return pool.placeholders
    one, holder = seat(pool, profiles), placeholder(pool, profiles, size)
    seats = max(1, seats_of(holder.resources, one.resources))
    held = pool.allocatable.pods_of(holder.resources, holder.gpus)
    people = pool.allocatable.servers_of(one.resources, one.gpus)
    coming = pool.arrivals.seats(pool.node_start)
    if not 0 < people < held * seats:
        return -(-coming // seats)
    full, rest = divmod(coming, people)
    return full * held + -(-rest // seats)
