"""The hub's room: everything between a login and a person's server, put together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from clouds.base import Cloud
from clouds.pools import NodePool
from components.connections import Connection
from components.entry import Route
from components.entry_settings import AnyEntry, own_certificate, public_url
from components.hub import proxy, scheduler
from components.hub.configuration import Configuration, hub_files, server_files
from components.hub.graph import hub_connections, user_connections
from components.hub.hub import Hub, HubArgs
from components.hub.keys import Keys, KeysArgs
from components.hub.places import PLACE_SECRETS, Login
from components.hub.profiles import UsersSettings
from components.hub.puller import Puller, PullerArgs
from components.hub.scheduler import UserScheduler, UserSchedulerArgs
from components.hub.scheduling import Placeholders, PlaceholdersArgs, Priorities, PrioritiesArgs, PriorityNames
from components.hub.scheduling_settings import SchedulingSettings
from components.hub.settings import CullingSettings, HubSettings, ProxySettings, PullerSettings
from components.hub.values import HUB_TRUST, ValuesArgs, hub_proxy_environment, hub_values, trust_environment
from components.kit import DataPolicy
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings, NetworkSettings


@dataclass(frozen=True, kw_only=True)
class HubRoomArgs:
    """What the hub's room is made of."""

    names: NamespaceNames
    cloud: Cloud
    entry: AnyEntry
    hub: HubSettings
    proxy: ProxySettings
    users: UsersSettings
    login: Login
    culling: CullingSettings
    puller: PullerSettings
    scheduling: SchedulingSettings
    packs: bool
    """Whether people's servers are scheduled by elab's own packing scheduler."""
    pools: tuple[NodePool, ...]
    images: ImagesSettings
    network: NetworkSettings
    data: DataPolicy
    user_storage_class: str
    platform_storage_class: str
    extra_config: str | None
    """The text of the stack's own piece of hub configuration."""
    notebook_image: pulumi.Input[str]
    secrets: Mapping[str, pulumi.Input[str]]
    """What the stack's owner has set, by key."""

    @property
    def scheduler_name(self) -> str | None:
        """None: the cluster's own scheduler."""
        return scheduler.scheduler_name(self.names) if self.packs else None

    @property
    def priorities(self) -> PriorityNames:
        """The names of the PriorityClasses."""
        return PriorityNames(instance=self.names.instance)


def values_args(args: HubRoomArgs) -> ValuesArgs:
    """What the hub's values file is made of."""
    return ValuesArgs(
        names=args.names,
        hub=args.hub,
        users=args.users,
        directory=args.login.directory,
        login=args.login.settings,
        places=args.login.places,
        culling=args.culling,
        images=args.images,
        network=args.network,
        pools=args.pools,
        ranges=args.cloud.ranges,
        pod_security=args.cloud.pod_security,
        storage_class=args.user_storage_class,
        public_url=public_url(args.entry),
        certificate=own_certificate(args.entry),
        scheduler_name=args.scheduler_name,
        priority_class=args.priorities.of("users"),
        server_files=tuple(server_files()),
    )


def configuration(args: HubRoomArgs) -> Configuration:
    """Everything that hub and servers read from ConfigMaps."""
    directory = args.login.directory
    return Configuration(
        files=hub_files(),
        servers=server_files(),
        values=hub_values(values_args(args)),
        extra=args.extra_config,
        directory_ca=directory.ca_certificates if directory is not None else None,
        trust_ca=args.network.ca_certificates,
    )


def routes(args: HubRoomArgs) -> tuple[Route, ...]:
    """What the room publishes."""
    return (proxy.route(args.names, args.entry),)


def connections(args: HubRoomArgs) -> Iterator[Connection]:
    """The room's part of the connection graph."""
    endpoints = args.cloud.endpoints
    yield from hub_connections(args.names, args.hub, args.login.settings, args.login.directory, args.network, endpoints)
    yield from user_connections(args.names, args.users.egress, args.network, endpoints, args.cloud.ranges)
    yield from proxy.connections(args.names, args.entry, endpoints)
    if args.packs:
        yield from scheduler.connections(args.names, endpoints)


