"""Prometheus itself answers every query of every dashboard, those of Ceph and OpenStack too, which the lab has not."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring.dashboards.catalogue import NEEDS, parsed
from components.monitoring.dashboards.hub import PERSON, SERVERS
from components.monitoring.dashboards.queries import Query, queries
from operate.rig import HOME
from planning.manifests import manifests
from planning.vocabulary import known_of, monitored
from tests.harness.platform import platform
from tests.harness.series import made_up

PROMTOOL = HOME / "bin/promtool"
CLUSTER = "made-up"
MINUTES = 180
EVERYTHING = {
    "monitoring": {
        "storage_class": "local-nvme",
        "ceph": {"managers": ["10.1.1.1:9283"], "exporters": ["10.1.1.1:9926"]},
        "openstack": {"exporters": ["10.1.1.2:9180"]},
    },
    "logging": {"enabled": True},
}


def check(query: Query) -> dict[str, Any]:
    """That a query can be evaluated, and has a result unless it lists what is wrong."""
    count = f"count({query.expr})"
    expr = f"({count} or vector(0)) >= bool 0" if query.may_be_empty else f"{count} > bool 0"
    return {"expr": expr, "eval_time": f"{MINUTES}m", "exp_samples": [{"labels": "{}", "value": 1}]}


@pytest.fixture(scope="module")
def series() -> list[dict[str, str]]:
    known = known_of(monitored(manifests(platform(EVERYTHING))))
    asked = [query.expr for name in NEEDS for query in queries(parsed(name), {"cluster": CLUSTER})]
    return made_up(known, asked, CLUSTER, MINUTES)


@pytest.mark.parametrize("name", NEEDS)
def test_every_query_has_an_answer(name: str, series: list[dict[str, str]], tmp_path: Path) -> None:
    if not PROMTOOL.exists():
        pytest.skip(f"{PROMTOOL} is not there: lab/lab build --checkers makes it")
    asked = list(queries(parsed(name), {"cluster": CLUSTER}))
    checks = [check(query) for query in asked]
    used = [one for one in series if any(one["series"].partition("{")[0] in query.expr for query in asked)]
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"tests": [{"interval": "1m", "input_series": used, "promql_expr_test": checks}]}))
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _person(instance: str, name: str) -> list[dict[str, str]]:
    """A server that runs, as kube-state-metrics tells of it."""
    pod = f'cluster="{CLUSTER}", namespace="{instance}-users", pod="{name}"'
    who = (
        f'label_component="singleuser-server", label_hub_jupyter_org_username="{name}", label_elab_dev_profile="small"'
    )
    return [
        {"series": f"kube_pod_labels{{{pod}, {who}}}", "values": "1x5"},
        {"series": f'kube_pod_status_phase{{{pod}, phase="Running"}}', "values": "1x5"},
    ]


def test_of_two_elabs_in_one_cluster_each_shows_its_own_people_alone(tmp_path: Path) -> None:
    if not PROMTOOL.exists():
        pytest.skip(f"{PROMTOOL} is not there: lab/lab build --checkers makes it")
    own = {"series": f'elab_namespace{{cluster="{CLUSTER}", room="users", namespace="elab-users"}}', "values": "1x5"}
    input_series = [own, *_person("elab", "alice"), *_person("other", "bob")]
    expr = f"count by ({PERSON}) ({SERVERS.replace('$cluster', CLUSTER)})"
    wanted = {"expr": expr, "eval_time": "3m", "exp_samples": [{"labels": f'{{{PERSON}="alice"}}', "value": 1}]}
    file = tmp_path / "test.yaml"
    tests = [{"interval": "1m", "input_series": input_series, "promql_expr_test": [wanted]}]
    file.write_text(yaml.safe_dump({"tests": tests}))
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_figure_of_people_on_the_hubs_dashboard_is_of_its_own() -> None:
    of_people = [query for query in queries(parsed("hub"), {"cluster": CLUSTER}) if "kube_pod_labels" in query.expr]
    assert len(of_people) > 4
    assert [
        query.panel for query in of_people if 'elab_namespace{cluster="made-up", room="users"}' not in query.expr
    ] == []


def test_the_overview_counts_alerts_about_what_is_gone(tmp_path: Path) -> None:
    """Of what is absent there is no series whose labels an alert could have, its cluster's among them."""
    if not PROMTOOL.exists():
        pytest.skip(f"{PROMTOOL} is not there: lab/lab build --checkers makes it")
    alerts = ("HubDown", "ProxyDown", "KubeAPIDown", "KubeletDown", "AlertmanagerDown")
    shown = {query.panel: query.expr for query in queries(parsed("overview"), {"cluster": CLUSTER})}
    samples = [{"labels": f'{{alertname="{alert}", severity="critical"}}', "value": 1} for alert in alerts]
    checks = [
        {"expr": shown["Critical alerts"], "eval_time": "1h", "exp_samples": [{"labels": "{}", "value": len(alerts)}]},
        {"expr": f"({shown['Alerts that fire']}) and on (severity) group by (severity) (ALERTS{{severity='critical'}})",
         "eval_time": "1h", "exp_samples": samples},
    ]  # fmt: skip
    rules = Path(__file__).parents[3] / "components/monitoring/files/rules"
    test = {
        "rule_files": [str(rules / name) for name in ("hub.yaml", "kubernetes.yaml", "monitoring.yaml")],
        "tests": [{"interval": "1m", "promql_expr_test": checks}],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
