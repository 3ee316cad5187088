"""The values file: what the static hub configuration reads. It holds no secret and no Output."""

from dataclasses import dataclass
from typing import Any

from pulumi_kubernetes.core import v1 as core

from clouds.base import AddressRanges, PodSecurity
from clouds.pools import NodePool
from components.entry_settings import AnyEntry, ends_tls, own_certificate, public_url
from components.hub.directory import DirectorySettings
from components.hub.placement import (
    preferred_terms,
    required_terms,
    scheduler_of,
    spread_constraints,
    tolerations,
)
from components.hub.places import AnyLogin, Place, home_values, places_values
from components.hub.profiles import Profile, UsersSettings
from components.hub.scheduler import scheduler_name
from components.hub.scheduling import PriorityNames
from components.hub.settings import CullingSettings, HubSettings, Sqlite
from components.kit import Labels, config_map_items, plain
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings, NetworkSettings

HUB_PORT = 8081
PROXY_PORT = 8000
PROXY_TLS_PORT = 8443
PROXY_API_PORT = 8001
SERVER_PORT = 8888

HUB_FILES = "/usr/local/etc/elab"
HUB_VALUES = "/usr/local/etc/elab-values"
HUB_EXTRA = "/usr/local/etc/elab-extra"
HUB_TRUST = "/usr/local/etc/elab-trust"
HUB_CERTIFICATE = "/usr/local/etc/elab-certificate"
CERTIFICATE_KEY = "tls.crt"
HUB_DATA = "/srv/jupyterhub"
SERVER_FILES = "/etc/elab/jupyter"
SERVER_TRUST = "/etc/elab/trust"
SERVER_COMMAND = ("sh", f"{SERVER_FILES}/start.sh")
"""What the image's entry point runs: jupyterhub-singleuser, by `files/notebook/start.sh`."""
SERVER_FILES_MAP = "server-files"
TRUST_MAP = "trust"

CLAIM_TEMPLATE = "claim-{user_server}"
"""Explicit, since another template would lead people to new, empty disks."""
SLUG_SCHEME = "safe"
"""KubeSpawner's scheme that keeps names of different people apart; another one renames every claim."""


@dataclass(frozen=True, kw_only=True)
class ValuesArgs:
    """All that the values file is made of: plain decisions only."""

    names: NamespaceNames
    entry: AnyEntry
    hub: HubSettings
    users: UsersSettings
    directory: DirectorySettings | None
    login: AnyLogin
    places: tuple[Place, ...]
    culling: CullingSettings
    images: ImagesSettings
    network: NetworkSettings
    packs: bool
    """Whether people's servers are scheduled by elab's own packing scheduler."""
    pools: tuple[NodePool, ...]
    ranges: AddressRanges
    pod_security: PodSecurity
    storage_class: str
    """Of people's disks."""
    server_files: tuple[str, ...]
    """Paths of the files that every person's server reads."""

    @property
    def scheduler_name(self) -> str | None:
        """None: the cluster's own scheduler."""
        return scheduler_name(self.names) if self.packs else None

    @property
    def priorities(self) -> PriorityNames:
        """The names of the PriorityClasses."""
        return PriorityNames(instance=self.names.instance)

    @property
    def users_labels(self) -> Labels:
        """The labels of people's servers and disks."""
        return Labels(instance=self.names.instance, room="users", component="server")

    @property
    def server_annotations(self) -> dict[str, str]:
        """An autoscaler that emptied the node of a running server would end a person's work."""
        return {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}


def hub_address(names: NamespaceNames) -> str:
    """The hub's Service, by a name that every namespace of the cluster resolves."""
    return f"http://hub.{names.hub}.svc:{HUB_PORT}"


def proxy_environment(network: NetworkSettings, ranges: AddressRanges) -> dict[str, str]:
    """The corporate proxy, in both spellings that programs look for."""
    if not (network.http_proxy or network.https_proxy):
        return {}
    direct = ",".join(
        [*network.no_proxy, "localhost", "127.0.0.1", ".svc", ".cluster.local", *ranges.pods, *ranges.services]
    )
    found = {"http_proxy": network.http_proxy, "https_proxy": network.https_proxy, "no_proxy": direct}
    return {spelt: str(value) for key, value in found.items() if value for spelt in (key, key.upper())}


