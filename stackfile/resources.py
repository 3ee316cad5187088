"""Requests and limits, which every container of the platform states."""

from collections.abc import Iterator

from stackfile.problems import Problem
from stackfile.quantities import Bytes, Cpu
from stackfile.section import Section

GPU = "nvidia.com/gpu"
"""The resource that NVIDIA's device plugin offers, in whole GPUs; of such a resource request and limit are one."""


class CpuRange(Section):
    """Processor time of a container."""

    request: Cpu
    """What the scheduler sets aside."""
    limit: Cpu
    """What the container may use while its node has it to spare."""

    def problems(self) -> Iterator[Problem]:
        if self.request.millicores > self.limit.millicores:
            yield _above(self.request, self.limit)


class MemoryRange(Section):
    """Memory of a container."""

    request: Bytes
    """What the scheduler sets aside."""
    limit: Bytes
    """Beyond this the kernel ends a process of the container."""

    def problems(self) -> Iterator[Problem]:
        if self.request.bytes > self.limit.bytes:
            yield _above(self.request, self.limit)


class Resources(Section):
    """Requests and limits of a container."""

    cpu: CpuRange
    memory: MemoryRange


def resources(cpu: tuple[str, str], memory: tuple[str, str]) -> Resources:
    """Resources as (request, limit) pairs, for the defaults in the code."""
    return Resources(
        cpu=CpuRange(request=Cpu(cpu[0]), limit=Cpu(cpu[1])),
        memory=MemoryRange(request=Bytes(memory[0]), limit=Bytes(memory[1])),
    )


def within(asked: Resources, largest: Resources) -> Resources:
    """What is asked for, but on each count no more than the limit of the largest; no request is above its own limit."""
    cpu = min(asked.cpu.limit, largest.cpu.limit, key=_millicores)
    memory = min(asked.memory.limit, largest.memory.limit, key=_bytes)
    return Resources(
        cpu=CpuRange(request=min(asked.cpu.request, cpu, key=_millicores), limit=cpu),
        memory=MemoryRange(request=min(asked.memory.request, memory, key=_bytes), limit=memory),
    )


def _millicores(cpu: Cpu) -> int:
    return cpu.millicores


def _bytes(size: Bytes) -> int:
    return size.bytes


def _above(request: str, limit: str) -> Problem:
    return Problem(
        where="request",
        found=f"a request of {request} above the limit of {limit}",
        allowed=f"at most the limit, {limit}",
        fix=f"lower the request to {limit} or raise the limit to {request}",
    )
