"""Elasticsearch: one node, or a cluster of equals; security on, every connection by TLS."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.policy import v1 as policy

from components.kit import (
    CONTENT_HASH,
    SECRETS_HASH,
    DataPolicy,
    claim,
    container_security,
    content_hash,
    fingerprint,
    metadata,
    pod_security,
    requirements,
    scratch,
)
from components.logging import authority, trust
from components.logging.agents import FILES
from components.logging.credentials import SECURITY_SECRET
from components.logging.pods import Platform
from components.logging.settings import LoggingSettings
from components.logging.snapshot_settings import client
from components.namespaces import NamespaceNames
from stackfile.quantities import Bytes

COMPONENT = "elasticsearch"
HTTP_PORT, TRANSPORT_PORT, READY_PORT = 9200, 9300, 8080
_PEERS = "elasticsearch-nodes"
"""The Service by which nodes find each other, ready or not."""
_MAP = "elasticsearch"
FILE_NAMES = ("elasticsearch.yml", "gc.options", "start.sh", "ready.sh")
KEYS_SECRET = "elasticsearch-keys"  # noqa: S105  the Secret's name
_CLAIM = "data"
_HOME = "/usr/share/elasticsearch"
_IMAGES_CONFIG, _DATA = f"{_HOME}/config", f"{_HOME}/data"
_MOUNTED, _OWN, _KEYS = "/etc/elab/files", "/etc/elab/elasticsearch", "/etc/elab/keys"
_FOUNDING = f"{_DATA}/founding"
"""On its disk, beside what it keeps: the mark of a cluster that is not founded yet."""
_START_SECONDS = 900
"""The first start of a cluster, and one after a crash that must replay its translog, take minutes."""
_STOP_SECONDS = 120
_SETTLED_SECONDS = 60
"""A node is ready as soon as it belongs to the cluster; its shards come back after that."""


@dataclass(frozen=True, kw_only=True)
class ElasticsearchArgs:
    """What Elasticsearch is made of."""

    platform: Platform
    settings: LoggingSettings
    volume: Bytes
    storage_class: str
    data: DataPolicy
    keys: Mapping[str, pulumi.Input[str]]
    """Of the snapshots' store, by setting; empty: there are no snapshots."""
    salt: pulumi.Input[str]
    """Hexadecimal digits: keys the fingerprint of the keys."""
    authorities: Mapping[str, str]
    """Certificates that it trusts besides those of its image, by file name."""


def host(names: NamespaceNames) -> str:
    """The name by which clients call it."""
    return f"{COMPONENT}.{names.of('logging')}.svc"


def url(names: NamespaceNames) -> str:
    """Its address."""
    return f"https://{host(names)}:{HTTP_PORT}"


def certificate_names(names: NamespaceNames, nodes: int) -> tuple[str, ...]:
    """Every name that its certificate must hold: the Service's, each node's, and that of a port-forward."""
    peers = f"{_PEERS}.{names.of('logging')}.svc"
    return (host(names), peers, *(f"{COMPONENT}-{index}.{peers}" for index in range(nodes)), "localhost")


def config_files() -> dict[str, str]:
    """What is mounted at start; roles and users come with their Secret."""
    return {name: (FILES / "elasticsearch" / name).read_text() for name in FILE_NAMES}


def claim_names(nodes: int) -> list[str]:
    """The claims as the StatefulSet would name them, so that it finds these."""
    return [f"{_CLAIM}-{COMPONENT}-{index}" for index in range(nodes)]


def services(platform: Platform) -> dict[str, core.ServiceInitArgs]:
    """The one that clients call, and the one by which nodes find each other."""
    labels = platform.labels(COMPONENT)
    http = core.ServicePortArgs(name="https", port=HTTP_PORT, target_port="https")
    transport = core.ServicePortArgs(name="transport", port=TRANSPORT_PORT, target_port="transport")
    return {
        COMPONENT: core.ServiceInitArgs(
            metadata=metadata(COMPONENT, labels, platform.namespace),
            spec=core.ServiceSpecArgs(selector=labels.selector(), ports=[http]),
        ),
        _PEERS: core.ServiceInitArgs(
            metadata=metadata(_PEERS, labels, platform.namespace),
            spec=core.ServiceSpecArgs(
                cluster_ip="None",
                # A node is ready only once it has found the others.
                publish_not_ready_addresses=True,
                selector=labels.selector(),
                ports=[transport],
            ),
        ),
    }