def hub_proxy_environment(network: NetworkSettings, ranges: AddressRanges) -> dict[str, str]:
    """The same for the hub: its client knows no ranges in NO_PROXY, so Kubernetes fills the API server's address in."""
    found = proxy_environment(network, ranges)
    return {
        name: f"{value},$(KUBERNETES_SERVICE_HOST)" if name.lower() == "no_proxy" else value
        for name, value in found.items()
    }


def trust_environment(network: NetworkSettings, folder: str) -> dict[str, str]:
    """The corporate authorities, by the variables of OpenSSL, requests, curl, Node and git."""
    if network.ca_certificates is None:
        return {}
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO")
    return dict.fromkeys(names, f"{folder}/ca.crt")


def server_volumes(args: ValuesArgs) -> tuple[list[core.VolumeArgs], list[core.VolumeMountArgs]]:
    """A person's disk, elab's files for the server, the institution's trust, and what the stack adds."""
    users = args.users
    claim = core.PersistentVolumeClaimVolumeSourceArgs(claim_name="{pvc_name}")
    files = core.ConfigMapVolumeSourceArgs(name=SERVER_FILES_MAP, items=config_map_items(args.server_files))
    volumes = [
        core.VolumeArgs(name="home", persistent_volume_claim=claim),
        core.VolumeArgs(name="elab", config_map=files),
    ]
    mounts = [
        core.VolumeMountArgs(name="home", mount_path=str(users.home.path)),
        core.VolumeMountArgs(name="elab", mount_path=SERVER_FILES, read_only=True),
    ]
    if args.network.ca_certificates is not None:
        volumes.append(core.VolumeArgs(name="trust", config_map=core.ConfigMapVolumeSourceArgs(name=TRUST_MAP)))
        mounts.append(core.VolumeMountArgs(name="trust", mount_path=SERVER_TRUST, read_only=True))
    for data in users.shared_data:
        source = core.PersistentVolumeClaimVolumeSourceArgs(claim_name=str(data.claim), read_only=True)
        volumes.append(core.VolumeArgs(name=str(data.name), persistent_volume_claim=source))
        mounts.append(core.VolumeMountArgs(name=str(data.name), mount_path=str(data.path), read_only=True))
    for extra in users.volumes:
        if extra.kind == "config_map":
            volume = core.VolumeArgs(
                name=str(extra.name), config_map=core.ConfigMapVolumeSourceArgs(name=str(extra.source))
            )
        else:
            volume = core.VolumeArgs(
                name=str(extra.name), secret=core.SecretVolumeSourceArgs(secret_name=str(extra.source))
            )
        volumes.append(volume)
        mounts.append(core.VolumeMountArgs(name=str(extra.name), mount_path=str(extra.path), read_only=True))
    return volumes, mounts


def server_environment(args: ValuesArgs) -> dict[str, str]:
    """What every server's environment holds besides JupyterHub's own; the stack's settings win."""
    return {
        **proxy_environment(args.network, args.ranges),
        **trust_environment(args.network, SERVER_TRUST),
        "JUPYTER_CONFIG_PATH": SERVER_FILES,
        **{str(name): value for name, value in args.users.environment.items()},
    }


def _directory(settings: DirectorySettings) -> dict[str, Any]:
    return {
        "servers": [
            {"host": server.host, "port": server.port, "ldaps": server.encrypted} for server in settings.servers
        ],
        "tls": settings.tls,
        "ca_file": f"{HUB_TRUST}/directory.crt" if settings.ca_certificates else None,
        "bind_dn": settings.bind_dn,
        "people": settings.people.model_dump(),
        "groups": settings.groups.model_dump(),
        "connect_timeout": settings.connect_timeout.seconds,
        "receive_timeout": settings.receive_timeout.seconds,
        "refresh": settings.refresh.seconds,
    }


def _culling(settings: CullingSettings) -> dict[str, int]:
    return {
        "timeout": settings.timeout.seconds,
        "every": settings.every.seconds,
        "max_age": settings.max_age.seconds if settings.max_age else 0,
        "warning": settings.warning.seconds,
        "kernel_timeout": settings.kernel_timeout.seconds if settings.kernel_timeout else 0,
    }


