"""A stack's settings: from its configuration to frozen, typed values, with every problem at once."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from clouds import CloudSettings, cloud_of
from clouds.base import Cloud
from clouds.pools import NodePool
from clouds.scaling import Scaling
from components.entry_settings import EntrySettings
from components.hub.configuration import server_files
from components.hub.directory import DirectorySettings
from components.hub.places import DirectoryLogin, HomeLogin, LoginSettings, Place
from components.hub.profiles import UsersSettings
from components.hub.scheduling import PriorityNames
from components.hub.scheduling_settings import SchedulingSettings
from components.hub.seats import placeholders
from components.hub.settings import CullingSettings, HubSettings, PostgreSql, ProxySettings, PullerSettings
from components.hub.values import ValuesArgs
from components.kit import DataPolicy
from components.logging import room as logging_room
from components.logging.room import LoggingArgs
from components.logging.settings import LoggingSettings
from components.monitoring import room as monitoring_room
from components.monitoring.jobs import watched_logs
from components.monitoring.room import MonitoringArgs
from components.monitoring.settings import MonitoringSettings
from components.namespaces import NamespaceNames
from components.network_settings import ClusterSettings, ImagesSettings, NetworkSettings
from components.notebook_image import NotebookImageSettings
from components.storage import StorageSettings
from policy.settings import PolicySettings
from settings_checks import cross_checks
from stackfile.problems import Problem
from stackfile.references import InstanceName
from stackfile.section import Section, load


class ProtectionSettings(Section):
    """What keeps data when a resource or the stack goes."""

    protect: bool | None = None
    """Refuse to delete claims, keys and the namespaces that hold claims; none: yes in prod."""
    adopt: bool = False
    """Take over what an earlier stack left behind, or what runs though its stack's state was lost; for one `up`, then
    false again: until then claims and namespaces don't change."""


