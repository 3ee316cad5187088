"""JupyterHub: who works, how starts go, what people use, and what it costs."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import CORES, Column, Panel, Row, above, dashboard, lines, listing, number

SERVERS = (
    'kube_pod_labels{cluster="$cluster", label_component="singleuser-server"}'
    ' * on (namespace) group_left () elab_namespace{cluster="$cluster", room="users"}'
    " * on (namespace, pod) group_left ()"
    ' (max by (namespace, pod) (kube_pod_status_phase{cluster="$cluster", phase="Running"}) == 1)'
)
"""This elab's people's servers that run, each with the labels that say whose and of which profile. Another elab of the
cluster has people of its own."""
PERSON = "label_hub_jupyter_org_username"
PROFILE = "label_elab_dev_profile"
_COST_NOW = 'cluster_pool:elab_cost_per_hour:sum{cluster="$cluster"}'


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "hub",
        "JupyterHub",
        "Who works, do servers start and stop as they should, what does each person use, and what does it cost?",
        [
            Row("People", [*_people()]),
            Row("Starts and ends of servers", [*_starts()]),
            Row("What people use", [_persons(), _by_profile(), _disks()]),
            Row("Cost", [*_cost()]),
            Row("The hub itself", [*_hub()]),
        ],
    )


def _people() -> list[Panel]:
    active = "People who used the platform in the last"
    return [
        number(
            "Servers that run",
            "People's servers at work now, as the hub counts them.",
            'sum(jupyterhub_running_servers{cluster="$cluster"})',
        ),
        *(
            number(
                f"People, {words}",
                f"{active} {words}, by the hub's own count.",
                f'sum(jupyterhub_active_users{{cluster="$cluster", period="{period}"}})',
            )
            for words, period in (("24 hours", "24h"), ("7 days", "7d"), ("30 days", "30d"))
        ),
        number(
            "Accounts",
            "Everybody who has logged in at some time and was not removed.",
            'sum(jupyterhub_total_users{cluster="$cluster"})',
        ),
        number(
            "Leavers put out",
            "People whom the directory no longer allows, and who were put out in the chosen time.",
            'round(sum(increase(elab_leavers_total{cluster="$cluster"}[$__range])))',
        ),
    ]


def _starts() -> list[Panel]:
    bucket = 'jupyterhub_server_spawn_duration_seconds_bucket{cluster="$cluster", status="success"}'
    return [
        lines(
            "Time until a server is ready",
            "How long people wait after they asked for a server, of starts that succeeded in the hour before.",
            {
                name: f"histogram_quantile({share}, sum by (le) (rate({bucket}[1h])))"
                for name, share in (("half within", 0.5), ("95 of 100 within", 0.95))
            },
            unit="s",
            steps=above(30, 60),
        ),
        lines(
            "Starts and stops per hour",
            "Servers started, started in vain, and stopped: by their person, by the culler after an hour's rest, or by"
            " an operator.",
            {
                "started": 'sum(increase(jupyterhub_server_spawn_duration_seconds_count{cluster="$cluster",'
                ' status="success"}[1h]))',
                "failed": 'sum(increase(elab_spawn_failures_total{cluster="$cluster"}[1h]))',
                "stopped": 'sum(increase(jupyterhub_server_stop_seconds_count{cluster="$cluster"}[1h]))',
            },
        ),
        lines(
            "Starts that failed, per hour",
            "By reason. full: no room or quota; image, disk, node: what could not be had; policy: the cluster refused;"
            " crash, slow: the server itself; choice: a profile that is gone; cluster: no usable answer of Kubernetes.",
            {"{{reason}}": 'sum by (reason) (increase(elab_spawn_failures_total{cluster="$cluster"}[1h])) > 0'},
            steps=above(1, 2),
            stacked=True,
            quiet=True,
        ),
        lines(
            "Servers by profile",
            "Servers that run, by the size that people chose.",
            {f"{{{{{PROFILE}}}}}": f"sum by ({PROFILE}) ({SERVERS})"},
            stacked=True,
        ),
    ]


def _persons() -> Panel:
    return listing(
        "Resources by person",
        "What each person's server takes now beside what is set aside for it. Set aside and unused is what a smaller"
        " profile would give back.",
        {PERSON: "Person", PROFILE: "Profile"},
        [
            Column(header="CPU used", expr=_of_persons(_CPU), unit=CORES),
            Column(header="CPU set aside", expr=_of_persons(_requests("cpu")), unit=CORES),
            Column(header="Memory used", expr=_of_persons(_MEMORY), unit="bytes"),
            Column(header="Memory set aside", expr=_of_persons(_requests("memory")), unit="bytes"),
        ],
    )


def _by_profile() -> Panel:
    return lines(
        "Memory used of memory allowed, by profile",
        "How near to its limit the fullest server of each profile is: at 100 % the kernel ends a process in it.",
        {
            f"{{{{{PROFILE}}}}}": f"max by ({PROFILE}) (({_MEMORY} / sum by (namespace, pod) ("
            'kube_pod_container_resource_limits{cluster="$cluster", resource="memory"}))'
            f" * on (namespace, pod) group_left ({PROFILE}) ({SERVERS}))"
        },
        unit="percentunit",
        steps=above(0.85, 0.95),
        highest=1,
    )


def _disks() -> Panel:
    claims = 'on (namespace) group_left () elab_namespace{cluster="$cluster", room="users"}'
    return listing(
        "Disk by person",
        "How full the disks are of people whose server runs; a disk is measured only while it is mounted.",
        {"persistentvolumeclaim": "Claim"},
        [
            Column(
                header="Full",
                expr="max by (persistentvolumeclaim) ("
                'kubelet_volume_stats_used_bytes{cluster="$cluster"}'
                f' / kubelet_volume_stats_capacity_bytes{{cluster="$cluster"}} * {claims})',
                unit="percentunit",
                steps=above(0.8, 0.9),
            ),
            Column(
                header="Used",
                expr="max by (persistentvolumeclaim) ("
                f'kubelet_volume_stats_used_bytes{{cluster="$cluster"}} * {claims})',
                unit="bytes",
            ),
        ],
        width=12,
    )


def _cost() -> list[Panel]:
    return [
        number(
            "Cost per day, at this rate",
            "What the nodes that are there now cost in a day, by `price_per_hour` of their pools. Pools without a price"
            " count as nothing.",
            f"sum({_COST_NOW}) * 24",
            unit="suffix: a day",
            width=6,
        ),
        number(
            "Cost of the last 24 hours",
            "What nodes cost in the last day, by the prices of their pools.",
            f"sum(sum_over_time({_COST_NOW}[24h:5m])) / 12",
            unit="short",
            width=6,
        ),
        number(
            "Cost per server and hour",
            "What the nodes cost in an hour, divided by the servers that run: high where nodes stand half empty.",
            f'sum({_COST_NOW}) / (sum(jupyterhub_running_servers{{cluster="$cluster"}}) > 0)',
            unit="suffix: an hour",
            width=6,
        ),
        number(
            "Placeholders that wait",
            "Placeholder pods without a node: the room for the next people is not there yet.",
            'count(kube_pod_status_phase{cluster="$cluster", phase="Pending"} == 1 and on (namespace)'
            ' elab_namespace{cluster="$cluster", room="placeholders"}) or vector(0)',
            steps=((None, "green"), (1, "orange")),
            width=6,
        ),
        lines(
            "Cost per day, by pool",
            "What each pool's nodes cost in a day at the rate of that moment.",
            {"{{pool}}": f"sum by (pool) ({_COST_NOW}) * 24"},
            unit="suffix: a day",
            stacked=True,
        ),
        lines(
            "Nodes, by pool",
            "Nodes of each pool. The overview shows them against the pool's maximum.",
            {"{{pool}}": 'sum by (pool) (cluster_pool:elab_nodes:count{cluster="$cluster"})'},
            stacked=True,
        ),
    ]


def _hub() -> list[Panel]:
    requests = 'jupyterhub_request_duration_seconds_bucket{cluster="$cluster"}'
    return [
        lines(
            "Time to answer",
            "How long the hub takes for a request, and how long its one thread is busy at a stretch. Beyond a second"
            " people notice.",
            {
                "95 of 100 requests": f"histogram_quantile(0.95, sum by (le) (rate({requests}[$__rate_interval])))",
                "event loop, 95 of 100": "histogram_quantile(0.95, sum by (le) (rate("
                'jupyterhub_event_loop_interval_seconds_bucket{cluster="$cluster"}[$__rate_interval])))',
            },
            unit="s",
            steps=above(0.5, 1),
            width=8,
        ),
        lines(
            "Errors of the hub",
            "Requests per second that the hub answered with an error of its own (5xx).",
            {
                "{{code}}": "sum by (code) (rate("
                'jupyterhub_request_duration_seconds_count{cluster="$cluster", code=~"5.."}[$__rate_interval])) > 0'
            },
            unit="reqps",
            stacked=True,
            quiet=True,
            width=8,
        ),
        lines(
            "Questions to the directory without answer, per hour",
            "login: somebody could not log in. refresh and sweep: leavers were not looked for; whoever is in stays in.",
            {"{{during}}": 'sum by (during) (increase(elab_directory_failures_total{cluster="$cluster"}[1h]))'},
            steps=above(1, 5),
            stacked=True,
            width=8,
        ),
    ]


_CPU = (
    "sum by (namespace, pod) (rate("
    'container_cpu_usage_seconds_total{cluster="$cluster", container!=""}[$__rate_interval]))'
)
_MEMORY = 'sum by (namespace, pod) (container_memory_working_set_bytes{cluster="$cluster", container!=""})'


def _requests(resource: str) -> str:
    return (
        f'sum by (namespace, pod) (kube_pod_container_resource_requests{{cluster="$cluster", resource="{resource}"}})'
    )


def _of_persons(by_pod: str) -> str:
    """A figure of pods, by the person and profile that the pod is of."""
    return f"sum by ({PERSON}, {PROFILE}) ({by_pod} * on (namespace, pod) group_left ({PERSON}, {PROFILE}) ({SERVERS}))"
