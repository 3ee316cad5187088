"""The hub's room: everything between a login and a person's server, put together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from clouds.base import Cloud
from components.connections import Connection
from components.entry import Route
from components.entry_settings import own_certificate
from components.hub import proxy, scheduler
from components.hub.configuration import Configuration, hub_files, server_files
from components.hub.graph import hub_connections, user_connections
from components.hub.hub import Hub, HubArgs
from components.hub.keys import Keys, KeysArgs
from components.hub.places import PLACE_SECRETS, Home
from components.hub.puller import Puller, PullerArgs
from components.hub.scheduler import UserScheduler, UserSchedulerArgs
from components.hub.scheduling import Placeholders, PlaceholdersArgs, Priorities, PrioritiesArgs
from components.hub.scheduling_settings import SchedulingSettings
from components.hub.settings import ProxySettings, PullerSettings
from components.hub.values import HUB_TRUST, ValuesArgs, hub_proxy_environment, hub_values, trust_environment
from components.kit import DataPolicy


@dataclass(frozen=True, kw_only=True)
class HubRoomArgs:
    """What the hub's room is made of."""

    values: ValuesArgs
    """What the hub itself reads; most of it concerns the whole room."""
    cloud: Cloud
    proxy: ProxySettings
    puller: PullerSettings
    scheduling: SchedulingSettings
    data: DataPolicy
    platform_storage_class: str
    extra_config: str | None
    """The text of the stack's own piece of hub configuration."""
    notebook_image: pulumi.Input[str]
    secrets: Mapping[str, pulumi.Input[str]]
    """What the stack's owner has set, by key."""
    home: Home | None
    """The hub where people log in; none: they do here."""


def configuration(args: HubRoomArgs) -> Configuration:
    """Everything that hub and servers read from ConfigMaps."""
    directory = args.values.directory
    return Configuration(
        files=hub_files(),
        servers=server_files(),
        values=hub_values(args.values),
        extra=args.extra_config,
        directory_ca=directory.ca_certificates if directory is not None else None,
        trust_ca=args.values.network.ca_certificates,
    )


def routes(args: HubRoomArgs) -> tuple[Route, ...]:
    """What the room publishes."""
    return (proxy.route(args.values.names, args.values.entry),)


def connections(args: HubRoomArgs) -> Iterator[Connection]:
    """The room's part of the connection graph."""
    values, endpoints = args.values, args.cloud.endpoints
    yield from hub_connections(values.names, values.hub, values.login, values.directory, values.network, endpoints)
    yield from user_connections(values.names, values.users.egress, values.network, endpoints, values.ranges)
    yield from proxy.connections(values.names, values.entry, endpoints)
    if values.packs:
        yield from scheduler.connections(values.names, endpoints)


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
        security, platform = args.cloud.pod_security, args.values.priorities.of("platform")
        priorities = PrioritiesArgs(
            names=args.values.priorities, placeholder_priority=args.cloud.autoscaler.placeholder_priority
        )
        # Admission refuses a pod whose PriorityClass is not there yet, and no output of one is the other's input.
        self.priorities = Priorities(f"{name}-priorities", priorities, child)
        after_classes = pulumi.ResourceOptions(parent=self, depends_on=[self.priorities])
        keys = Keys(f"{name}-keys", KeysArgs(names=args.values.names, data=args.data, places=args.values.places), child)
        self.metrics_token = keys.metrics_token
        self.for_other_stacks = {PLACE_SECRETS: pulumi.Output.all(**keys.place_secrets)} if keys.place_secrets else {}
        # First of those that wait for the classes: the engine makes them in this order, and the hub starts longest.
        Hub(f"{name}-hub", self._hub_args(args, platform, keys), after_classes)
        proxy_args = proxy.ProxyArgs(
            settings=args.proxy,
            entry=args.values.entry,
            names=args.values.names,
            images=args.values.images,
            pod_security=security,
            priority_class=platform,
            token=keys.proxy_token,
            secrets_fingerprint=keys.proxy_fingerprint,
        )
        proxy.Proxy(f"{name}-proxy", proxy_args, after_classes)
        if args.values.packs:
            scheduler_args = UserSchedulerArgs(
                settings=args.scheduling.user_scheduler,
                names=args.values.names,
                images=args.values.images,
                pod_security=security,
                priority_class=platform,
            )
            UserScheduler(f"{name}-scheduler", scheduler_args, after_classes)
        Puller(f"{name}-puller", self._puller_args(args, args.values.priorities.of("puller")), after_classes)
        Placeholders(f"{name}-placeholders", self._placeholder_args(args), after_classes)
        self.register_outputs({})

    def _hub_args(self, args: HubRoomArgs, priority_class: str, keys: Keys) -> HubArgs:
        # Of the stack's secrets those that the hub reads: a receiver of alerts that changes does not restart it.
        home, asks = args.home, args.values.directory is not None
        ldap_password = args.secrets.get("ldap_bind_password") if asks else None
        database_url = args.secrets.get("hub_database_url")
        read = (ldap_password, database_url, home.secret if home is not None else None)
        return HubArgs(
            settings=args.values.hub,
            names=args.values.names,
            images=args.values.images,
            pod_security=args.cloud.pod_security,
            configuration=configuration(args),
            environment={
                **hub_proxy_environment(args.values.network, args.cloud.ranges),
                **trust_environment(args.values.network, HUB_TRUST),
            },
            data=args.data,
            storage_class=args.platform_storage_class,
            priority_class=priority_class,
            notebook_image=args.notebook_image,
            ldap_password=ldap_password,
            database_url=database_url,
            home=home,
            places=args.values.places,
            certificate=own_certificate(args.values.entry),
            secrets_fingerprint=keys.fingerprint(keys.hub_fingerprint, *(one for one in read if one is not None)),
        )

    def _puller_args(self, args: HubRoomArgs, priority_class: str) -> PullerArgs:
        return PullerArgs(
            settings=args.puller,
            names=args.values.names,
            users=args.values.users,
            pools=args.values.pools,
            images=args.values.images,
            pod_security=args.cloud.pod_security,
            priority_class=priority_class,
            notebook_image=args.notebook_image,
        )

    def _placeholder_args(self, args: HubRoomArgs) -> PlaceholdersArgs:
        return PlaceholdersArgs(
            names=args.values.names,
            pools=args.values.pools,
            profiles=args.values.users.profiles,
            size=args.scheduling.placeholder,
            image=args.puller.pause_image,
            images=args.values.images,
            pod_security=args.cloud.pod_security,
            scheduler_name=args.values.scheduler_name,
            priority_class=args.values.priorities.of("placeholders"),
        )