class HubRoom(pulumi.ComponentResource):
    """Login, proxy, people's servers, culling, image puller and scheduling."""

    priorities: Priorities
    """The classes that every pod of the platform names."""
    metrics_token: pulumi.Output[str]
    """May read the hub's metrics, and nothing else."""
    for_other_stacks: Mapping[str, pulumi.Output[Any]]
    """Outputs that the stacks of other places read: the key of each."""

    def __init__(self, name: str, args: HubRoomArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:HubRoom", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        security, platform = args.cloud.pod_security, args.priorities.of("platform")
        priorities = PrioritiesArgs(
            names=args.priorities, placeholder_priority=args.cloud.autoscaler.placeholder_priority
        )
        # Admission refuses a pod whose PriorityClass is not there yet, and no output of one is the other's input.
        self.priorities = Priorities(f"{name}-priorities", priorities, child)
        after_classes = pulumi.ResourceOptions(parent=self, depends_on=[self.priorities])
        keys = Keys(f"{name}-keys", KeysArgs(names=args.names, data=args.data, places=args.login.places), child)
        self.metrics_token = keys.metrics_token
        self.for_other_stacks = {PLACE_SECRETS: pulumi.Output.all(**keys.place_secrets)} if keys.place_secrets else {}
        proxy_args = proxy.ProxyArgs(
            settings=args.proxy,
            entry=args.entry,
            names=args.names,
            images=args.images,
            pod_security=security,
            priority_class=platform,
            token=keys.proxy_token,
            secrets_fingerprint=keys.proxy_fingerprint,
        )
        proxy.Proxy(f"{name}-proxy", proxy_args, after_classes)
        if args.packs:
            scheduler_args = UserSchedulerArgs(
                settings=args.scheduling.user_scheduler,
                names=args.names,
                images=args.images,
                pod_security=security,
                priority_class=platform,
            )
            UserScheduler(f"{name}-scheduler", scheduler_args, after_classes)
        Hub(f"{name}-hub", self._hub_args(args, platform, keys), after_classes)
        Puller(f"{name}-puller", self._puller_args(args, args.priorities.of("puller")), after_classes)
        Placeholders(f"{name}-placeholders", self._placeholder_args(args), after_classes)
        self.register_outputs({})

    def _hub_args(self, args: HubRoomArgs, priority_class: str, keys: Keys) -> HubArgs:
        login = args.login
        # Of the stack's secrets those that the hub reads: a receiver of alerts that changes does not restart it.
        ldap_password = args.secrets.get("ldap_bind_password") if login.directory is not None else None
        database_url = args.secrets.get("hub_database_url")
        read = (ldap_password, database_url, login.home.secret if login.home is not None else None)
        return HubArgs(
            settings=args.hub,
            names=args.names,
            images=args.images,
            pod_security=args.cloud.pod_security,
            configuration=configuration(args),
            environment={
                **hub_proxy_environment(args.network, args.cloud.ranges),
                **trust_environment(args.network, HUB_TRUST),
            },
            data=args.data,
            storage_class=args.platform_storage_class,
            priority_class=priority_class,
            notebook_image=args.notebook_image,
            ldap_password=ldap_password,
            database_url=database_url,
            home=login.home,
            places=login.places,
            certificate=own_certificate(args.entry),
            secrets_fingerprint=keys.fingerprint(keys.hub_fingerprint, *(one for one in read if one is not None)),
        )

    def _puller_args(self, args: HubRoomArgs, priority_class: str) -> PullerArgs:
        return PullerArgs(
            settings=args.puller,
            names=args.names,
            users=args.users,
            pools=args.pools,
            images=args.images,
            pod_security=args.cloud.pod_security,
            priority_class=priority_class,
            notebook_image=args.notebook_image,
        )

    def _placeholder_args(self, args: HubRoomArgs) -> PlaceholdersArgs:
        return PlaceholdersArgs(
            names=args.names,
            pools=args.pools,
            size=args.scheduling.placeholder or args.users.default_profile.resources,
            image=args.puller.pause_image,
            images=args.images,
            pod_security=args.cloud.pod_security,
            scheduler_name=args.scheduler_name,
            priority_class=args.priorities.of("placeholders"),
        )