def environment(args: ElasticsearchArgs) -> list[core.EnvVarArgs]:
    """What its settings and start.sh leave to the stack."""
    nodes, chosen = args.settings.elasticsearch.nodes, args.settings.elasticsearch
    plain = {
        "ES_PATH_CONF": _OWN,
        # Its name. The Kubernetes cluster's may hold a colon, which it refuses, and may change: nodes that are rolled
        # would then refuse the others.
        "ELAB_INSTANCE": args.platform.names.instance,
        "ELAB_MMAP": str(chosen.memory_maps).lower(),
        "ELAB_SEEDS": f"{_PEERS}.{args.platform.namespace}.svc",
        "ELAB_PEERS": ",".join(f"{COMPONENT}-{index}" for index in range(nodes)),
    }
    if chosen.heap is not None:
        plain["ES_JAVA_OPTS"] = f"-Xms{chosen.heap.bytes // 2**20}m -Xmx{chosen.heap.bytes // 2**20}m"
    if args.keys:
        plain["ELAB_KEYSTORE_FOLDER"] = _KEYS
    if args.authorities:
        plain["ELAB_AUTHORITIES_FOLDER"] = trust.FOLDER
    # Names with a dot become settings at the image's entry point.
    plain |= client(args.settings.snapshots)
    found = [core.EnvVarArgs(name=name, value=value) for name, value in plain.items()]
    for name, path in (("POD_NAME", "metadata.name"), ("POD_IP", "status.podIP")):
        source = core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path=path))
        found.append(core.EnvVarArgs(name=name, value_from=source))
    return found


def _secret(name: str, secret: str, path: str) -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
    source = core.SecretVolumeSourceArgs(secret_name=secret, default_mode=0o440)
    return core.VolumeArgs(name=name, secret=source), core.VolumeMountArgs(name=name, mount_path=path, read_only=True)


def mounts(args: ElasticsearchArgs) -> list[tuple[core.VolumeArgs, core.VolumeMountArgs]]:
    """What it reads and writes; its data come with the claim."""
    files = core.VolumeArgs(name="files", config_map=core.ConfigMapVolumeSourceArgs(name=_MAP))
    found = [
        (files, core.VolumeMountArgs(name="files", mount_path=_MOUNTED, read_only=True)),
        scratch("config", _OWN, "16Mi"),
        # Below its folder of settings, since it reads certificates from nowhere else.
        _secret("security", SECURITY_SECRET, f"{_OWN}/security"),
        _secret("tls", authority.SECRET, f"{_OWN}/tls"),
        scratch("logs", f"{_HOME}/logs", "256Mi"),
        scratch("tmp", "/tmp", "256Mi"),
    ]
    found += [_secret("keys", KEYS_SECRET, _KEYS)] if args.keys else []
    return [*found, trust.mount()] if args.authorities else found


