"""Containers, as the kubelets count them: what each really takes, and where it is held back."""

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
from components.monitoring.dashboards.pods import NAMESPACE

PODS = 'cluster="$cluster", namespace=~"$namespace", pod=~"$pod"'
CONTAINERS = f'{PODS}, container!=""'
_POD = variable("pod", "Pod", 'kube_pod_info{cluster="$cluster", namespace=~"$namespace"}')


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "containers",
        "Containers",
        "What does each container take of CPU, memory, network and disk, and is it held back or killed by a limit?",
        [
            Row("Now", [*_now()]),
            Row("CPU", [*_cpu()]),
            Row("Memory", [*_memory()]),
            Row("Network and disk", [*_traffic()]),
        ],
        variables=[NAMESPACE, _POD],
    )


def _now() -> list[Panel]:
    return [
        number(
            "Containers",
            "Containers that run.",
            f"count(container_memory_working_set_bytes{{{CONTAINERS}}})",
            width=6,
        ),
        number(
            "CPU",
            "Cores in use by the chosen containers.",
            f"sum(rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[$__rate_interval]))",
            unit=CORES,
            width=6,
        ),
        number(
            "Memory",
            "Memory in use by the chosen containers that can't be given back.",
            f"sum(container_memory_working_set_bytes{{{CONTAINERS}}})",
            unit="bytes",
            width=6,
        ),
        number(
            "Killed for memory, last hour",
            "Processes that the kernel ended since their container was at its memory limit.",
            f"round(sum(increase(container_oom_events_total{{{CONTAINERS}}}[1h])))",
            steps=ANY_IS_BAD,
            width=6,
        ),
    ]


def _cpu() -> list[Panel]:
    by = "sum by (namespace, pod, container)"
    throttled = f"rate(container_cpu_cfs_throttled_periods_total{{{CONTAINERS}}}[$__rate_interval])"
    return [
        lines(
            "CPU by container",
            "Cores in use, of the twenty containers that use most.",
            {
                "{{pod}} {{container}}": f"topk(20, {by}"
                f" (rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[$__rate_interval])))"
            },
            unit=CORES,
        ),
        lines(
            "Held back by the CPU limit",
            "Share of time slices in which a container waited since it was at its limit. A quarter and more is felt.",
            {
                "{{pod}} {{container}}": f"topk(20, {by} ({throttled}) / {by}"
                f" (rate(container_cpu_cfs_periods_total{{{CONTAINERS}}}[$__rate_interval])))"
            },
            unit="percentunit",
            steps=above(0.25, 0.5),
            highest=1,
        ),
    ]


def _memory() -> list[Panel]:
    used = f"sum by (namespace, pod, container) (container_memory_working_set_bytes{{{CONTAINERS}}})"
    limit = (
        f'sum by (namespace, pod, container) (kube_pod_container_resource_limits{{{CONTAINERS}, resource="memory"}})'
    )
    return [
        lines(
            "Memory by container",
            "Memory that can't be given back, of the twenty containers that use most.",
            {"{{pod}} {{container}}": f"topk(20, {used})"},
            unit="bytes",
        ),
        listing(
            "Memory of limit",
            "How near each container is to its limit. At 100 % the kernel ends a process in it.",
            {"namespace": "Namespace", "pod": "Pod", "container": "Container"},
            [
                Column(header="Of limit", expr=f"{used} / {limit}", unit="percentunit", steps=above(0.85, 0.95)),
                Column(header="Limit", expr=limit, unit="bytes"),
            ],
            width=12,
        ),
    ]


def _traffic() -> list[Panel]:
    network = "sum by (namespace, pod) (rate(container_network_%s_bytes_total{%s}[$__rate_interval]))"
    files = "sum by (namespace, pod) (rate(container_fs_%s_bytes_total{%s}[$__rate_interval]))"
    return [
        lines(
            "Network, received",
            "Bytes per second that pods receive, of the ten that receive most. A pod's containers share one network.",
            {"{{pod}}": f"topk(10, {network % ('receive', PODS)})"},
            unit="Bps",
            width=6,
        ),
        lines(
            "Network, sent",
            "Bytes per second that pods send, of the ten that send most.",
            {"{{pod}}": f"topk(10, {network % ('transmit', PODS)})"},
            unit="Bps",
            width=6,
        ),
        lines(
            "Disk, read",
            "Bytes per second that containers read from their node's disks; network disks are not in it.",
            {"{{pod}}": f"topk(10, {files % ('reads', CONTAINERS)})"},
            unit="Bps",
            width=6,
        ),
        lines(
            "Disk, written",
            "Bytes per second that containers write to their node's disks; network disks are not in it.",
            {"{{pod}}": f"topk(10, {files % ('writes', CONTAINERS)})"},
            unit="Bps",
            width=6,
        ),
    ]
