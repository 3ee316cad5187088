"""Settings of logging: how long lines are kept, by what, and who may look."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from components.logging.snapshot_settings import SnapshotSettings
from components.logging.streams import StreamPart
from stackfile.problems import Problem
from stackfile.quantities import Bytes, DiskSize, Duration
from stackfile.references import DoorName, Image, Name, StorageClassName
from stackfile.resources import Resources, resources
from stackfile.scalars import Scalar
from stackfile.section import Section

LARGEST_HEAP = 31 * 2**30
"""Beyond it Java's pointers are no longer compressed (Elasticsearch's guide, "JVM settings")."""


class ElasticVersion(Scalar):
    """A version of Elasticsearch, Kibana and Filebeat: one for the three.

    From 9.1: by Elastic's documentation, that is where streams' failure stores, and how long they are kept, came.
    """

    allowed: ClassVar[str] = "a version 9 of the Elastic stack, 9.1.0 or later, with all of its three numbers"
    example: ClassVar[str] = "9.5.1"
    pattern: ClassVar[str | None] = r"^9\.[1-9][0-9]{0,2}\.[0-9]{1,3}$"

    @classmethod
    def check(cls, text: str) -> None:
        parts = text.split(".")
        if len(parts) != 3 or parts[0] != "9" or not all(part.isdecimal() and len(part) <= 3 for part in parts):
            raise ValueError
        if parts[1].startswith("0"):
            raise ValueError


class ElasticsearchSettings(Section):
    """What keeps the lines and answers questions about them."""

    nodes: int = Field(default=1, ge=1, le=9)
    """1, which an outage of its node or disk takes away, or 3 and more, each with a copy of the others' lines."""
    # Elastic's own operator gives a node 2Gi, request and limit alike; the heap takes half of it by itself.
    resources: Resources = resources(cpu=("250m", "2"), memory=("2Gi", "2Gi"))
    """Of each node. Memory: request and limit alike, since the heap is sized by the limit and taken at once."""
    heap: Bytes | None = None
    """Java's heap; none: Elasticsearch takes half of the memory's limit, which is what its makers advise."""
    volume: DiskSize | None = None
    """Each node's disk; none: computed from the retention and the lines to expect. It can only grow."""
    memory_maps: bool = False
    """Whether index files are mapped into memory: faster, but every node that may run it needs
    `vm.max_map_count` 1048576, set by whoever runs the nodes. No container of elab's changes its node's kernel."""

    def problems(self) -> Iterator[Problem]:
        memory = self.resources.memory
        if self.nodes == 2:
            yield Problem(
                where="nodes",
                found="2, of which neither may go on alone",
                allowed="1, or 3 to 9: a majority of 2 is both of them, so that either's loss stops both",
                fix="set it to 3, or to 1",
            )
        if memory.request.bytes != memory.limit.bytes:
            yield Problem(
                where="resources.memory.request",
                found=f"{memory.request}, with a limit of {memory.limit}",
                allowed="the same as the limit, by which the heap is sized, and which is taken at once",
                fix=f"set both to {memory.limit}",
            )
        if self.heap is not None and self.heap.bytes > min(memory.limit.bytes // 2, LARGEST_HEAP):
            yield Problem(
                where="heap",
                found=f"{self.heap}, with a memory limit of {memory.limit}",
                allowed="at most half of the limit, and 31Gi: the other half holds what is read from the disk",
                fix="leave it out: the heap then sizes itself by the limit",
            )


class KibanaSettings(Section):
    """The pages that show the lines."""

    enabled: bool = True
    # Elastic's own operator gives 1Gi, with which Kibana 9 ends while it starts.
    resources: Resources = resources(cpu=("100m", "1"), memory=("1Gi", "2Gi"))
    published: bool | None = None
    """Whether the door leads to Kibana; none: wherever it can lead to several services (ingress, gateway, route).
    False: it is reached by `kubectl port-forward`."""
    host: DoorName | None = None
    """A host of its own, which keeps operators' sessions apart from pages that people's servers show; none: the path
    /kibana of the one address, which prod does not allow."""


class FluentBitSettings(Section):
    """The shipper of what containers write, on every node."""

    image: Image = Image("cr.fluentbit.io/fluent/fluent-bit:5.1.1")
    # Fluent Bit's chart sets nothing; chunks in memory are bounded by its files' storage.max_chunks_up, 2 MB each.
    resources: Resources = resources(cpu=("20m", "500m"), memory=("96Mi", "384Mi"))
    buffer: Bytes = Bytes("2Gi")
    """What may wait on each node's own disk while Elasticsearch is away; beyond it the oldest lines go."""
    namespaces: tuple[Name, ...] = ()
    """Namespaces of the institution's own whose containers are read too."""


class FilebeatSettings(Section):
    """The shipper of what the nodes' own systems write, on every node."""

    # Beats' own manifest asks for 100m and 100Mi, and allows 200Mi.
    resources: Resources = resources(cpu=("20m", "300m"), memory=("100Mi", "256Mi"))


class ExporterSettings(Section):
    """Elasticsearch's figures for Prometheus."""

    image: Image = Image("quay.io/prometheuscommunity/elasticsearch-exporter:v1.11.0")
    resources: Resources = resources(cpu=("5m", "100m"), memory=("32Mi", "128Mi"))


class ExpectedLines(Section):
    """What is written in a day: the disk is sized by it. An assumption to begin with; the dashboard Logs measures it.

    A line of 300 bytes every 5 seconds is 5 MiB a day: what a hub with its reflectors writes (its log level is INFO),
    and more than a server does whose person works. A node's journal has kubelet, container runtime and kernel in it.
    """

    per_pod: Bytes = Bytes("5Mi")
    per_node: Bytes = Bytes("100Mi")


class LoggingSettings(Section):
    """Logs of the platform and its nodes."""

    enabled: bool = True
    version: ElasticVersion = ElasticVersion("9.5.1")
    """Of Elasticsearch, Kibana and Filebeat."""
    retention: Duration = Duration("30d")
    """How long a line is kept. Indices are begun daily and go as a whole, so a line may stay a day longer."""
    streams: StreamPart | None = None
    """The last part of every data stream's name; none: the instance, its hyphens as underscores."""
    storage_class: StorageClassName | None = None
    """The StorageClass of Elasticsearch's disks; none: the platform's own."""
    expected: ExpectedLines = ExpectedLines()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    kibana: KibanaSettings = KibanaSettings()
    fluent_bit: FluentBitSettings = FluentBitSettings()
    filebeat: FilebeatSettings = FilebeatSettings()
    exporter: ExporterSettings = ExporterSettings()
    snapshots: SnapshotSettings | None = None
    """Where a copy is made every night; none: nowhere."""

    def image(self, program: str) -> Image:
        """The image of one of Elastic's three programs."""
        folder = "beats" if program == "filebeat" else program
        return Image(f"docker.elastic.co/{folder}/{program}:{self.version}")

    def images(self, *, monitored: bool) -> tuple[Image, ...]:
        """Every image of the room's own; the exporter's where somebody asks it."""
        elastic = ["elasticsearch", *(["kibana"] if self.kibana.enabled else []), "filebeat"]
        asked = [self.exporter.image] if monitored else []
        return (*(self.image(program) for program in elastic), self.fluent_bit.image, *asked)

    def problems(self) -> Iterator[Problem]:
        if self.retention.seconds < 86400:
            yield Problem(
                where="retention",
                found=str(self.retention),
                allowed="at least 1d, since an index is a day's",
                fix="write for example 30d",
            )
