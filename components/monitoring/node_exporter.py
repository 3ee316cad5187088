"""node-exporter: every host's own figures, read from exactly three of its paths."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from components.kit import Labels, container_security, metadata, pod_security, requirements
from components.monitoring.pods import NOBODY, Platform
from components.monitoring.settings import NodeExporterSettings
from components.security_constraints import HostReader

COMPONENT = "node-exporter"
HOST_PATHS = {"proc": "/proc", "sys": "/sys", "root": "/"}
"""All that it sees of its host, read-only. The root is there for the sizes of file systems: it is asked, not read."""
_VIRTUAL = (
    "^(veth.*|cali.*|lxc.*|cilium.*|flannel.*|docker.*|cni.*|eni[a-f0-9]{11}|azv.*|gke[a-f0-9]{11}|[a-f0-9]{15})$"
)
"""Interfaces that come and go with pods, those of Amazon's, Azure's and Google's clusters too; cadvisor tells of pods'
traffic."""
_MOUNTS = (
    "^/(dev|proc|sys|run/(containerd|credentials|netns|user)|var/lib/(containerd|containers|docker|kubelet)/.+)($|/)"
)
"""Mounts that come and go with pods, and file systems without a size; the kubelet tells of volumes. A disk of its own
for images or for the kubelet is told of: it is what fills up first."""
_OFF = ("arp", "bcache", "btrfs", "fibrechannel", "infiniband", "ipvs", "nfs", "nfsd", "powersupplyclass", "rapl",
        "schedstat", "softnet", "tapestats", "wifi", "xfs", "zfs")  # fmt: skip
"""Collectors whose figures nothing here uses."""


@dataclass(frozen=True, kw_only=True)
class NodeExporterArgs:
    """What node-exporter is made of."""

    platform: Platform
    settings: NodeExporterSettings


def labels_of(platform: Platform) -> Labels:
    """Its labels: it belongs to monitoring, and lives where agents of the hosts do."""
    return platform.labels(COMPONENT)


def arguments(port: int) -> list[str]:
    """Its command line. It listens on the host's address in the cluster only, in brackets that IPv6 needs."""
    return [
        f"--web.listen-address=[$(HOST_IP)]:{port}",
        *(f"--path.{name}fs=/host/{name}" for name in HOST_PATHS),
        "--path.udev.data=/host/root/run/udev/data",
        f"--collector.filesystem.mount-points-exclude={_MOUNTS}",
        f"--collector.netclass.ignored-devices={_VIRTUAL}",
        f"--collector.netdev.device-exclude={_VIRTUAL}",
        *(f"--no-collector.{name}" for name in _OFF),
    ]


def daemon_set(args: NodeExporterArgs) -> apps.DaemonSetInitArgs:
    """One on every node, whatever its taints; in the host's network, or it would tell of its own."""
    labels, port = labels_of(args.platform), args.settings.port
    health = core.HTTPGetActionArgs(path="/", port="metrics")
    container = core.ContainerArgs(
        name=COMPONENT,
        image=args.platform.images.reference(args.settings.image),
        image_pull_policy=args.platform.images.pull_policy,
        args=arguments(port),
        env=[
            core.EnvVarArgs(
                name="HOST_IP",
                value_from=core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path="status.hostIP")),
            )
        ],
        ports=[core.ContainerPortArgs(name="metrics", container_port=port, host_port=port)],
        readiness_probe=core.ProbeArgs(http_get=health, period_seconds=10, timeout_seconds=5),
        liveness_probe=core.ProbeArgs(http_get=health, period_seconds=10, timeout_seconds=5, failure_threshold=6),
        resources=requirements(args.settings.resources),
        security_context=container_security(),
        volume_mounts=[
            core.VolumeMountArgs(
                name=name, mount_path=f"/host/{name}", read_only=True, mount_propagation="HostToContainer"
            )
            for name in HOST_PATHS
        ],
    )
    spec = core.PodSpecArgs(
        containers=[container],
        volumes=[
            core.VolumeArgs(name=name, host_path=core.HostPathVolumeSourceArgs(path=path))
            for name, path in HOST_PATHS.items()
        ],
        host_network=True,
        host_pid=True,
        tolerations=[core.TolerationArgs(operator="Exists")],
        automount_service_account_token=False,
        enable_service_links=False,
        priority_class_name=args.platform.priority_class,
        security_context=pod_security(uid=None if args.platform.pod_security.assigns_uids else NOBODY),
        image_pull_secrets=[
            core.LocalObjectReferenceArgs(name=str(name)) for name in args.platform.images.pull_secrets
        ],
    )
    return apps.DaemonSetInitArgs(
        metadata=metadata(
            COMPONENT,
            labels,
            args.platform.names.of("node"),
            # One slow node must not hold back a security fix.
            **{"pulumi.com/skipAwait": "true"},
        ),
        spec=apps.DaemonSetSpecArgs(
            selector=meta.LabelSelectorArgs(match_labels=labels.selector()),
            update_strategy=apps.DaemonSetUpdateStrategyArgs(
                type="RollingUpdate", rolling_update=apps.RollingUpdateDaemonSetArgs(max_unavailable="10%")
            ),
            template=core.PodTemplateSpecArgs(metadata=meta.ObjectMetaArgs(labels=labels.all()), spec=spec),
        ),
    )


class NodeExporter(pulumi.ComponentResource):
    """Tells Prometheus of every host's processors, memory, disks and network."""

    def __init__(self, name: str, args: NodeExporterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:monitoring:NodeExporter", name, None, opts)
        platform = args.platform
        before: list[pulumi.Resource] = []
        if platform.pod_security.assigns_uids:
            # Such a cluster looks at what a pod asks of its host, whatever its namespace allows.
            account = f"system:serviceaccount:{platform.names.of('node')}:default"
            reader = HostReader(account=account, namespaces=True, root=False, volumes=("hostPath",))
            meta_args = metadata(f"{platform.names.instance}-{COMPONENT}", labels_of(platform))
            before.append(reader.register(f"{name}-constraints", meta_args, pulumi.ResourceOptions(parent=self)))
        opts_of_daemons = pulumi.ResourceOptions(parent=self, depends_on=before)
        apps.DaemonSet(f"{name}-daemons", daemon_set(args), opts_of_daemons)
        self.register_outputs({})
