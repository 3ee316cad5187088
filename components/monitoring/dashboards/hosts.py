"""The private cloud's hosts: which one is full, slow, or wrong."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import (
    ANY_IS_BAD,
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

WHERE = 'cluster="$cluster", node=~"$node"'
_FILES = f'{WHERE}, fstype!~"tmpfs|ramfs|overlay|squashfs"'
_FULL = f"1 - node_filesystem_avail_bytes{{{_FILES}}} / node_filesystem_size_bytes{{{_FILES}}}"
_RATE = "[$__rate_interval]"
_NO_CARD = "|".join(
    (
        "lo|dummy.*|kube-ipvs.*|nodelocaldns",
        # What stands on cards, whose bytes it would count a second time: bonds, bridges, VLANs, tunnels between nodes.
        "(bond|team|br|virbr|vmbr|vlan|tun|tap|vxlan|gen|wg|wireguard|ovs|ovn|antrea|cilium|flannel)[^.]*([.].*)?",
        ".+[.][0-9]+",
        # The half of an Azure machine's card that goes past its host: eth0 counts both.
        "enP[0-9]+s[0-9]+",
        # Of pods, as far as node-exporter tells of them.
        "(veth|cali|cni|lxc|docker).*",
    )
)
"""Interfaces that are no network cards."""
_NO_DISK = "(loop|ram|zram|sr|fd|dm-|md|bcache|drbd|rbd|nbd).*"
"""No disks of the host's own: in memory, on other disks (LVM, RAID), whose bytes they would count a second time, or on
the network."""


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "hosts",
        "Private cloud: hosts",
        "Which host is full, slow or wrong, and is there room on the others?",
        [
            Row("Now", [*_now()]),
            Row("Hosts side by side", [_hosts()]),
            Row("CPU and memory", [*_cpu_and_memory()]),
            Row("Disks and network", [*_disks_and_network()]),
        ],
        variables=[variable("node", "Node", 'kube_node_info{cluster="$cluster"}')],
    )


def _now() -> list[Panel]:
    conditions = "MemoryPressure|DiskPressure|PIDPressure|NetworkUnavailable"
    return [
        number("Nodes", "Nodes of the cluster.", f"count(kube_node_info{{{WHERE}}})"),
        number(
            "Not ready",
            "Nodes whose kubelet reports no Ready.",
            f'count(kube_node_status_condition{{{WHERE}, condition="Ready", status="true"}} == 0) or vector(0)',
            steps=ANY_IS_BAD,
        ),
        number(
            "Closed for new pods",
            "Nodes that somebody has cordoned. Forgotten ones are room that is paid for and not used.",
            f"sum(kube_node_spec_unschedulable{{{WHERE}}})",
            steps=((None, "green"), (1, "orange")),
        ),
        number(
            "Under pressure",
            "Nodes that are short of memory, disk or process numbers, and so evict pods, or have no network.",
            f'sum(kube_node_status_condition{{{WHERE}, condition=~"{conditions}", status="true"}})',
            steps=ANY_IS_BAD,
        ),
        number(
            "Clock, farthest off",
            "The largest difference of a host's clock from true time. Ceph and TLS don't bear half a second.",
            f"max(abs(node_timex_offset_seconds{{{WHERE}}}))",
            unit="s",
            steps=above(0.05, 0.5),
        ),
        number(
            "Restarted, last day",
            "Hosts that were started in the last 24 hours.",
            f"count(time() - node_boot_time_seconds{{{WHERE}}} < 86400) or vector(0)",
            steps=((None, "green"), (1, "orange")),
        ),
    ]


def _hosts() -> Panel:
    return listing(
        "Hosts",
        "Each host's load, the share of CPU, memory and fullest file system in use, and since when it runs.",
        {"node": "Node"},
        [
            Column(header="CPU", expr=_busy("node"), unit="percentunit", steps=above(0.8, 0.95)),
            Column(header="Memory", expr=_memory("node"), unit="percentunit", steps=above(0.8, 0.95)),
            Column(
                header="Fullest file system",
                expr=f"max by (node) ({_FULL})",
                unit="percentunit",
                steps=above(0.8, 0.9),
            ),
            Column(
                header="Load per core",
                expr=f"max by (node) (node_load5{{{WHERE}}}) / count by (node)"
                f' (node_cpu_seconds_total{{{WHERE}, mode="idle"}})',
                unit="short",
                steps=above(1, 2),
            ),
            Column(
                header="Pods",
                expr='sum by (node) (kubelet_running_pods{cluster="$cluster", node=~"$node"})',
                unit="short",
            ),
            Column(header="Runs since", expr=f"max by (node) (time() - node_boot_time_seconds{{{WHERE}}})", unit="s"),
        ],
    )


def _cpu_and_memory() -> list[Panel]:
    return [
        lines("CPU in use", "Share of each host's CPU.", {"{{node}}": _busy("node")}, unit="percentunit", highest=1),
        lines(
            "Memory in use",
            "Share of each host's memory that can't be given back.",
            {"{{node}}": _memory("node")},
            unit="percentunit",
            highest=1,
            steps=above(0.85, 0.95),
        ),
        lines(
            "Waiting for disks and stolen",
            "Share of CPU time that passed waiting for disks, and that the hypervisor gave to others.",
            {
                f"{{{{node}}}} {name}": f'avg by (node) (rate(node_cpu_seconds_total{{{WHERE}, mode="{mode}"}}{_RATE}))'
                for name, mode in (("waits for disks", "iowait"), ("stolen", "steal"))
            },
            unit="percentunit",
            steps=above(0.1, 0.25),
        ),
        lines(
            "Load per core",
            "Processes that run or wait, per core, in five minutes. Above 1 for long, work queues up.",
            {
                "{{node}}": f"max by (node) (node_load5{{{WHERE}}}) / count by (node)"
                f' (node_cpu_seconds_total{{{WHERE}, mode="idle"}})'
            },
            steps=above(1, 2),
        ),
    ]


def _disks_and_network() -> list[Panel]:
    disks = f'{WHERE}, device!~"(loop|ram|zram|sr|fd).*"'
    own = f'{WHERE}, device!~"{_NO_DISK}"'
    cards = f'{WHERE}, device!~"{_NO_CARD}"'
    return [
        lines(
            "Disks busy",
            "Share of time in which each disk was at work. Near 100 % on a hard disk, whoever needs it waits.",
            {"{{node}} {{device}}": f"max by (node, device) (rate(node_disk_io_time_seconds_total{{{disks}}}{_RATE}))"},
            unit="percentunit",
            steps=above(0.8, 0.95),
            highest=1,
        ),
        lines(
            "Disk traffic",
            "Bytes per second read from and written to each host's own disks; network disks are not in it.",
            {
                f"{{{{node}}}} {name}": f"sum by (node) (rate(node_disk_{what}_bytes_total{{{own}}}{_RATE}))"
                for name, what in (("read", "read"), ("written", "written"))
            },
            unit="Bps",
        ),
        lines(
            "File systems",
            "How full each host's file systems are, those of memory left out.",
            {"{{node}} {{mountpoint}}": f"max by (node, mountpoint) ({_FULL})"},
            unit="percentunit",
            steps=above(0.8, 0.9),
            highest=1,
        ),
        lines(
            "Network",
            "Bytes per second through each host's network cards, without the pods' own.",
            {
                f"{{{{node}}}} {name}": f"sum by (node) (rate(node_network_{what}_bytes_total{{{cards}}}{_RATE}))"
                for name, what in (("received", "receive"), ("sent", "transmit"))
            },
            unit="Bps",
        ),
    ]


def _busy(by: str) -> str:
    return f'1 - avg by ({by}) (rate(node_cpu_seconds_total{{{WHERE}, mode="idle"}}{_RATE}))'


def _memory(by: str) -> str:
    available, total = (f"sum by ({by}) (node_memory_{what}_bytes{{{WHERE}}})" for what in ("MemAvailable", "MemTotal"))
    return f"1 - {available} / {total}"
