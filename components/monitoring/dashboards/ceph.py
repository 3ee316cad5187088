"""Ceph, the storage below everybody's disks: is it healthy, how long will it last, does it keep up?"""

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
)

_HERE = 'cluster="$cluster"'
_POOL_NAME = f"* on (pool_id) group_left (name) ceph_pool_metadata{{{_HERE}}}"


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "ceph",
        "Ceph",
        "Is the storage healthy, are data at risk, when will it be full, and does it keep up?",
        [
            Row("Now", [*_now()]),
            Row("What is wrong", [*_wrong()]),
            Row("Room", [*_room()]),
            Row("Work", [*_work()]),
        ],
    )


def _now() -> list[Panel]:
    return [
        number(
            "Health",
            "Ceph's own word: OK; WARN: look today; ERR: data can't be reached or are at risk.",
            f"max(ceph_health_status{{{_HERE}}})",
            steps=above(1, 2),
            words={"0": "OK", "1": "WARN", "2": "ERR"},
        ),
        number(
            "In use",
            "Share of all raw space in use. From 85 % on Ceph complains, at 95 % nobody can write.",
            f"max(ceph_cluster_total_used_raw_bytes{{{_HERE}}}) / max(ceph_cluster_total_bytes{{{_HERE}}})",
            unit="percentunit",
            steps=above(0.7, 0.8),
        ),
        number(
            "Disks down",
            "OSDs that don't run. Their data are copied from elsewhere after ten minutes.",
            f"count(ceph_osd_up{{{_HERE}}} == 0) or vector(0)",
            steps=ANY_IS_BAD,
        ),
        number(
            "Disks out",
            "OSDs that hold no data any more; space that is missing.",
            f"count(ceph_osd_in{{{_HERE}}} == 0) or vector(0)",
            steps=((None, "green"), (1, "orange")),
        ),
        number(
            "Monitors out of quorum",
            "Monitors that don't take part. Without more than half of them everything stands still.",
            f"count(ceph_mon_quorum_status{{{_HERE}}} == 0) or vector(0)",
            steps=ANY_IS_BAD,
        ),
        number(
            "Objects not found",
            "Objects of which no copy can be found: lost, unless a disk that is down has them.",
            f"max(ceph_num_objects_unfound{{{_HERE}}})",
            steps=ANY_IS_BAD,
        ),
    ]


def _wrong() -> list[Panel]:
    states = ("degraded", "undersized", "down", "inconsistent", "stale", "peering", "backfill_toofull")
    return [
        listing(
            "What Ceph complains about",
            "Its health checks that fail, by the names under which Ceph's manual explains them.",
            {"name": "Check", "severity": "Severity"},
            [
                Column(
                    header="Active",
                    expr=f"sum by (name, severity) (ceph_health_detail{{{_HERE}}}) > 0",
                    unit="short",
                )
            ],
            width=12,
            quiet=True,
        ),
        lines(
            "Placement groups that are not well",
            "Degraded, undersized: copies are missing. Down, stale: data are out of reach. Inconsistent: copies vary.",
            {state: f"sum(ceph_pg_{state}{{{_HERE}}})" for state in states},
        ),
        listing(
            "Disks that are down or out",
            "OSDs that don't run, by name.",
            {"ceph_daemon": "OSD"},
            [Column(header="Down", expr=f"sum by (ceph_daemon) (ceph_osd_up{{{_HERE}}} == bool 0) > 0", unit="short")],
            width=12,
            quiet=True,
        ),
        lines(
            "Objects to be mended",
            "Objects with too few copies, or where they don't belong. Falling is well; standing still is not.",
            {name: f"max(ceph_num_objects_{name}{{{_HERE}}})" for name in ("degraded", "misplaced")},
        ),
    ]


def _room() -> list[Panel]:
    return [
        lines(
            "Raw space",
            "Space in use and in all, copies counted.",
            {
                "in use": f"max(ceph_cluster_total_used_raw_bytes{{{_HERE}}})",
                "in all": f"max(ceph_cluster_total_bytes{{{_HERE}}})",
            },
            unit="bytes",
        ),
        listing(
            "Pools",
            "How full each pool is, how much it can still take, and what a month of the last week's growth would add.",
            {"name": "Pool"},
            [
                Column(
                    header="In use",
                    expr=f"max by (name) (ceph_pool_percent_used{{{_HERE}}} {_POOL_NAME})",
                    unit="percentunit",
                    steps=above(0.7, 0.85),
                ),
                Column(
                    header="Stored",
                    expr=f"max by (name) (ceph_pool_stored{{{_HERE}}} {_POOL_NAME})",
                    unit="bytes",
                ),
                Column(
                    header="Can take",
                    expr=f"max by (name) (ceph_pool_max_avail{{{_HERE}}} {_POOL_NAME})",
                    unit="bytes",
                ),
                Column(
                    header="Growth in a month",
                    expr=f"max by (name) (deriv(ceph_pool_stored{{{_HERE}}}[7d]) * 2592000 {_POOL_NAME})",
                    unit="bytes",
                ),
            ],
            width=12,
        ),
    ]


def _work() -> list[Panel]:
    pools = [("read", "rd"), ("written", "wr")]
    return [
        lines(
            "Bytes read and written",
            "What clients read and write, by pool.",
            {
                f"{{{{name}}}} {name}": f"sum by (name)"
                f" (rate(ceph_pool_{what}_bytes{{{_HERE}}}[$__rate_interval]) {_POOL_NAME})"
                for name, what in pools
            },
            unit="Bps",
            width=8,
        ),
        lines(
            "Operations",
            "Reads and writes of clients per second, by pool.",
            {
                f"{{{{name}}}} {name}": f"sum by (name)"
                f" (rate(ceph_pool_{what}{{{_HERE}}}[$__rate_interval]) {_POOL_NAME})"
                for name, what in pools
            },
            unit="ops",
            width=8,
        ),
        lines(
            "Time to commit",
            "How long the slowest ten OSDs take to make a write safe. Tens of milliseconds on flash mean trouble.",
            {"{{ceph_daemon}}": f"topk(10, max by (ceph_daemon) (ceph_osd_commit_latency_ms{{{_HERE}}}))"},
            unit="ms",
            steps=above(50, 200),
            width=8,
        ),
    ]
