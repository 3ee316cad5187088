"""Node pools: groups of like machines on which people's servers run."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from stackfile.labels import LabelKey, LabelValue
from stackfile.problems import Problem
from stackfile.quantities import Bytes, Cpu, Duration
from stackfile.references import PoolName
from stackfile.resources import Resources
from stackfile.section import Section


class Taint(Section):
    """A taint that the pool's nodes carry; servers of the pool tolerate it."""

    key: LabelKey
    value: LabelValue = LabelValue("")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class NodeCount(Section):
    """Between how many nodes the pool's autoscaler keeps it; equal numbers mean a fixed pool, the only kind where
    nothing adds nodes."""

    min: int = Field(ge=0)
    max: int = Field(ge=1, le=5000)

    def problems(self) -> Iterator[Problem]:
        if self.min > self.max:
            yield Problem(
                where="min",
                found=str(self.min),
                allowed=f"at most max, {self.max}",
                fix=f"lower min to {self.max} or raise max to {self.min}",
            )


class Allocatable(Section):
    """What one node offers to pods (`kubectl describe node`, under Allocatable)."""

    cpu: Cpu
    memory: Bytes
    pods: int = Field(default=110, ge=1, le=1000)
    """The kubelet's `maxPods`; 110 is its default."""
    gpus: int = Field(default=0, ge=0, le=64)
    """Whole GPUs (`nvidia.com/gpu`)."""
    disks: int | None = Field(default=None, ge=1, le=1000)
    """How many volumes a node takes at once; each person's server has one. The scheduler goes by what the disks' driver
    says: `kubectl get csinode <node> -o yaml`, `allocatable.count`. None: what the cloud's module knows of the machine
    type, and no bound where it knows of none, as with Ceph. 1000 where a class of another driver has no bound."""

    def pods_of(self, size: Resources, gpus: int = 0) -> int:
        """How many pods of this size, without a disk, an empty node holds."""
        return min(
            self.cpu.millicores // size.cpu.request.millicores,
            self.memory.bytes // size.memory.request.bytes,
            self.pods,
            self.gpus // gpus if gpus else self.pods,
        )

    def servers_of(self, size: Resources, gpus: int = 0) -> int:
        """How many people's servers of this size, each with a disk."""
        held = self.pods_of(size, gpus)
        return held if self.disks is None else min(held, self.disks)


class Arrivals(Section):
    """How fast people come at the busiest time, so that room is there before they are.

    While a new node starts, people / within * node_start of them come: 60 in 3 minutes and 10 minutes for a node make
    200.
    """

    people: int = Field(ge=1, le=100_000)
    within: Duration
    at_most: int | None = Field(default=None, ge=1)
    """How many come in all, such as the whole class; none: they keep coming."""

    def seats(self, node_start: Duration) -> int:
        """For how many people room must be there where a node takes so long."""
        coming = -(-self.people * node_start.seconds // self.within.seconds)
        return coming if self.at_most is None else min(coming, self.at_most)


class NodePool(Section):
    """One node pool."""

    name: PoolName
    selector: dict[LabelKey, LabelValue] = Field(min_length=1)
    """Labels that every node of the pool carries, and no other node."""
    taints: tuple[Taint, ...] = ()
    nodes: NodeCount
    allocatable: Allocatable
    node_start: Duration = Duration("10m")
    """From a call for a node until it runs a server, image and all. On the Pangeo and 2i2c hubs a node takes 4 to 8
    minutes (pangeo-data/pangeo-cloud-federation#283) and its images, where it has none yet, 5 to 10 more."""
    placeholders: int = Field(default=0, ge=0, le=1000)
    """How many placeholder pods keep room for the next people; `scheduling.placeholder` says how large each is."""
    arrivals: Arrivals | None = None
    """In place of `placeholders`: the rate from which their number is computed."""
    machine: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The cloud's machine type, for example `m6i.4xlarge`; none: machines that nobody rents. A type that is not in
    docs/clouds.md needs `price_per_hour`, and its `allocatable` is taken as it stands."""
    spot: bool = False
    """Machines that the cloud may take back at short notice, and that cost less."""
    price_per_hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """What one node costs an hour, in the stack's currency; none: its machine's list price, if the cloud has one."""

    def problems(self) -> Iterator[Problem]:
        marks = [(taint.key, taint.effect) for taint in self.taints]
        for index, mark in enumerate(marks):
            if mark in marks[:index]:
                yield Problem(
                    where=f"taints.{index}",
                    found=f"{mark[0]} with {mark[1]} a second time",
                    allowed="each key once with each effect, as Kubernetes takes them",
                    fix="remove one of the two, or give it another key",
                )
        if self.arrivals is not None and self.placeholders:
            yield Problem(
                where="placeholders",
                found=f"{self.placeholders}, beside arrivals",
                allowed="one of the two: arrivals give a number of their own",
                fix="remove placeholders or arrivals",
            )
