"""Settings of logging: how long logs are kept, where, and what reads them."""

import re
from collections.abc import Iterator

from pydantic import Field, field_validator

from components.logging.snapshots_settings import S3Snapshots
from stackfile.problems import Problem
from stackfile.quantities import Bytes, Duration
from stackfile.references import HostName, Image, Name
from stackfile.resources import Resources, resources
from stackfile.scalars import refusal
from stackfile.section import Section

_VERSION = re.compile(r"9\.\d+\.\d+")
LARGEST_HEAP = 31 * 2**30
"""Beyond it pointers are no longer compressed (Elasticsearch's guide, "JVM settings")."""
SMALLEST_RETENTION = 86400


class ElasticsearchSettings(Section):
    """The store of logs."""

    nodes: int = Field(default=1, ge=1, le=30)
    """One (dev), or three or more, of which one may fail."""
    # Elasticsearch on Kubernetes asks for 2Gi a node by default; half of it is heap, half the cache of files.
    resources: Resources = resources(cpu=("500m", "2"), memory=("2Gi", "2Gi"))
    """Of each node. Memory: request and limit alike, since the heap is taken at start."""
    heap: Bytes | None = None
    """Of each node; none: Elasticsearch takes half of its limit."""
    volume: Bytes | None = None
    """Each node's disk; none: computed from retention and what is to be expected. It can only grow."""
    mmap: bool = False
    """Whether files may be mapped into memory, which is faster: only where every node has `vm.max_map_count` of at least
    262144. elab changes no node's kernel."""

    def problems(self) -> Iterator[Problem]:
        memory = self.resources.memory
        if self.nodes == 2:
            yield Problem(
                where="nodes",
                found="2",
                allowed="1, or 3 and more: two elect no master when one of them fails",
                fix="set it to 3, or to 1 where an outage of the logs is bearable",
            )
        if memory.request.bytes != memory.limit.bytes:
            yield Problem(
                where="resources.memory.request",
                found=f"{memory.request}, with a limit of {memory.limit}",
                allowed="the same as the limit: the heap is taken whole at start",
                fix=f"set both to {memory.limit}",
            )
        if self.heap is not None and self.heap.bytes > min(memory.limit.bytes // 2, LARGEST_HEAP):
            yield Problem(
                where="heap",
                found=f"{self.heap}, with a memory limit of {memory.limit}",
                allowed="at most half of the limit, and 31Gi: the other half holds what is read from the disk",
                fix="remove it: the heap then sizes itself by the limit",
            )


class KibanaSettings(Section):
    """Where people look into logs."""

    enabled: bool = True
    # Kibana 9 ends for want of memory with 1Gi (kibana#205040 and others).
    resources: Resources = resources(cpu=("100m", "1"), memory=("1Gi", "2Gi"))
    published: bool | None = None
    """Whether the door leads to Kibana; none: wherever it can lead to several services (ingress, gateway).
    False: it is reached by `kubectl port-forward`."""
    host: HostName | None = None
    """A host of its own, which keeps operators' sessions apart from pages that people's servers show; none: the path
    /kibana of the one address."""


class FluentBitSettings(Section):
    """The agent that reads what containers write, once on every node."""

    image: Image = Image("cr.fluentbit.io/fluent/fluent-bit:5.1.1")
    # 2i2c's Fluent Bit takes some 50Mi; what waits lies on the disk, not in memory.
    resources: Resources = resources(cpu=("25m", "500m"), memory=("64Mi", "256Mi"))
    buffer: Bytes = Bytes("1Gi")
    """What may wait on each node's own disk for Elasticsearch to come back; then the oldest goes."""
    namespaces: tuple[Name, ...] = ()
    """Namespaces of the institution's own whose containers are read too."""


class FilebeatSettings(Section):
    """The agent that reads what the nodes' own systems write, once on every node."""

    # Filebeat's own manifest for Kubernetes asks for 100m and 100Mi, and allows 200Mi.
    resources: Resources = resources(cpu=("25m", "500m"), memory=("100Mi", "256Mi"))


class ExporterSettings(Section):
    """The program that turns Elasticsearch's health into metrics."""

    image: Image = Image("quay.io/prometheuscommunity/elasticsearch-exporter:v1.11.0")
    # Its chart states none; it keeps nothing but the last answers.
    resources: Resources = resources(cpu=("10m", "200m"), memory=("32Mi", "128Mi"))


class ExpectedLogs(Section):
    """What is written in a day, from which the disks are computed. Assumptions: the dashboard Logs shows the real figures
    after a week."""

    per_person: Bytes = Bytes("5Mi")
    """By a person's server, and by hub and proxy about them, on a day on which they work."""
    per_node: Bytes = Bytes("100Mi")
    """By a node's own system and the platform's programs on it."""


class LoggingSettings(Section):
    """Logs of the platform, of people's servers and of the nodes."""

    enabled: bool = True
    retention: Duration = Duration("30d")
    """How long logs are kept: not less, and no more than a day longer."""
    version: str = "9.5.1"
    """Of Elasticsearch, Kibana and Filebeat, which go together."""
    streams: str | None = None
    """The last part of every data stream's name; none: the instance, its hyphens as underscores."""
    storage_class: Name | None = None
    """The StorageClass of Elasticsearch's disks; none: the platform's own."""
    other_nodes: int = Field(default=3, ge=0, le=5000)
    """How many nodes the cluster has besides the pools' own; their systems' logs are kept too."""
    expected: ExpectedLogs = ExpectedLogs()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    kibana: KibanaSettings = KibanaSettings()
    fluent_bit: FluentBitSettings = FluentBitSettings()
    filebeat: FilebeatSettings = FilebeatSettings()
    exporter: ExporterSettings = ExporterSettings()
    snapshots: S3Snapshots | None = None
    """Where copies of the logs go; none: there are none, and who loses the disks loses the logs."""

    @field_validator("version")
    @classmethod
    def _is_nine(cls, text: str) -> str:
        if not _VERSION.fullmatch(text):
            raise refusal("a release of 9, with three numbers", "write for example 9.5.1")
        return text

    @property
    def elasticsearch_image(self) -> Image:
        """Elasticsearch's own image."""
        return Image(f"docker.elastic.co/elasticsearch/elasticsearch:{self.version}")

    @property
    def kibana_image(self) -> Image:
        """Kibana's own image."""
        return Image(f"docker.elastic.co/kibana/kibana:{self.version}")

    @property
    def filebeat_image(self) -> Image:
        """Filebeat's own image; the Wolfi one has no journalctl."""
        return Image(f"docker.elastic.co/beats/filebeat:{self.version}")

    @property
    def images(self) -> tuple[Image, ...]:
        """Every image of the room, where it is there."""
        if not self.enabled:
            return ()
        kibana = (self.kibana_image,) if self.kibana.enabled else ()
        agents = (self.fluent_bit.image, self.filebeat_image, self.exporter.image)
        return (self.elasticsearch_image, *kibana, *agents)

    def problems(self) -> Iterator[Problem]:
        if self.retention.seconds < SMALLEST_RETENTION:
            yield Problem(where="retention", found=self.retention, allowed="at least 1d", fix="write for example 30d")
