"""The logging room: what is written, shipped, kept and shown, put together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi

from clouds.base import Cloud
from components.connections import Connection
from components.entry import Route
from components.entry_settings import AnyEntry
from components.kit import DataPolicy
from components.logging import elasticsearch, graph, kibana, trust
from components.logging.agents import Node, ShipperSecrets
from components.logging.authority import Authority, AuthorityArgs
from components.logging.bootstrap import USERS as BOOTSTRAP_USERS
from components.logging.bootstrap import Bootstrap, BootstrapArgs, BootstrapSecrets
from components.logging.credentials import Credentials, CredentialsArgs
from components.logging.elasticsearch import Elasticsearch, ElasticsearchArgs
from components.logging.exporter import USER as EXPORTER_USER
from components.logging.exporter import Exporter, ExporterArgs, ExporterSecrets
from components.logging.filebeat import USER as FILEBEAT_USER
from components.logging.filebeat import Filebeat, FilebeatArgs
from components.logging.fluent_bit import USER as FLUENT_BIT_USER
from components.logging.fluent_bit import FluentBit, FluentBitArgs
from components.logging.kibana import Kibana, KibanaArgs, KibanaSecrets
from components.logging.pods import Platform
from components.logging.settings import LoggingSettings
from components.logging.sizing import volume
from components.logging.snapshot_settings import KEYSTORE, secrets_of
from components.logging.streams import PIPELINES, part_of
from components.monitoring import pushgateway
from components.monitoring.jobs import ClusterSize
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from stackfile.references import Image
from stackfile.resources import resources

# A program of the standard library alone, which holds one document at a time.
_JOB_RESOURCES = resources(cpu=("20m", "500m"), memory=("64Mi", "192Mi"))


@dataclass(frozen=True, kw_only=True)
class LoggingArgs:
    """What the logging room is made of."""

    names: NamespaceNames
    cluster: str
    """`cluster.name` of every line."""
    cloud: Cloud
    entry: AnyEntry
    settings: LoggingSettings
    size: ClusterSize
    """How large the cluster can grow: what its disks must hold."""
    images: ImagesSettings
    job_image: Image
    """With Python, for the bootstrap: the hub's, which is on the nodes already."""
    data: DataPolicy
    storage_class: str
    priority_class: str
    authorities: str | None
    """The institution's certificate authorities, as PEM text; none: those of the images."""
    monitored: bool
    """Whether there is a Prometheus that asks the exporter, and a Pushgateway that the audit tells."""

    @property
    def platform(self) -> Platform:
        """What every pod of the room is told."""
        return Platform(
            names=self.names,
            images=self.images,
            pod_security=self.cloud.pod_security,
            priority_class=self.priority_class,
        )

    @property
    def part(self) -> str:
        """The last part of every data stream's name."""
        return self.settings.streams or part_of(self.names.instance)

    @property
    def node(self) -> Node:
        """What every shipper is told."""
        return Node(
            names=self.names,
            images=self.images,
            pod_security=self.cloud.pod_security,
            priority_class=self.priority_class,
            cluster=self.cluster,
            streams=self.part,
            host=elasticsearch.host(self.names),
            port=elasticsearch.HTTP_PORT,
        )

    @property
    def kibana(self) -> KibanaArgs:
        """What Kibana is made of."""
        return KibanaArgs(
            platform=self.platform,
            settings=self.settings,
            entry=self.entry,
            elasticsearch=elasticsearch.url(self.names),
            data=self.data,
        )

    @property
    def bootstrap(self) -> BootstrapArgs:
        """What the bootstrap is made of."""
        told = f"http://{pushgateway.COMPONENT}.{self.names.of('monitoring')}.svc:{pushgateway.PORT}"
        return BootstrapArgs(
            names=self.names,
            images=self.images,
            pod_security=self.cloud.pod_security,
            priority_class=self.priority_class,
            image=self.job_image,
            resources=_JOB_RESOURCES,
            elasticsearch=elasticsearch.url(self.names),
            kibana=kibana.url(self.kibana) if self.settings.kibana.enabled else None,
            streams=self.part,
            datasets=PIPELINES,
            retention=self.settings.retention,
            snapshots=self.settings.snapshots,
            pushgateway=told if self.monitored else None,
        )


