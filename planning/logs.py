"""What logging costs: what is written in a day, the disks that the retention needs, and memory."""

from __future__ import annotations

from dataclasses import dataclass

from components.logging.sizing import bytes_a_day, copies, needed_bytes, volume
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class LogsCost:
    """What a stack's logs cost."""

    retention: str
    a_day: int
    """Bytes that are written in a day, with every pool at its largest and full."""
    nodes: int
    """Of Elasticsearch."""
    copies: int
    """In how many of them each line is."""
    needed: int
    """Bytes that the retention needs on each node."""
    disk: int
    """Bytes of each node's disk."""
    memory: int
    """Bytes of each node, request and limit."""


def logs_cost(settings: Settings) -> LogsCost | None:
    """What the stack's logs cost; None where it keeps none."""
    if not settings.logging.enabled:
        return None
    logging, size = settings.logging, settings.logging_args.size
    return LogsCost(
        retention=str(logging.retention),
        a_day=bytes_a_day(logging, size),
        nodes=logging.elasticsearch.nodes,
        copies=copies(logging),
        needed=needed_bytes(logging, size),
        disk=volume(logging, size).bytes,
        memory=logging.elasticsearch.resources.memory.limit.bytes,
    )
