"""What an operator opens first: is the platform all right, and if not, where to look."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import (
    ANY_IS_BAD,
    UP,
    Column,
    Panel,
    Row,
    above,
    dashboard,
    lines,
    listing,
    number,
)

_FIRING = 'cluster=~"$cluster|", alertstate="firing"'
"""Alerts of this cluster. What is absent has no labels of a series: that the hub is gone is told without a cluster."""


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "overview",
        "Overview",
        "Is the platform all right at this moment, and if not, where does one look?",
        [
            Row("Now", [*_alarms(), *_service()]),
            Row("What is wrong", [_alerts(), _down()]),
            Row("People", [*_people()]),
            Row("Room that is left", [*_room()]),
        ],
    )


def _alarms() -> list[Panel]:
    return [
        number(
            "Critical alerts",
            "Alerts that fire and need somebody now. Each has a runbook in docs/runbooks.",
            f'count(ALERTS{{{_FIRING}, severity="critical"}}) or vector(0)',
            steps=ANY_IS_BAD,
        ),
        number(
            "Warnings",
            "Alerts that fire and need somebody in working hours.",
            f'count(ALERTS{{{_FIRING}, severity="warning"}}) or vector(0)',
            steps=((None, "green"), (1, "orange")),
        ),
        number(
            "Targets without answer",
            "Programs that Prometheus can't reach: of what they do, nothing below is known.",
            'count(up{cluster="$cluster"} == 0) or vector(0)',
            steps=ANY_IS_BAD,
            leads_to="metrics",
        ),
    ]


def _service() -> list[Panel]:
    return [
        number(
            "Hub",
            "Whether the hub answers: without it nobody logs in or starts a server. Servers that run go on.",
            'max(up{cluster="$cluster", job="hub"}) or vector(0)',
            steps=UP,
            words={"0": "down", "1": "up"},
            leads_to="hub",
        ),
        number(
            "Proxy",
            "Whether the proxy answers: every request passes it, so without it nobody works.",
            'max(up{cluster="$cluster", job="proxy"}) or vector(0)',
            steps=UP,
            words={"0": "down", "1": "up"},
            leads_to="hub",
        ),
        number(
            "Nodes not ready",
            "Nodes whose kubelet reports no Ready. What ran there may be lost.",
            'count(kube_node_status_condition{cluster="$cluster", condition="Ready", status="true"} == 0) or vector(0)',
            steps=ANY_IS_BAD,
            leads_to="hosts",
        ),
    ]


def _alerts() -> Panel:
    return listing(
        "Alerts that fire",
        "What is wrong, in Prometheus' own words. Silences are set in Alertmanager and don't hide anything here.",
        {"severity": "Severity", "alertname": "Alert", "namespace": "Namespace", "pod": "Pod", "node": "Node"},
        [
            Column(
                header="Firing",
                expr=f'count by (severity, alertname, namespace, pod, node) (ALERTS{{{_FIRING}, severity!="none"}})',
                unit="short",
            )
        ],
        width=16,
        order="Severity",
        quiet=True,
    )


def _down() -> Panel:
    return listing(
        "Targets without answer",
        "Which programs can't be reached, by scrape job.",
        {"job": "Job", "instance": "Instance"},
        [Column(header="Targets", expr='count by (job, instance) (up{cluster="$cluster"} == 0)', unit="short")],
        width=8,
        quiet=True,
        leads_to="metrics",
    )


def _people() -> list[Panel]:
    return [
        lines(
            "Servers that run",
            "People's servers at work, and how many people used the platform in the last day.",
            {
                "servers": 'sum(jupyterhub_running_servers{cluster="$cluster"})',
                "people in 24 h": 'sum(jupyterhub_active_users{cluster="$cluster", period="24h"})',
            },
            width=8,
            leads_to="hub",
        ),
        lines(
            "Time until a server is ready",
            "How long people wait after they asked for a server, of starts that succeeded. Beyond a minute, nodes or"
            " images are missing.",
            {
                name: f"histogram_quantile({share}, sum by (le) (rate("
                'jupyterhub_server_spawn_duration_seconds_bucket{cluster="$cluster", status="success"}[1h])))'
                for name, share in (("half within", 0.5), ("95 of 100 within", 0.95))
            },
            unit="s",
            steps=above(30, 60),
            width=8,
            leads_to="hub",
        ),
        lines(
            "Starts that failed, per hour",
            "Servers that did not start, by reason: full, image, disk, node, policy, crash, slow, choice, cluster.",
            {"{{reason}}": 'sum by (reason) (increase(elab_spawn_failures_total{cluster="$cluster"}[1h])) > 0'},
            steps=above(1, 2),
            stacked=True,
            quiet=True,
            width=8,
            leads_to="hub",
        ),
    ]


def _room() -> list[Panel]:
    return [
        lines(
            "CPU set aside",
            "Share of all nodes' CPU that pods have requested. Near 100 % the next server waits for a node.",
            {"requested": _requested("cpu"), "used": _cpu_used()},
            unit="percentunit",
            steps=above(0.8, 0.95),
            highest=1,
            width=8,
            leads_to="pods",
        ),
        lines(
            "Memory set aside",
            "Share of all nodes' memory that pods have requested, and that is in use on the hosts.",
            {"requested": _requested("memory"), "used": _memory_used()},
            unit="percentunit",
            steps=above(0.8, 0.95),
            highest=1,
            width=8,
            leads_to="hosts",
        ),
        listing(
            "Node pools",
            "Nodes of each pool against the most that it may have. A pool at its maximum takes nobody more.",
            {"pool": "Pool"},
            [
                Column(
                    header="In use",
                    expr='sum by (pool) (cluster_pool:elab_nodes:count{cluster="$cluster"})'
                    ' / max by (pool) (elab_pool_nodes_max{cluster="$cluster"})',
                    unit="percentunit",
                    steps=above(0.8, 1),
                ),
                Column(
                    header="Nodes",
                    expr='sum by (pool) (cluster_pool:elab_nodes:count{cluster="$cluster"})',
                    unit="short",
                ),
                Column(header="At most", expr='max by (pool) (elab_pool_nodes_max{cluster="$cluster"})', unit="short"),
            ],
            width=8,
            leads_to="hub",
        ),
        listing(
            "Disks that are nearly full",
            "Claims with the least room left, among those that some pod has mounted.",
            {"namespace": "Namespace", "persistentvolumeclaim": "Claim"},
            [
                Column(
                    header="Full",
                    expr="topk(10, max by (namespace, persistentvolumeclaim) ("
                    '1 - kubelet_volume_stats_available_bytes{cluster="$cluster"}'
                    ' / kubelet_volume_stats_capacity_bytes{cluster="$cluster"}))',
                    unit="percentunit",
                    steps=above(0.8, 0.9),
                )
            ],
            width=12,
            leads_to="pods",
        ),
        listing(
            "Hosts' file systems that are nearly full",
            "File systems of the hosts with the least room left. A full one evicts pods and stops images.",
            {"node": "Node", "mountpoint": "Mounted at"},
            [
                Column(
                    header="Full",
                    expr="topk(10, max by (node, mountpoint) ("
                    '1 - node_filesystem_avail_bytes{cluster="$cluster", fstype!~"tmpfs|ramfs|overlay|squashfs"}'
                    ' / node_filesystem_size_bytes{cluster="$cluster", fstype!~"tmpfs|ramfs|overlay|squashfs"}))',
                    unit="percentunit",
                    steps=above(0.8, 0.9),
                )
            ],
            width=12,
            leads_to="hosts",
        ),
    ]


def _requested(resource: str) -> str:
    """Requests of pods that are scheduled and not at their end, by what nodes offer."""
    alive = 'max by (namespace, pod) (kube_pod_status_phase{cluster="$cluster", phase=~"Pending|Running"}) == 1'
    requests = (
        f'kube_pod_container_resource_requests{{cluster="$cluster", resource="{resource}", node!=""}}'
        f" * on (namespace, pod) group_left () ({alive})"
    )
    return f'sum({requests}) / sum(kube_node_status_allocatable{{cluster="$cluster", resource="{resource}"}})'


def _cpu_used() -> str:
    return '1 - avg(rate(node_cpu_seconds_total{cluster="$cluster", mode="idle"}[$__rate_interval]))'


def _memory_used() -> str:
    available = 'sum(node_memory_MemAvailable_bytes{cluster="$cluster"})'
    return f'1 - {available} / sum(node_memory_MemTotal_bytes{{cluster="$cluster"}})'