def container(args: ElasticsearchArgs) -> core.ContainerArgs:
    """The one container of each node."""
    platform, settings = args.platform, args.settings
    tcp = core.TCPSocketActionArgs(port="https")
    return core.ContainerArgs(
        name=COMPONENT,
        image=platform.images.reference(settings.image(COMPONENT)),
        image_pull_policy=platform.images.pull_policy,
        # The image's entry point runs it as it is, and so keeps its own first process.
        args=[
            *("/bin/sh", f"{_MOUNTED}/start.sh", _IMAGES_CONFIG, _MOUNTED, _OWN, _DATA),
            *("/usr/local/bin/docker-entrypoint.sh", "eswrapper"),
        ],
        env=environment(args),
        ports=[
            core.ContainerPortArgs(name="https", container_port=HTTP_PORT),
            core.ContainerPortArgs(name="transport", container_port=TRANSPORT_PORT),
        ],
        startup_probe=core.ProbeArgs(tcp_socket=tcp, period_seconds=10, failure_threshold=_START_SECONDS // 10),
        # Green would keep a single node out for ever (helm-charts#215); it is ready when it belongs to a cluster.
        readiness_probe=core.ProbeArgs(
            exec_=core.ExecActionArgs(command=["/bin/bash", f"{_MOUNTED}/ready.sh", str(READY_PORT), _FOUNDING]),
            period_seconds=10,
            timeout_seconds=5,
            failure_threshold=3,
        ),
        liveness_probe=core.ProbeArgs(tcp_socket=tcp, period_seconds=30, timeout_seconds=10, failure_threshold=6),
        resources=requirements(settings.elasticsearch.resources),
        security_context=container_security(),
        volume_mounts=[
            *(mount for _, mount in mounts(args)),
            core.VolumeMountArgs(name=_CLAIM, mount_path=_DATA),
        ],
    )


def stateful_set(args: ElasticsearchArgs) -> apps.StatefulSetInitArgs:
    """Its nodes, over zones and hosts as far as there are any. A changed user or certificate rolls none."""
    platform, nodes = args.platform, args.settings.elasticsearch.nodes
    labels = platform.labels(COMPONENT)
    selector = meta.LabelSelectorArgs(match_labels=labels.selector())
    spread = [
        core.TopologySpreadConstraintArgs(
            max_skew=1, topology_key=key, when_unsatisfiable="ScheduleAnyway", label_selector=selector
        )
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]
    spec = core.PodSpecArgs(
        containers=[container(args)],
        volumes=[volume for volume, _ in mounts(args)],
        topology_spread_constraints=spread if nodes > 1 else None,
        automount_service_account_token=False,
        enable_service_links=False,
        priority_class_name=platform.priority_class,
        security_context=pod_security(uid=platform.uid, fs_group=platform.uid),
        termination_grace_period_seconds=_STOP_SECONDS,
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in platform.images.pull_secrets],
    )
    annotations: dict[str, pulumi.Input[str]] = {
        CONTENT_HASH: content_hash(config_files(), dict(args.authorities)),
        # An autoscaler that emptied two nodes at once would take the cluster's quorum.
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    }
    if args.keys:
        annotations[SECRETS_HASH] = fingerprint(args.salt, *(args.keys[key] for key in sorted(args.keys)))
    return apps.StatefulSetInitArgs(
        metadata=metadata(COMPONENT, labels, platform.namespace),
        spec=apps.StatefulSetSpecArgs(
            replicas=nodes,
            service_name=_PEERS,
            # The first founds the cluster, with the votes of the others.
            pod_management_policy="Parallel",
            min_ready_seconds=_SETTLED_SECONDS,
            update_strategy=apps.StatefulSetUpdateStrategyArgs(type="RollingUpdate"),
            persistent_volume_claim_retention_policy=apps.StatefulSetPersistentVolumeClaimRetentionPolicyArgs(
                when_deleted="Retain", when_scaled="Retain"
            ),
            selector=selector,
            template=core.PodTemplateSpecArgs(
                metadata=meta.ObjectMetaArgs(labels=labels.all(), annotations=annotations), spec=spec
            ),
            # Never changed, since it can't be: the claims themselves are registered, to be grown and protected.
            volume_claim_templates=[
                core.PersistentVolumeClaimArgs(
                    metadata=meta.ObjectMetaArgs(name=_CLAIM),
                    spec=core.PersistentVolumeClaimSpecArgs(
                        access_modes=["ReadWriteOnce"],
                        storage_class_name=args.storage_class,
                        resources=core.VolumeResourceRequirementsArgs(requests={"storage": "1Gi"}),
                    ),
                )
            ],
        ),
    )


def disruption_budget(platform: Platform) -> policy.PodDisruptionBudgetInitArgs:
    """One node at a time; a single node has none, since it would keep its host from ever being drained."""
    labels = platform.labels(COMPONENT)
    return policy.PodDisruptionBudgetInitArgs(
        metadata=metadata(COMPONENT, labels, platform.namespace),
        spec=policy.PodDisruptionBudgetSpecArgs(
            max_unavailable=1, selector=meta.LabelSelectorArgs(match_labels=labels.selector())
        ),
    )


class Elasticsearch(pulumi.ComponentResource):
    """Keeps the logs."""

    def __init__(self, name: str, args: ElasticsearchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:logging:Elasticsearch", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, nodes = args.platform, args.settings.elasticsearch.nodes
        namespace, labels = platform.namespace, platform.labels(COMPONENT)
        files = core.ConfigMapInitArgs(metadata=metadata(_MAP, labels, namespace), data=config_files())
        core.ConfigMap(f"{name}-files", files, child)
        if args.authorities:
            core.ConfigMap(f"{name}-authorities", trust.config_map(args.authorities, labels, namespace), child)
        if args.keys:
            keys = core.SecretInitArgs(metadata=metadata(KEYS_SECRET, labels, namespace), string_data=dict(args.keys))
            core.Secret(f"{name}-keys", keys, child)
        disks: list[pulumi.Resource] = []
        for index, claim_name in enumerate(claim_names(nodes)):
            disk = claim(args.volume, args.storage_class, metadata(claim_name, labels, namespace))
            kept = args.data.options(self, f"{namespace}/{claim_name}")
            disks.append(core.PersistentVolumeClaim(f"{name}-data-{index}", disk, kept))
        for service_name, service in services(platform).items():
            core.Service(f"{name}-{service_name}-service", service, child)
        if nodes > 1:
            policy.PodDisruptionBudget(f"{name}-budget", disruption_budget(platform), child)
        # A roll is one node after the other. The claims first: the set would make its own, of its template's size.
        roll = nodes * (_STOP_SECONDS + _START_SECONDS + _SETTLED_SECONDS)
        timeouts = pulumi.CustomTimeouts(create=f"{2 * _START_SECONDS}s", update=f"{roll}s")
        slow = pulumi.ResourceOptions(parent=self, depends_on=disks, custom_timeouts=timeouts)
        apps.StatefulSet(f"{name}-set", stateful_set(args), slow)
        self.register_outputs({})
