"""Ceph's disks one by one: which is slow or full."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import Column, Panel, Row, above, dashboard, lines, listing, variable

_HERE = 'cluster="$cluster"'
_CHOSEN = f'{_HERE}, ceph_daemon=~"$osd"'
_RATE = "[$__rate_interval]"


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "osds",
        "Ceph: disks",
        "Which of Ceph's disks is slow or full, and on which host is it?",
        [Row("Disks side by side", [_side_by_side()]), Row("Over time", [*_over_time()])],
        variables=[variable("osd", "OSD", f"ceph_osd_metadata{{{_HERE}}}", of="ceph_daemon")],
    )


def _side_by_side() -> Panel:
    host = f"* on (ceph_daemon) group_left (hostname, device_class) ceph_osd_metadata{{{_HERE}}}"
    return listing(
        "Disks",
        "How full each OSD is, and how long it takes for an operation. One that stands out holds up all others.",
        {"hostname": "Host", "ceph_daemon": "OSD", "device_class": "Kind"},
        [
            Column(header="Read takes", expr=_by_host(f"{_latency('r')} {host}"), unit="s", steps=above(0.05, 0.2)),
            Column(header="Write takes", expr=_by_host(f"{_latency('w')} {host}"), unit="s", steps=above(0.05, 0.2)),
            Column(
                header="In use",
                expr=_by_host(
                    f"sum by (ceph_daemon) (ceph_osd_stat_bytes_used{{{_CHOSEN}}})"
                    f" / sum by (ceph_daemon) (ceph_osd_stat_bytes{{{_CHOSEN}}}) {host}"
                ),
                unit="percentunit",
                steps=above(0.75, 0.85),
            ),
        ],
    )


def _over_time() -> list[Panel]:
    return [
        lines(
            "Time for a read",
            "Mean time of clients' reads, of the ten slowest OSDs.",
            {"{{ceph_daemon}}": f"topk(10, {_latency('r')})"},
            unit="s",
            steps=above(0.05, 0.2),
        ),
        lines(
            "Time for a write",
            "Mean time of clients' writes, of the ten slowest OSDs.",
            {"{{ceph_daemon}}": f"topk(10, {_latency('w')})"},
            unit="s",
            steps=above(0.05, 0.2),
        ),
        lines(
            "Operations",
            "Reads and writes per second, of the ten busiest OSDs.",
            {
                "{{ceph_daemon}}": "topk(10, sum by (ceph_daemon)"
                f" (rate(ceph_osd_op_r{{{_CHOSEN}}}{_RATE}) + rate(ceph_osd_op_w{{{_CHOSEN}}}{_RATE})))"
            },
            unit="ops",
        ),
        lines(
            "Operations of mending",
            "Recovery operations per second: what clients share their disks with.",
            {"all": f"sum(rate(ceph_osd_recovery_ops{{{_CHOSEN}}}{_RATE}))"},
            unit="ops",
        ),
    ]


def _latency(operation: str) -> str:
    sums, counts = (
        f"sum by (ceph_daemon) (rate(ceph_osd_op_{operation}_latency_{part}{{{_CHOSEN}}}{_RATE}))"
        for part in ("sum", "count")
    )
    return f"{sums} / ({counts} > 0)"


def _by_host(expr: str) -> str:
    return f"max by (hostname, ceph_daemon, device_class) ({expr})"
