"""How large each of Elasticsearch's disks must be: from the retention, and the lines to expect."""

from collections.abc import Iterator, Mapping
from math import ceil, floor

from components.logging.bootstrap import rollover
from components.logging.settings import LoggingSettings
from components.monitoring.jobs import ClusterSize
from stackfile.problems import Problem
from stackfile.quantities import Bytes, shown_bytes

WATERMARKS: Mapping[str, float] = {"low": 0.85, "high": 0.90, "flood": 0.95}
"""How full a disk may be before Elasticsearch puts nothing new on it, moves shards away, and forbids all writing: its
own defaults, stated in files/elasticsearch/elasticsearch.yml."""
INDEX_OVERHEAD = 1.1
"""What is stored of a line by its JSON text: Elastic counts 1.1 for logs ("Benchmarking and sizing your Elasticsearch
cluster for logs and metrics")."""
MERGING = 1.1
"""A tenth that is taken for a while when segments are merged: the margin of the same source."""
DAY = 86400


def kept_days(settings: LoggingSettings) -> float:
    """An index goes as a whole: its first line stays as much longer than its last as the index was written to."""
    return (settings.retention.seconds + rollover(settings.retention).seconds) / DAY


def copies(settings: LoggingSettings) -> int:
    """Each line is kept once on a single node, else twice."""
    return 1 if settings.elasticsearch.nodes == 1 else 2


def bytes_a_day(settings: LoggingSettings, size: ClusterSize) -> int:
    """What is written in a day by a cluster at its largest."""
    expected = settings.expected
    return size.pods * expected.per_pod.bytes + size.nodes * expected.per_node.bytes


def needed_bytes(settings: LoggingSettings, size: ClusterSize) -> int:
    """On each node: days x bytes a day x overhead x copies / nodes."""
    stored = kept_days(settings) * bytes_a_day(settings, size) * INDEX_OVERHEAD * MERGING * copies(settings)
    return ceil(stored / settings.elasticsearch.nodes)


def smallest_volume(settings: LoggingSettings, size: ClusterSize) -> Bytes:
    """The smallest disk, in whole gibibytes, that holds the retention below the low watermark."""
    return Bytes(f"{max(1, ceil(needed_bytes(settings, size) / WATERMARKS['low'] / 2**30))}Gi")


def volume(settings: LoggingSettings, size: ClusterSize) -> Bytes:
    """The disk that the settings name, or the smallest that will do."""
    return settings.elasticsearch.volume or smallest_volume(settings, size)


def volume_problems(settings: LoggingSettings, size: ClusterSize) -> Iterator[Problem]:
    """A disk that is full before the retention is over. ``where`` is relative to `logging`."""
    given, needed = settings.elasticsearch.volume, smallest_volume(settings, size)
    if given is not None and given.bytes < needed.bytes:
        share = given.bytes / needed.bytes
        days = max(1, floor(kept_days(settings) * share) - 1)
        yield Problem(
            where="elasticsearch.volume",
            found=f"{given}, of which {shown_bytes(floor(given.bytes * WATERMARKS['low']))} may be filled",
            allowed=f"at least {needed}: {settings.retention} of {shown_bytes(bytes_a_day(settings, size))} a day "
            f"need {shown_bytes(needed_bytes(settings, size))} on each node",
            fix=f"raise it to {needed}, leave it out, or shorten logging.retention to {days}d",
        )
