"""The values file: what the platform decided, as JSON without secrets. Durations are seconds, sizes Kubernetes text."""

import json
import os
from pathlib import Path
from typing import Any, Literal, TypedDict

PATH = "/usr/local/etc/elab-values/values.json"

KubernetesObject = dict[str, Any]
"""A part of a Kubernetes object, in the API's own spelling."""


class Certificate(TypedDict):
    """The address' certificate: the Secret's name, where its public part lies, and who serves it."""

    secret: str
    file: str
    served: str | None
    """Host and port of elab's own proxy; None: the door before it ends TLS."""


class Hub(TypedDict):
    """JupyterHub itself."""

    bind_url: str
    connect_url: str
    """Where proxy and servers reach the hub."""
    public_url: str
    db_url: str | None
    """None: the secret ELAB_DATABASE_URL."""
    admin_users: list[str]
    announcement: str
    concurrent_spawns: int
    running_servers: int | None
    named_servers: int
    log_level: str
    trusted_proxies: list[str]
    """Address ranges whose addresses are proxies, not people."""
    extra_config: str | None
    certificate: Certificate | None


class Proxy(TypedDict):
    """The configurable-http-proxy."""

    api_url: str


class Server(TypedDict):
    """One server of the directory."""

    host: str
    port: int
    ldaps: bool


class People(TypedDict):
    """How a login name becomes an entry."""

    base: str
    filter: str
    username_attribute: str


class Groups(TypedDict):
    """Which groups may do what."""

    base: str
    filter: str
    allowed: list[str]
    admins: list[str]


class Directory(TypedDict):
    """The corporate directory; the bind account's password is the secret ELAB_LDAP_BIND_PASSWORD."""

    servers: list[Server]
    tls: Literal["verified", "unencrypted"]
    ca_file: str | None
    bind_dn: str | None
    people: People
    groups: Groups
    connect_timeout: float
    receive_timeout: float
    refresh: int


class Place(TypedDict):
    """Where people's servers may run; the key by which a place that is another hub's speaks is a secret."""

    name: str
    title: str
    description: str
    url: str | None
    """The address of the place's own hub; None: here."""
    groups: list[str]
    """Groups of the directory that may use it; none: everybody who may log in."""
    default_for: list[str]
    """Groups whose members are led there at once."""
    secret_variable: str | None
    """The environment variable with its key; None: here."""


class Home(TypedDict):
    """The hub where people of this one log in: its address is ELAB_HOME_URL, its key there ELAB_HOME_SECRET."""

    place: str
    """The name that home knows this hub by."""
    ca_file: str | None
    """Authorities that sign its certificate; None: those of the image."""
    refresh: int


class Culling(TypedDict):
    """When servers and kernels that nobody uses end; 0 stands for never."""

    timeout: int
    every: int
    max_age: int
    warning: int
    kernel_timeout: int


class Image(TypedDict):
    """An image that a profile may offer."""

    title: str
    image: str


class Spawner(TypedDict):
    """What every person's pod and claim have in common."""

    namespace: str
    command: list[str]
    """What the image's entry point is to run."""
    image_pull_policy: str
    image_pull_secrets: list[str]
    uid: int | None
    gid: int | None
    home_path: str
    home_size: str
    storage_class: str
    pvc_name_template: str
    slug_scheme: str
    priority_class: str
    start_timeout: int
    http_timeout: int
    default_url: str
    environment: dict[str, str]
    labels: dict[str, str]
    annotations: dict[str, str]
    volumes: list[KubernetesObject]
    volume_mounts: list[KubernetesObject]


class Profile(TypedDict):
    """One size of server."""

    name: str
    title: str
    description: str
    default: bool
    images: list[str]
    cpu_request: float
    cpu_limit: float
    memory_request: int
    memory_limit: int
    gpus: int
    node_selector_terms: list[KubernetesObject]
    preferred: list[KubernetesObject]
    tolerations: list[KubernetesObject]
    spread: list[KubernetesObject]
    """Over which zones and nodes its servers spread, as topology spread constraints."""
    scheduler_name: str | None
    """None: the cluster's own."""


class Values(TypedDict):
    """The whole file."""

    instance: str
    hub: Hub
    proxy: Proxy
    directory: Directory | None
    """None: people log in at another hub."""
    home: Home | None
    """None: people log in here."""
    places: list[Place]
    """Where people's servers may run; none: here alone."""
    culling: Culling
    images: dict[str, Image | None]
    """By the key that profiles name; None: the stack's notebook image, in ELAB_NOTEBOOK_IMAGE."""
    spawner: Spawner
    profiles: list[Profile]


def load() -> Values:
    """The values file at its usual place, or where ELAB_VALUES says."""
    return json.loads(Path(os.environ.get("ELAB_VALUES", PATH)).read_text())
