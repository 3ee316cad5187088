"""Machine types of a cloud with what they hold and cost, and what is wrong with pools that name others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clouds.pools import NodePool
from stackfile.problems import Problem
from stackfile.quantities import Bytes


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One machine type, whole: what its node offers to pods is less."""

    cpus: int
    memory: Bytes
    per_hour: float
    """On demand, in the list's currency."""
    gpus: int = 0
    disks: int | None = None
    """Volumes that the cloud's own driver attaches to a node, besides the one that it starts from; None: not known."""


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """What a cloud asks for its machines, as of when, and where to check it."""

    currency: str
    region: str
    dated: str
    """The day that the figures are of, or as much of it as their source tells."""
    source: str
    """Which prices these are, where somebody has looked them up, and where today's are."""
    machines: Mapping[str, Machine]
    """By the name that the cloud has for the type."""

    def price(self, pool: NodePool) -> float | None:
        """A node's price an hour; None where only the stack can know it: spot prices change by the hour."""
        machine = self.machines.get(pool.machine or "")
        return None if machine is None or pool.spot else machine.per_hour

    def disks(self, pool: NodePool) -> int | None:
        """How many volumes a node takes; None where the type is not in the list."""
        machine = self.machines.get(pool.machine or "")
        return None if machine is None else machine.disks


def machine_problems(pools: Sequence[NodePool], prices: PriceList) -> Iterator[Problem]:
    """Pools of a cloud that rents machines: each names its type, and somebody knows its price, the list or the stack.

    What the list does not know has no bound here: the stack's own figures are all there is.
    """
    for index, pool in enumerate(pools):
        machine = prices.machines.get(pool.machine or "")
        if machine is None:
            if pool.machine is None or pool.price_per_hour is None:
                yield Problem(
                    where=f"pools.{index}.machine",
                    found=f'"{pool.machine}", of which there is no price' if pool.machine else "nothing",
                    allowed=f"{', '.join(sorted(prices.machines))}; or any type whose price the stack states",
                    fix=f"name one of these, or set pools.{index}.price_per_hour to what a {pool.machine or 'machine'} "
                    "costs an hour, and allocatable.disks to how many volumes it takes",
                )
            continue
        yield from _too_large(f"pools.{index}.allocatable", pool, machine)
        if pool.spot and pool.price_per_hour is None:
            yield Problem(
                where=f"pools.{index}.price_per_hour",
                found="nothing, for spot machines",
                allowed="a price, since theirs changes by the hour and no list holds it",
                fix=f"set it to what {pool.machine} costs on average; on demand it is {machine.per_hour:g}",
            )


def pods_problems(pools: Sequence[NodePool], bounds: range, whose: str) -> Iterator[Problem]:
    """Nodes that count on more pods than their cloud lets a kubelet run, or on so few that it makes no such pool."""
    for index, pool in enumerate(pools):
        if pool.allocatable.pods not in bounds:
            yield Problem(
                where=f"pools.{index}.allocatable.pods",
                found=str(pool.allocatable.pods),
                allowed=f"{bounds[0]} to {bounds[-1]} a node, as {whose} has it",
                fix="copy it from kubectl describe node, under Allocatable; of a new pool leave it out: it is 110 then",
            )


def _too_large(where: str, pool: NodePool, machine: Machine) -> Iterator[Problem]:
    for name, mine, theirs, shown in (
        ("cpu", pool.allocatable.cpu.millicores, machine.cpus * 1000, str(machine.cpus)),
        ("memory", pool.allocatable.memory.bytes, machine.memory.bytes, str(machine.memory)),
        ("gpus", pool.allocatable.gpus, machine.gpus, str(machine.gpus)),
    ):
        if mine > theirs:
            yield Problem(
                where=f"{where}.{name}",
                found=str(getattr(pool.allocatable, name)),
                allowed=f"at most {shown}: all that a {pool.machine} has",
                fix="copy it from kubectl describe node, under Allocatable",
            )