class Settings(Section):
    """All of a stack's settings."""

    instance: InstanceName
    """The name of this elab in its cluster; it starts every namespace and every cluster-wide name."""
    environment: Literal["dev", "prod"]
    """prod: TLS at the door and to the directory, images by digest, data protected."""
    cluster: ClusterSettings
    """Which cluster the platform is put on."""
    cloud: CloudSettings
    """What kind of cloud the cluster is on."""
    storage: StorageSettings
    """Where disks come from."""
    entry: EntrySettings
    """The one address."""
    pools: tuple[NodePool, ...] = Field(min_length=1)
    """Groups of like nodes on which people's servers run."""
    directory: DirectorySettings | None = None
    """The corporate directory: who may log in. Needed unless people log in at another stack's hub."""
    login: LoginSettings = DirectoryLogin()
    """Where people log in: here by the directory, or at another stack, the home of several clouds."""
    places: tuple[Place, ...] = ()
    """Clouds between which people of this login choose, each with a stack of its own; none: this stack alone."""
    users: UsersSettings
    """People's servers: sizes, images, disk, and what they may reach."""
    notebook_image: NotebookImageSettings
    """The image that people's servers run."""
    hub: HubSettings = HubSettings()
    """JupyterHub itself."""
    proxy: ProxySettings = ProxySettings()
    """The proxy that every request passes."""
    culling: CullingSettings = CullingSettings()
    """When servers that nobody uses are stopped."""
    puller: PullerSettings = PullerSettings()
    """The continuous image puller."""
    scheduling: SchedulingSettings = SchedulingSettings()
    """How servers find their nodes."""
    monitoring: MonitoringSettings = MonitoringSettings()
    """Metrics, alerts and dashboards."""
    logging: LoggingSettings = LoggingSettings()
    """Logs of the platform and its nodes: how long they are kept, and by what."""
    images: ImagesSettings = ImagesSettings()
    """Digests, mirrors and pull secrets of all images."""
    network: NetworkSettings = NetworkSettings()
    """The corporate proxy and the authorities that it trusts."""
    protection: ProtectionSettings = ProtectionSettings()
    """What keeps data when a resource or the stack goes."""
    policies: PolicySettings = PolicySettings()
    """Bounds that policies compare with: costs, registries, memory."""

    @property
    def hub_directory(self) -> DirectorySettings | None:
        """The directory that the hub asks; none: people log in elsewhere."""
        return self.directory if isinstance(self.login, DirectoryLogin) else None

    @property
    def is_prod(self) -> bool:
        """Whether the strict rules hold."""
        return self.environment == "prod"

    @property
    def protects_data(self) -> bool:
        """Whether claims, keys and the namespaces that hold claims refuse to be deleted."""
        return self.is_prod if self.protection.protect is None else self.protection.protect

    @property
    def reclaim_policy(self) -> Literal["Delete", "Retain"]:
        """What deleting a claim does to its volume."""
        return self.storage.reclaim_policy or ("Retain" if self.is_prod else "Delete")

    @property
    def facts(self) -> Cloud:
        """Data about the cloud."""
        return cloud_of(self.cloud)

    @property
    def known_pools(self) -> tuple[NodePool, ...]:
        """The pools with what the cloud knows of their machines: list prices, and how many disks they take."""
        facts = self.facts
        found = []
        for pool in self.pools:
            price, whole = pool.price_per_hour, pool.allocatable
            if price is None and facts.prices is not None:
                price = facts.prices.price(pool)
            if whole.disks is None:
                whole = whole.model_copy(update={"disks": facts.disks(pool)})
            found.append(pool.model_copy(update={"price_per_hour": price, "allocatable": whole}))
        return tuple(found)

    @property
    def node_pools(self) -> tuple[NodePool, ...]:
        """The known pools, with as many placeholders as the rate of arrivals needs."""
        profiles, size = self.users.profiles, self.scheduling.placeholder
        return tuple(
            pool.model_copy(update={"placeholders": placeholders(pool, profiles, size), "arrivals": None})
            for pool in self.known_pools
        )

    @property
    def scaling(self) -> Scaling:
        """What tells the cloud's autoscaler of the pools."""
        return self.facts.scaling(self.node_pools, str(self.instance))

    @property
    def packs(self) -> bool:
        """Whether elab's own user scheduler is used."""
        wanted = self.scheduling.user_scheduler.enabled
        return not self.facts.autoscaler.packs_already if wanted is None else wanted

    @property
    def data(self) -> DataPolicy:
        """What happens to data when the program no longer speaks of it."""
        return DataPolicy(protect=self.protects_data, adopt=self.protection.adopt)

    @property
    def cluster_name(self) -> str:
        """By which metrics and lines say of which cluster they are."""
        return self.monitoring.cluster_name or self.cluster.identifier or self.cluster.context

    @property
    def values_args(self) -> ValuesArgs:
        """What the hub reads: for its room, and for plans, which show what KubeSpawner will make of it."""
        return ValuesArgs(
            names=NamespaceNames(instance=self.instance),
            entry=self.entry,
            hub=self.hub,
            users=self.users,
            directory=self.hub_directory,
            login=self.login,
            places=self.places,
            culling=self.culling,
            images=self.images,
            network=self.network,
            packs=self.packs,
            pools=self.node_pools,
            ranges=self.facts.ranges,
            pod_security=self.facts.pod_security,
            storage_class=self.storage.class_name,
            server_files=tuple(server_files()),
        )

    @property
    def monitoring_args(self) -> MonitoringArgs:
        """What the monitoring room is made of: all of it plain decisions, that checks and plans look at too."""
        names = NamespaceNames(instance=self.instance)
        return MonitoringArgs(
            names=names,
            cluster=self.cluster_name,
            cloud=self.facts,
            entry=self.entry,
            settings=self.monitoring,
            directory=self.directory,
            pools=self.node_pools,
            profiles=self.users.profiles,
            images=self.images,
            network=self.network,
            data=self.data,
            storage_class=self.monitoring.storage_class or self.storage.platform_class,
            priority_class=PriorityNames(instance=self.instance).of("platform"),
            logs=watched_logs(self.logging),
        )

    @property
    def logging_args(self) -> LoggingArgs:
        """What the logging room is made of: plain decisions as well."""
        return LoggingArgs(
            names=NamespaceNames(instance=self.instance),
            cluster=self.cluster_name,
            cloud=self.facts,
            entry=self.entry,
            settings=self.logging,
            size=self.monitoring_args.size,
            images=self.images,
            job_image=self.hub.image,
            data=self.data,
            storage_class=self.logging.storage_class or self.storage.platform_class,
            priority_class=PriorityNames(instance=self.instance).of("platform"),
            authorities=self.network.ca_certificates,
            monitored=self.monitoring.enabled,
        )

    def problems(self) -> Iterator[Problem]:
        yield from cross_checks(self)


