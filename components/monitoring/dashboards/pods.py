"""Pods, of the platform and of whatever else is in its cluster: which don't run, and why."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import (
    ANY_IS_BAD,
    CORES,
    Column,
    Panel,
    Row,
    above,
    dashboard,
    lines,
    listing,
    number,
    variable,
)

WHERE = 'cluster="$cluster", namespace=~"$namespace"'
NAMESPACE = variable("namespace", "Namespace", 'kube_pod_info{cluster="$cluster"}')
POD_KEYS = {"namespace": "Namespace", "pod": "Pod"}


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "pods",
        "Pods",
        "Which pods don't run as they should, since when, and do the others keep within what they asked for?",
        [
            Row("Now", [*_now()]),
            Row("What is wrong", [*_wrong()]),
            Row("Use", [*_use()]),
            Row("Disks", [*_disks()]),
        ],
        variables=[NAMESPACE],
    )


def _now() -> list[Panel]:
    phase = f'sum(kube_pod_status_phase{{{WHERE}, phase="%s"}})'
    return [
        number("Running", "Pods that run.", phase % "Running", width=6),
        number(
            "Pending",
            "Pods that wait for a node, a disk or an image. For more than some minutes is too long.",
            phase % "Pending",
            steps=((None, "green"), (1, "orange")),
            width=6,
        ),
        number(
            "Not ready",
            "Pods that run and don't answer their readiness probe: no Service leads to them.",
            f'count(kube_pod_status_ready{{{WHERE}, condition="true"}} == 0 and on (namespace, pod)'
            f' kube_pod_status_phase{{{WHERE}, phase="Running"}} == 1) or vector(0)',
            steps=ANY_IS_BAD,
            width=6,
        ),
        number(
            "Restarts, last hour",
            "Containers that ended and were started again.",
            f"round(sum(increase(kube_pod_container_status_restarts_total{{{WHERE}}}[1h])))",
            steps=above(1, 5),
            width=6,
        ),
    ]


def _wrong() -> list[Panel]:
    return [
        listing(
            "Containers that wait",
            "Why a container can't start: ImagePullBackOff, CrashLoopBackOff, CreateContainerConfigError …",
            {**POD_KEYS, "container": "Container", "reason": "Reason"},
            [
                Column(
                    header="Waiting",
                    expr="sum by (namespace, pod, container, reason)"
                    f" (kube_pod_container_status_waiting_reason{{{WHERE}}}) > 0",
                    unit="short",
                )
            ],
            width=12,
            quiet=True,
        ),
        listing(
            "Containers that ended and were started again",
            "Restarts in the last day, and how the last end came: OOMKilled is the memory limit.",
            {**POD_KEYS, "container": "Container", "reason": "Last end"},
            [
                Column(
                    header="Restarts",
                    expr="sum by (namespace, pod, container, reason) ("
                    f"kube_pod_container_status_last_terminated_reason{{{WHERE}}} * on (namespace, pod, container)"
                    f" group_left () increase(kube_pod_container_status_restarts_total{{{WHERE}}}[1d])) > 0",
                    unit="short",
                    steps=above(1, 5),
                )
            ],
            width=12,
            quiet=True,
        ),
        listing(
            "Workloads short of replicas",
            "Deployments and StatefulSets with fewer ready pods than they should have.",
            {"namespace": "Namespace", "deployment": "Deployment", "statefulset": "StatefulSet"},
            [
                Column(
                    header="Missing",
                    expr=f"(kube_deployment_spec_replicas{{{WHERE}}} - on (namespace, deployment)"
                    f" kube_deployment_status_replicas_available{{{WHERE}}}) > 0"
                    f" or (kube_statefulset_replicas{{{WHERE}}} - on (namespace, statefulset)"
                    f" kube_statefulset_status_replicas_ready{{{WHERE}}}) > 0",
                    unit="short",
                )
            ],
            width=12,
            quiet=True,
        ),
        lines(
            "Pods by phase",
            "Pods over time. A pending part that stays is a lack of nodes, disks or images.",
            {"{{phase}}": f"sum by (phase) (kube_pod_status_phase{{{WHERE}}})"},
            stacked=True,
        ),
    ]


def _use() -> list[Panel]:
    requested = f'kube_pod_container_resource_requests{{{WHERE}, resource="%s"}}'
    limited = f'kube_pod_container_resource_limits{{{WHERE}, resource="%s"}}'
    cpu = (
        f'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{{{WHERE}, container!=""}}[$__rate_interval]))'
    )
    memory = f'sum by (namespace, pod) (container_memory_working_set_bytes{{{WHERE}, container!=""}})'
    return [
        listing(
            "CPU and memory by pod",
            "What pods use of what they asked for and of what they may take. Memory at its limit ends the container.",
            POD_KEYS,
            [
                Column(
                    header="Memory of limit",
                    expr=f"{memory} / sum by (namespace, pod) ({limited % 'memory'})",
                    unit="percentunit",
                    steps=above(0.85, 0.95),
                ),
                Column(header="Memory", expr=memory, unit="bytes"),
                Column(header="CPU", expr=cpu, unit=CORES),
                Column(
                    header="CPU of request",
                    expr=f"{cpu} / sum by (namespace, pod) ({requested % 'cpu'})",
                    unit="percentunit",
                ),
            ],
        ),
        lines(
            "CPU by namespace",
            "Cores in use.",
            {"{{namespace}}": f"sum by (namespace) ({cpu})"},
            unit=CORES,
            stacked=True,
        ),
        lines(
            "Memory by namespace",
            "Memory that can't be given back without ending something.",
            {"{{namespace}}": f"sum by (namespace) ({memory})"},
            unit="bytes",
            stacked=True,
        ),
    ]


def _disks() -> list[Panel]:
    keys = {"namespace": "Namespace", "persistentvolumeclaim": "Claim"}
    used = f"kubelet_volume_stats_used_bytes{{{WHERE}}} / kubelet_volume_stats_capacity_bytes{{{WHERE}}}"
    files = f"kubelet_volume_stats_inodes_used{{{WHERE}}} / kubelet_volume_stats_inodes{{{WHERE}}}"
    return [
        listing(
            "Disks by claim",
            "How full each mounted claim is, in bytes and in files. A full one stops whoever writes to it.",
            keys,
            [
                Column(
                    header="Full",
                    expr=f"max by (namespace, persistentvolumeclaim) ({used})",
                    unit="percentunit",
                    steps=above(0.8, 0.9),
                ),
                Column(
                    header="Files",
                    expr=f"max by (namespace, persistentvolumeclaim) ({files})",
                    unit="percentunit",
                    steps=above(0.8, 0.9),
                ),
                Column(
                    header="Size",
                    expr=f"max by (namespace, persistentvolumeclaim) (kubelet_volume_stats_capacity_bytes{{{WHERE}}})",
                    unit="bytes",
                ),
            ],
            width=16,
        ),
        listing(
            "Claims without a disk",
            "Claims that are not bound. One that waits for its first pod is well; one that was lost needs help.",
            {**keys, "phase": "Phase"},
            [
                Column(
                    header="Claims",
                    expr="sum by (namespace, persistentvolumeclaim, phase)"
                    f' (kube_persistentvolumeclaim_status_phase{{{WHERE}, phase!="Bound"}}) > 0',
                    unit="short",
                )
            ],
            width=8,
            quiet=True,
        ),
    ]