def required_secrets(settings: LoggingSettings) -> Iterator[str]:
    """The keys of the secrets that logging needs."""
    if settings.enabled:
        yield from secrets_of(settings.snapshots)


def routes(args: LoggingArgs) -> tuple[Route, ...]:
    """What the room publishes: Kibana, if anything."""
    return kibana.routes(args.kibana) if args.settings.enabled and args.settings.kibana.enabled else ()


def connections(args: LoggingArgs) -> Iterator[Connection]:
    """The room's part of the connection graph."""
    if args.settings.enabled:
        yield from graph.connections(
            args.names, args.settings, args.cloud.endpoints, args.bootstrap, monitored=args.monitored
        )


class Logging(pulumi.ComponentResource):
    """Elasticsearch, what makes it ready, Kibana, the shippers on every node, and the exporter."""

    def __init__(
        self,
        name: str,
        args: LoggingArgs,
        given: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("elab:logging:Logging", name, None, opts)
        child, platform, settings = pulumi.ResourceOptions(parent=self), args.platform, args.settings
        labels, nodes = platform.labels(elasticsearch.COMPONENT), settings.elasticsearch.nodes
        certified = elasticsearch.certificate_names(args.names, nodes)
        authority = Authority(
            f"{name}-authority",
            AuthorityArgs(namespace=platform.namespace, labels=labels, data=args.data, names=certified),
            child,
        )
        credentials = Credentials(
            f"{name}-credentials", CredentialsArgs(names=args.names, labels=labels, data=args.data), child
        )
        own, salt, passwords = authority.certificate, credentials.salt, credentials.passwords
        keystore = KEYSTORE[settings.snapshots.kind] if settings.snapshots is not None else {}
        kept = ElasticsearchArgs(
            platform=platform,
            settings=settings,
            volume=volume(settings, args.size),
            storage_class=args.storage_class,
            data=args.data,
            keys={setting: given[key] for key, setting in keystore.items()},
            salt=salt,
            # It speaks to nobody outside but that storage.
            authorities=trust.certificates(args.authorities) if settings.snapshots is not None else {},
        )
        # It mounts what those two make.
        mounted = pulumi.ResourceOptions(parent=self, depends_on=[authority, credentials])
        store = Elasticsearch(f"{name}-elasticsearch", kept, mounted)
        served = pulumi.ResourceOptions(parent=self, depends_on=[store])
        if settings.kibana.enabled:
            shown = KibanaSecrets(token=credentials.kibana_token, authorities=own, salt=salt)
            Kibana(f"{name}-kibana", args.kibana, shown, served)
        told = BootstrapSecrets(
            passwords={task: passwords[user] for task, user in BOOTSTRAP_USERS.items()}, authorities=own
        )
        bootstrap = Bootstrap(f"{name}-bootstrap", args.bootstrap, told, served)
        # Whoever sends before there are templates and retention makes streams that nothing deletes.
        ready = pulumi.ResourceOptions(parent=self, depends_on=[bootstrap.store])

        def shipper(user: str) -> ShipperSecrets:
            return ShipperSecrets(password=passwords[user], authorities=own, salt=salt)

        lines = FluentBitArgs(
            node=args.node,
            image=settings.fluent_bit.image,
            resources=settings.fluent_bit.resources,
            buffer=settings.fluent_bit.buffer,
            namespaces=settings.fluent_bit.namespaces,
        )
        FluentBit(f"{name}-fluent-bit", lines, shipper(FLUENT_BIT_USER), ready)
        hosts = FilebeatArgs(node=args.node, image=settings.image("filebeat"), resources=settings.filebeat.resources)
        Filebeat(f"{name}-filebeat", hosts, shipper(FILEBEAT_USER), ready)
        if args.monitored:
            figures = ExporterArgs(
                names=args.names,
                images=args.images,
                pod_security=args.cloud.pod_security,
                priority_class=args.priority_class,
                image=settings.exporter.image,
                resources=settings.exporter.resources,
                url=elasticsearch.url(args.names),
            )
            asked = ExporterSecrets(password=passwords[EXPORTER_USER], authorities=own, salt=salt)
            Exporter(f"{name}-exporter", figures, asked, child)
        self.register_outputs({})