def _profile(profile: Profile, args: ValuesArgs) -> dict[str, Any]:
    resources = profile.resources
    return {
        "name": profile.name,
        "title": profile.title,
        "description": profile.description,
        "default": profile.default,
        "images": list(profile.images),
        "cpu_request": resources.cpu.request.millicores / 1000,
        "cpu_limit": resources.cpu.limit.millicores / 1000,
        "memory_request": resources.memory.request.bytes,
        "memory_limit": resources.memory.limit.bytes,
        "gpus": profile.gpus,
        "node_selector_terms": plain(required_terms(profile, args.pools)),
        "preferred": plain(preferred_terms(profile, args.pools)),
        "tolerations": plain(tolerations(profile, args.pools)),
        "spread": plain(spread_constraints(profile, args.names.instance)),
        "scheduler_name": scheduler_of(profile, args.scheduler_name),
    }


def _spawner(args: ValuesArgs) -> dict[str, Any]:
    users, labels = args.users, args.users_labels
    volumes, mounts = server_volumes(args)
    asks_for_uid = not args.pod_security.assigns_uids
    return {
        "namespace": args.names.users,
        "command": list(SERVER_COMMAND),
        "image_pull_policy": args.images.pull_policy,
        "image_pull_secrets": list(args.images.pull_secrets),
        "uid": users.uid if asks_for_uid else None,
        "gid": users.gid if asks_for_uid else None,
        "home_path": users.home.path,
        "home_size": users.home.size,
        "storage_class": args.storage_class,
        "pvc_name_template": CLAIM_TEMPLATE,
        "slug_scheme": SLUG_SCHEME,
        "priority_class": args.priorities.of("users"),
        "start_timeout": users.start_timeout.seconds,
        "http_timeout": users.http_timeout.seconds,
        "default_url": users.default_url,
        "environment": server_environment(args),
        "labels": labels.all(),
        "annotations": args.server_annotations,
        "volumes": plain(volumes),
        "volume_mounts": plain(mounts),
    }


def hub_values(args: ValuesArgs) -> dict[str, Any]:
    """The values file's content; `files/README.md` says what reads which field."""
    hub, users = args.hub, args.users
    return {
        "instance": args.names.instance,
        "hub": {
            "bind_url": f"http://:{HUB_PORT}",
            "connect_url": hub_address(args.names),
            "public_url": public_url(args.entry),
            "db_url": f"sqlite:///{HUB_DATA}/jupyterhub.sqlite" if isinstance(hub.database, Sqlite) else None,
            "admin_users": list(hub.admin_users),
            "announcement": hub.announcement,
            "concurrent_spawns": hub.concurrent_spawns,
            "running_servers": users.running_servers,
            "named_servers": users.named_servers,
            "log_level": hub.log_level,
            "trusted_proxies": [*args.ranges.pods, *args.ranges.nodes],
            "extra_config": f"{HUB_EXTRA}/extra_config.py" if hub.extra_config else None,
            "certificate": _certificate(args),
        },
        "proxy": {"api_url": f"http://proxy-api.{args.names.hub}.svc:{PROXY_API_PORT}"},
        "directory": _directory(args.directory) if args.directory is not None else None,
        "home": home_values(args.login, f"{HUB_TRUST}/ca.crt" if args.network.ca_certificates else None),
        "places": places_values(args.places),
        "culling": _culling(args.culling),
        "images": {
            "default": None,
            **{
                str(key): {"title": choice.title, "image": args.images.reference(choice.image)}
                for key, choice in users.images.items()
            },
        },
        "spawner": _spawner(args),
        "profiles": [_profile(profile, args) for profile in users.profiles],
    }


def _certificate(args: ValuesArgs) -> dict[str, Any] | None:
    certificate = own_certificate(args.entry)
    if certificate is None:
        return None
    return {
        "secret": str(certificate),
        "file": f"{HUB_CERTIFICATE}/{CERTIFICATE_KEY}",
        "served": f"proxy-public.{args.names.hub}.svc:80" if ends_tls(args.entry) else None,
    }