SECRETS: Mapping[str, str] = {
    "ldap_bind_password": "the password of directory.bind_dn",
    "home_client_secret": "this place's key: `pulumi stack output place_secrets --show-secrets` of the home stack",
    "hub_database_url": "the hub's PostgreSQL database: postgresql://user:password@host:5432/database",
    "alert_smtp_password": "the password of monitoring.alerting.smtp.username",
    "alert_webhook_url": "the address of the webhook receiver without a url of its own",
    "alert_webhook_url_2": "the address of a receiver whose kept_in names this secret",
    "alert_webhook_url_3": "the address of a receiver whose kept_in names this secret",
    "alert_slack_url": "the incoming webhook of Slack",
    "alert_slack_url_2": "the incoming webhook of a receiver whose kept_in names this secret",
    "alert_slack_url_3": "the incoming webhook of a receiver whose kept_in names this secret",
    "alert_pagerduty_key": "the integration key of PagerDuty's service (Events API v2)",
    "alert_pagerduty_key_2": "the integration key of a receiver whose kept_in names this secret",
    "alert_pagerduty_key_3": "the integration key of a receiver whose kept_in names this secret",
    "alert_heartbeat_url": "the address that the watcher outside gave for monitoring.alerting.heartbeat",
    "remote_write_password": "the password of monitoring.remote_write.username",
    "snapshot_s3_access_key": "the access key of logging.snapshots of kind s3",
    "snapshot_s3_secret_key": "the secret key of logging.snapshots of kind s3",
    "snapshot_gcs_credentials": "the JSON file of the service account for logging.snapshots of kind gcs",
    "snapshot_azure_account": "the storage account of logging.snapshots of kind azure",
    "snapshot_azure_key": "the key of the storage account of logging.snapshots of kind azure",
}
"""Secrets that a stack may need, as top-level keys of their own, and what each is."""


def required_secrets(settings: Settings) -> tuple[str, ...]:
    """Which secrets these settings need."""
    found = []
    if settings.directory is not None and settings.directory.bind_dn is not None:
        found.append("ldap_bind_password")
    if isinstance(settings.login, HomeLogin) and settings.login.url is not None:
        found.append("home_client_secret")
    if isinstance(settings.hub.database, PostgreSql):
        found.append("hub_database_url")
    found += monitoring_room.required_secrets(settings.monitoring)
    found += logging_room.required_secrets(settings.logging)
    return tuple(dict.fromkeys(found))


def missing_secret(key: str, stack: str) -> Problem:
    """What to do about a secret that is not set yet."""
    return Problem(
        where=key,
        found="nothing",
        allowed=SECRETS[key],
        fix=f"pulumi config set --secret elab:{key} --stack {stack}",
    )


def read(data: Mapping[str, object]) -> Settings:
    """Settings from plain data, its keys without the project's name and without secrets.

    Raises:
        StackError: with every problem that was found.
    """
    return load(Settings, data)
