"""How large Prometheus' disk and memory must be: from retention, the series to expect, and how often each is asked."""

from collections.abc import Iterator, Sequence
from math import ceil, floor

from clouds.pools import NodePool
from components.hub.profiles import Profile
from components.monitoring.jobs import ClusterSize, JobsArgs, jobs_of, series
from stackfile.problems import Problem
from stackfile.quantities import Bytes, shown_bytes

BYTES_PER_SAMPLE = 2
"""Of a compacted block: Prometheus' documentation (Storage, Operational aspects) says 1 to 2."""
WAL_BYTES_PER_SAMPLE = 12
"""Of the log before compaction: a reference, a time and eight bytes of value, before snappy packs it."""
WAL_SECONDS = 3 * 3600
"""What the log holds: the head is cut every two hours, at one and a half times that."""
OVERHANG = 1.1
"""A block spans up to a tenth of the retention, and goes only when its last sample is older than that."""
CAP = 0.8
"""Share of the disk that blocks, log and head may fill: upstream's advice is 80 to 85 %."""
BYTES_PER_SERIES = 8 * 1024
"""Of memory: what a maintainer of Prometheus names as the rule that experience gives, queries not counted
(prometheus/prometheus#4553). Robust Perception counts 3 kB for what the head holds of a series ("Why does Prometheus
use so much RAM?", of 2.20); the rest is what Go's collector, a compaction and the log's replay take besides."""
OWN_MEMORY = 256 * 2**20
"""Of the program itself and of dashboards' queries. In the lab both take 76 MiB with 4 400 series (`make bench`)."""
SYSTEM_PODS_PER_NODE = 8
"""The cluster's own agents and those of elab on a node."""
PLATFORM_PODS = 30
"""elab's own pods and the cluster's, besides those on every node."""


def _servers_per_node(pool: NodePool, profiles: Sequence[Profile]) -> int:
    """People's servers on a node that is full of the smallest profile that runs there.

    How many disks a node takes is left out: claims are sized by this, none of which can shrink once that is known.
    """
    here = [profile for profile in profiles if pool.name in profile.pools]
    return max((pool.allocatable.pods_of(profile.resources, profile.gpus) for profile in here), default=0)


def cluster_size(args: JobsArgs, pools: Sequence[NodePool], profiles: Sequence[Profile]) -> ClusterSize:
    """The cluster with every pool at its largest and every node full."""
    nodes = sum(pool.nodes.max for pool in pools) + args.settings.other_nodes
    servers = sum(pool.nodes.max * _servers_per_node(pool, profiles) for pool in pools)
    return ClusterSize(nodes=nodes, pods=servers + nodes * SYSTEM_PODS_PER_NODE + PLATFORM_PODS)


def samples_per_second(args: JobsArgs, size: ClusterSize) -> float:
    """What all jobs together yield."""
    return sum(series(job, args, size) / job.interval(args.settings).seconds for job in jobs_of(args))


def all_series(args: JobsArgs, size: ClusterSize) -> int:
    """What all jobs together have at one time."""
    return sum(series(job, args, size) for job in jobs_of(args))


def needed_bytes(args: JobsArgs, size: ClusterSize) -> int:
    """What the retention needs: seconds x samples a second x bytes, and the log."""
    rate = samples_per_second(args, size)
    blocks = args.settings.retention.seconds * OVERHANG * rate * BYTES_PER_SAMPLE
    return ceil(blocks + WAL_SECONDS * rate * WAL_BYTES_PER_SAMPLE)


def needed_memory(args: JobsArgs, size: ClusterSize) -> int:
    """Bytes of memory that the expected series need: all are in the head, since each is asked for within two hours."""
    return OWN_MEMORY + all_series(args, size) * BYTES_PER_SERIES


def smallest_volume(args: JobsArgs, size: ClusterSize) -> Bytes:
    """The smallest disk, in whole gibibytes, whose cap holds what the retention needs."""
    return Bytes(f"{max(1, ceil(needed_bytes(args, size) / CAP / 2**30))}Gi")


def volume(args: JobsArgs, size: ClusterSize) -> Bytes:
    """The disk that the settings name, or the smallest that will do."""
    return args.settings.prometheus.volume or smallest_volume(args, size)


def size_cap(disk: Bytes) -> str:
    """Beyond this the oldest metrics go, whatever the retention: a full disk would end Prometheus.

    In mebibytes, which Prometheus writes as MB.
    """
    return f"{floor(disk.bytes * CAP / 2**20)}MB"


def volume_problems(args: JobsArgs, size: ClusterSize) -> Iterator[Problem]:
    """A disk on which the retention would be cut short. ``where`` is relative to `monitoring`."""
    given, needed = args.settings.prometheus.volume, smallest_volume(args, size)
    if given is not None and given.bytes < needed.bytes:
        days = max(1, floor(args.settings.retention.seconds / 86400 * given.bytes / needed.bytes))
        yield Problem(
            where="prometheus.volume",
            found=f"{given}, of which {shown_bytes(floor(given.bytes * CAP))} may be filled",
            allowed=f"at least {needed}: {args.settings.retention} of {all_series(args, size)} series "
            f"need {shown_bytes(needed_bytes(args, size))}",
            fix=f"raise it to {needed}, leave it out, or shorten monitoring.retention to {days}d",
        )


def memory_problems(args: JobsArgs, size: ClusterSize) -> Iterator[Problem]:
    """Memory with which Prometheus would be ended once the cluster has grown. ``where`` is relative to `monitoring`."""
    given, needed = args.settings.prometheus.resources.memory.limit, needed_memory(args, size)
    if given.bytes < needed:
        enough = ceil(needed / 2**28) * 256
        yield Problem(
            where="prometheus.resources.memory.limit",
            found=str(given),
            allowed=f"at least {shown_bytes(needed)}: {all_series(args, size)} series at "
            f"{shown_bytes(BYTES_PER_SERIES)} each, and {shown_bytes(OWN_MEMORY)} for itself",
            fix=f"set request and limit to {enough}Mi, or make pools or monitoring.other_nodes smaller",
        )
