"""A metric or a label that no scrape job of the plan yields is an error that names its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from components.monitoring.alerting_settings import Matcher, Route
from planning.findings import Finding
from planning.manifests import Manifest
from planning.vocabulary import findings
from stackfile.references import Name

RESOURCES = "--resources=nodes,persistentvolumes,pods,resourcequotas"
POD_LABELS = "--metric-labels-allowlist=pods=[hub.jupyter.org/username,elab.dev/profileName]"
CLUSTER = [{"target_label": "cluster", "replacement": "here"}]
JOBS: dict[str, dict[str, Any]] = {
    "hub": {},
    "kube-state-metrics": {"honor_labels": True},
    "node-exporter": {"relabel_configs": [{"source_labels": ["__meta_node"], "target_label": "node"}]},
    "kubelet": {
        "metric_relabel_configs": [
            {
                "source_labels": ["__name__"],
                "regex": "kubelet_volume_stats_(available|capacity)_bytes",
                "action": "keep",
            }
        ]
    },
    "pushgateway": {"honor_labels": True},
    "pods": {},
}


def config_map(name: str, key: str, text: str) -> Manifest:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {key: text}}
    return Manifest(urn=name, body=body)


def jobs(found: dict[str, dict[str, Any]]) -> Manifest:
    configs = [
        {"job_name": name, **config, "relabel_configs": [*config.get("relabel_configs", []), *CLUSTER]}
        for name, config in found.items()
    ]
    return config_map("scrape", "jobs.yaml", yaml.safe_dump({"scrape_configs": configs}))


def rules(*found: dict[str, Any]) -> Manifest:
    return config_map("rules", "mine.yaml", yaml.safe_dump({"groups": [{"name": "one", "rules": list(found)}]}))


def kube_state_metrics() -> Manifest:
    container = {"name": "main", "image": "ksm:1", "args": [RESOURCES, POD_LABELS]}
    spec = {"template": {"spec": {"containers": [container]}}}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ksm"}, "spec": spec}
    return Manifest(urn="ksm", body=body)


def found_in(*more: Manifest) -> list[Finding]:
    return list(findings((jobs(JOBS), kube_state_metrics(), *more)))


GOOD = [
    'up{job="hub", cluster="here"}',
    "sum by (reason) (increase(elab_spawn_failures_total[30m]))",
    "histogram_quantile(0.9, sum by (le) (rate(jupyterhub_server_spawn_duration_seconds_bucket[5m])))",
    "rate(jupyterhub_server_spawn_duration_seconds_sum[5m]) / rate(jupyterhub_server_spawn_duration_seconds_count[5m])",
    "sum by (node, mode) (rate(node_cpu_seconds_total[5m]))",
    "sum without (cpu) (rate(node_cpu_seconds_total[5m]))",
    'kube_pod_labels{label_hub_jupyter_org_username!="", label_elab_dev_profile_name!=""}',
    "kube_pod_info * on (namespace, pod) group_left (label_hub_jupyter_org_username) kube_pod_labels",
    'kube_resourcequota{type="used"} / ignoring (type) kube_resourcequota{type="hard"}',
    "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.1",
    'time() - push_time_seconds{job="backup"} > 3600',
    'absent(up{job="hub"}) or up{job="hub"} == 0',
    'sum by (who) (label_replace(kube_pod_info, "who", "$1", "pod", "jupyter-(.+)"))',
    "topk(3, node_load1) > 1",
    "max_over_time(sum by (node) (node_load1)[1h:5m])",
    '{__name__=~"node_load.*", node="a"}',
    "predict_linear(node_filesystem_avail_bytes[6h], 3600) < 0",
]


@pytest.mark.parametrize("expr", GOOD)
def test_what_the_jobs_yield_may_be_used(expr: str) -> None:
    assert found_in(rules({"alert": "Fine", "expr": expr})) == []


BAD = [
    ("jupyterhub_runing_servers", "yielded by no scrape job and no rule; jupyterhub_running_servers is"),
    ("sum(ceph_osd_up)", "ceph_osd_up comes from the scrape job ceph, which the stack does not have"),
    ("kubelet_running_pods", "kubelet_running_pods is not kept: the scrape job kubelet drops it"),
    ('node_load1{namespace="elab"}', "node_load1 has no label namespace; it has cluster, instance, job, node"),
    ("sum by (pod) (rate(node_cpu_seconds_total[5m]))", "sum by: its operand has no label pod"),
    ("sum without (core) (rate(node_cpu_seconds_total[5m]))", "sum without: its operand has no label core"),
    ("sum by (node) (sum by (cluster) (node_load1))", "its operand has no label node; it has cluster"),
    ("kube_pod_info * on (host_ip) group_left () kube_pod_labels", "* on: its right side has no label host_ip"),
    ("kube_pod_info * on (pod) group_left (image) kube_pod_labels", "group_left: the side of one has no label image"),
    ("node_load1 / ignoring (cpu) node_load5", "/ ignoring: its own side has no label cpu"),
    ("node_load1 / kube_node_info", "/: only one side has"),
    ("node_load1 and sum by (node) (node_load5)", "and: only one side has cluster, instance, job"),
    ("rate(node_load1[5m])", "rate is for counters, and node_load1 is a gauge"),
    ("deriv(node_cpu_seconds_total[5m])", "deriv is for gauges, and node_cpu_seconds_total is a counter"),
    (
        "histogram_quantile(0.9, sum by (status) (rate(jupyterhub_server_spawn_duration_seconds_bucket[5m])))",
        "label le",
    ),
    ("jupyterhub_server_spawn_duration_seconds", "yielded by no scrape job"),
    ("kube_job_status_failed", "the scrape job kube-state-metrics drops it, or its exporter leaves it out"),
    ("kube_persistentvolumeclaim_info", "its exporter leaves it out"),
    ('up{job="ceph"}', "no scrape job of the stack that fits job='ceph' yields it"),
    ('kube_pod_labels{label_team="a"}', "kube_pod_labels has no label label_team"),
    ('label_replace(node_load1, "a", "$1", "host", "(.*)")', "label_replace: its operand has no label host"),
    ('{node="a"}', "names no metric"),
    ("sum by (node (node_load1)", "it is no PromQL"),
    ("rate(node_cpu_seconds_total[5 days])", "it is no PromQL"),
]


@pytest.mark.parametrize(("expr", "what"), BAD)
def test_what_nothing_yields_is_an_error_at_its_place(expr: str, what: str) -> None:
    (found,) = found_in(rules({"alert": "Broken", "expr": expr}))
    assert (found.level, found.where) == ("error", "rules mine.yaml, Broken")
    assert what in found.what


def test_a_text_may_show_only_labels_that_the_alert_has() -> None:
    annotations = {"summary": "{{ $labels.reason }} on {{ $labels.node }} ({{ $labels.severity }})"}
    expr = "sum by (reason) (elab_spawn_failures_total) > 1"
    (found,) = found_in(
        rules({"alert": "Texts", "expr": expr, "labels": {"severity": "info"}, "annotations": annotations})
    )
    assert "show the label node" in found.what


def test_what_a_rule_records_may_be_used_by_rules_before_it_and_by_panels() -> None:
    second = {"record": "cluster:starts:rate", "expr": "sum by (cluster) (node:starts:rate)"}
    first = {"record": "node:starts:rate", "expr": "sum by (cluster, node) (node_load1)", "labels": {"kind": "a"}}
    alerts = {"alert": "Uses", "expr": 'cluster:starts:rate > 1 and on (cluster) node:starts:rate{kind="a"}'}
    assert found_in(rules(alerts, second, first), panel("cluster:starts:rate")) == []
    (found,) = found_in(rules(second, first), panel("sum by (node) (cluster:starts:rate)"))
    assert "no label node; it has cluster" in found.what


def panel(expr: str, variable: str = "label_values(up, cluster)") -> Manifest:
    one = {"type": "stat", "title": "One", "fieldConfig": {"defaults": {}}, "targets": [{"expr": expr}]}
    dashboard = {
        "uid": "elab-one",
        "panels": [{"type": "row", "panels": [one]}],
        "templating": {"list": [{"type": "query", "name": "cluster", "query": {"query": variable}}]},
    }
    return config_map("dashboard", "one.json", json.dumps(dashboard))


def test_a_panel_and_a_variable_are_held_to_the_same() -> None:
    assert found_in(panel('node_load1{cluster="$cluster"}')) == []
    (found,) = found_in(panel('node_load1{clster="$cluster"}'))
    assert found.where == "dashboard one.json, One"
    (found,) = found_in(panel("node_load1", "label_values(node_load1, pool)"))
    assert found.where == "dashboard one.json, $cluster"
    (found,) = found_in(panel("node_load1", "everything"))
    assert "can't be read" in found.what


def test_alerts_can_be_queried_by_their_own_labels() -> None:
    alert = {"alert": "Slow", "expr": "sum by (node) (node_load1) > 1", "labels": {"severity": "warning"}}
    good = 'count by (alertname, node) (ALERTS{alertstate="firing", severity="warning"})'
    assert found_in(rules(alert), panel(good)) == []
    (found,) = found_in(rules(alert), panel("count by (pool) (ALERTS)"))
    assert "no label pool" in found.what


def test_a_label_that_the_target_has_too_is_renamed_unless_it_is_honored() -> None:
    target = {"relabel_configs": [{"source_labels": ["__meta_pod"], "target_label": "pod"}]}
    honored = {**JOBS, "kube-state-metrics": {**target, "honor_labels": True}}
    for found, label in ((honored, "pod"), ({**JOBS, "kube-state-metrics": target}, "exported_pod")):
        uses = rules({"alert": "Uses", "expr": f"sum by ({label}) (kube_pod_info)"})
        assert list(findings((jobs(found), uses))) == []


def test_dropped_labels_are_gone() -> None:
    dropped = {**JOBS, "hub": {"metric_relabel_configs": [{"regex": "handler|method", "action": "labeldrop"}]}}
    uses = rules({"alert": "Uses", "expr": "sum by (handler) (jupyterhub_request_duration_seconds_count)"})
    (found,) = findings((jobs(dropped), uses))
    assert "no label handler; it has cluster, code" in found.what


@pytest.mark.parametrize(
    ("matcher", "what"),
    [
        ('team="storage"', "ALERTS has no label team"),
        ('alertname="HubDwon"', 'no alert has a name that fits alertname="HubDwon"'),
        ('alertname=~"Proxy.*"', "no alert has a name that fits"),
    ],
)
def test_a_route_that_fits_no_alert_is_an_error_at_its_place(matcher: str, what: str) -> None:
    found = [jobs(JOBS), rules({"alert": "HubDown", "expr": 'up{job="hub"} == 0', "labels": {"severity": "critical"}})]
    routes = [
        Route(matchers=(Matcher('severity="critical"'), Matcher('alertname=~"Hub.*"')), receivers=(Name("them"),)),
        Route(matchers=(Matcher(matcher),), receivers=(Name("them"),)),
    ]
    (finding,) = findings(tuple(found), routes)
    assert finding.where == "monitoring.alerting.routes.1.matchers.0"
    assert what in finding.what


def test_a_plan_that_scrapes_nothing_is_not_held_to_anything() -> None:
    assert list(findings((rules({"alert": "Alone", "expr": "nothing"}),))) == []
