"""Metrics of a real stack: targets answer, panels have data, alerts arrive, and nothing takes Prometheus down.

The tests stand in the order in which an alert's two minutes pass beside other work.
"""

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring.dashboards import catalogue
from components.monitoring.dashboards.queries import Query, queries
from lab.labkit.settings import NODE_IP, NODE_NAME
from operate import rig
from operate.metrics import Prometheus
from operate.steps import output
from tests.e2e.cluster import Object, found, kubectl, one, roll_out, run_in, until
from tests.e2e.platform import Platform
from tests.e2e.reach import Address, reached

RECEIVER = "e2e-receiver"
_HERE = Path(__file__).parent
_DASHBOARDS = ("overview", "hub", "pods", "containers", "hosts", "metrics")
_UNCOUNTED = ("container_fs_reads_bytes_total", "container_fs_writes_bytes_total")
"""The kernels of some machines that the lab runs on count no container's disk traffic."""
_BAD_RULE = "groups:\n  - name: bad\n    rules:\n      - {record: bad, expr: 'sum by ('}\n"


@pytest.fixture(scope="module")
def receiver(lab: None) -> Iterator[str]:
    """Where alerts go; its URL as the machine sees it."""
    program = _HERE / "programs/receiver.py"
    kubectl("delete", "namespace", RECEIVER, "--ignore-not-found", "--wait", seconds=90)
    kubectl("create", "namespace", RECEIVER)
    kubectl("-n", RECEIVER, "create", "configmap", "program", f"--from-file={program}")
    kubectl("apply", "-f", str(_HERE / "manifests/receiver.yaml"))
    kubectl("-n", RECEIVER, "wait", "pod/receiver", "--for=condition=Ready", "--timeout=60s", seconds=70)
    yield f"http://{one('pod', 'receiver', RECEIVER)['status']['podIP']}:8080"
    kubectl("delete", "namespace", RECEIVER, "--wait", seconds=90)


@pytest.fixture(scope="module")
def prometheus(receiver: str, watched: Platform) -> Prometheus:
    return Prometheus(namespace=f"{watched.instance}-monitoring")


@pytest.fixture(scope="module")
def dead_hub(watched: Platform, prometheus: Prometheus) -> Iterator[float]:
    """The hub is gone from here on; when it went."""
    kubectl("-n", watched.hub, "scale", "deployment/hub", "--replicas=0")
    yield time.time()
    kubectl("-n", watched.hub, "scale", "deployment/hub", "--replicas=1")
    roll_out(watched.hub, "hub")


def _pod(prometheus: Prometheus, component: str) -> Object:
    """The one pod of a Deployment of monitoring that is not on its way out."""
    pods = found("pods", prometheus.namespace, "-l", f"app.kubernetes.io/component={component}")
    (pod,) = (pod for pod in pods if "deletionTimestamp" not in pod["metadata"])
    return pod


def _read_again(prometheus: Prometheus) -> None:
    """Have the kubelet look at the pod's ConfigMaps now, and not within the next minute and a half."""
    name = _pod(prometheus, "prometheus")["metadata"]["name"]
    kubectl("-n", prometheus.namespace, "annotate", "pod", name, f"e2e/looked-at={time.time()}", "--overwrite")


def _started(prometheus: Prometheus) -> tuple[str, float | None]:
    """The pod, and when its program began."""
    uid = _pod(prometheus, "prometheus")["metadata"]["uid"]
    return uid, prometheus.value('process_start_time_seconds{job="prometheus"}')


def _jobs(prometheus: Prometheus) -> set[str]:
    files = one("configmap", "prometheus-scrape", prometheus.namespace)["data"].values()
    return {config["job_name"] for file in files for config in yaml.safe_load(file)["scrape_configs"]}


def test_every_target_of_every_job_answers(prometheus: Prometheus) -> None:
    jobs = _jobs(prometheus)
    assert {"apiserver", "kubelet", "cadvisor", "node-exporter", "kube-state-metrics", "hub", "proxy"} <= jobs

    def unanswered() -> set[str]:
        targets = prometheus.targets()
        return (jobs - {target.job for target in targets}) | {
            f"{target.job}: {target.error or 'not asked yet'}" for target in targets if not target.up
        }

    deadline = time.monotonic() + 90
    while (missing := unanswered()) and time.monotonic() < deadline:
        time.sleep(1)
    assert not missing


def test_every_panel_has_data_after_people_came_and_went(watched: Platform, prometheus: Prometheus) -> None:
    alice = watched.person("alice").log_in().at_work()
    alice.stop()
    alice.start("large")
    (cluster,) = prometheus.by("cluster", "count by (cluster) (up)")
    asked = [
        query
        for name in _DASHBOARDS
        for query in queries(catalogue.parsed(name), {"cluster": cluster})
        if not query.may_be_empty
    ]
    assert len(asked) > 50
    counted = kubectl("get", "--raw", f"/api/v1/nodes/{NODE_NAME}/proxy/metrics/cadvisor")
    uncounted = [name for name in _UNCOUNTED if f"\n{name}{{" not in counted]
    asked = [query for query in asked if not any(name in query.expr for name in uncounted)]
    without: list[Query] = asked
    deadline = time.monotonic() + 240
    while without and time.monotonic() < deadline:
        # A day is looked at by the clock's full five minutes: the next ones may be four minutes away.
        without = [query for query in without if not prometheus.query(query.expr.replace("[24h:5m]", "[24h:10s]"))]
        time.sleep(2)
    assert not without, "\n".join(f"{query.dashboard}, {query.panel}: {query.expr}" for query in without)
    # Whose server it is, and by which profile.
    # In this stack: the other half of the tests has an alice of its own.
    labels = f'namespace="{watched.users}",label_hub_jupyter_org_username="alice",label_elab_dev_profile="large"'
    until("her server", lambda: prometheus.value(f"count(kube_pod_labels{{{labels}}})") == 1, 30)


def test_no_rule_fails(prometheus: Prometheus) -> None:
    groups = prometheus.ask("rules")["groups"]
    faults = [
        f"{group['file']}, {rule['name']}: {rule['lastError']}"
        for group in groups
        for rule in group["rules"]
        if rule.get("lastError")
    ]
    assert not faults
    assert sum(len(group["rules"]) for group in groups) > 50


def test_people_reach_nothing_of_it(watched: Platform, prometheus: Prometheus) -> None:
    watched.person("alice").log_in().at_work()
    ports = {"prometheus": 9090, "alertmanager": 9093, "pushgateway": 9091, "kube-state-metrics": 8080}
    addresses: list[Address] = [(_pod(prometheus, name)["status"]["podIP"], port) for name, port in ports.items()]
    addresses.append((NODE_IP, 9101))
    for address in addresses:
        socket.create_connection(address, 5).close()
    answers = reached(watched.users, "jupyter-alice", *addresses)
    assert not any(answers.values()), answers


def test_what_a_short_job_pushed_is_kept(prometheus: Prometheus, dead_hub: float) -> None:
    kubectl("-n", RECEIVER, "delete", "job", "nightly", "--ignore-not-found")
    kubectl("apply", "-f", str(_HERE / "manifests/nightly.yaml"))
    kubectl("-n", RECEIVER, "wait", "job/nightly", "--for=condition=Complete", "--timeout=60s", seconds=70)
    pushed = 'rows_copied{job="nightly"}'
    until("the pushed metric", lambda: prometheus.value(pushed) == 42, 30)
    kubectl("-n", prometheus.namespace, "delete", "pod", _pod(prometheus, "pushgateway")["metadata"]["name"])
    roll_out(prometheus.namespace, "pushgateway")
    since = time.time()
    fresh = f"timestamp({pushed}) > {since}"
    until("the metric from another Pushgateway", lambda: prometheus.query(fresh), 60)
    assert prometheus.value(pushed) == 42


def test_an_edited_rule_is_read_and_nothing_restarts(
    watched: Platform, prometheus: Prometheus, dead_hub: float
) -> None:
    before = _started(prometheus)
    assert _price(prometheus) == "vector(0.25)"
    pool = yaml.safe_load((_HERE / "stacks/e2e-metrics.yaml").read_text())["elab:pools"][0]
    steps = watched.up(pools=[{**pool, "price_per_hour": 0.5}])
    changed = {step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] != "same"}
    assert changed
    assert set(changed.values()) == {"update"}, changed
    assert not [name for name in changed if "deployment" in name], changed
    _read_again(prometheus)
    until("the new price", lambda: _price(prometheus) == "vector(0.5)", 60)
    assert _started(prometheus) == before


def test_a_bad_rule_leaves_the_running_one_as_it_was(prometheus: Prometheus, dead_hub: float) -> None:
    before = _started(prometheus)
    with _BadRules(prometheus):
        _read_again(prometheus)
        until("the bad rule in the pod", lambda: _BAD_RULE in _mounted_rules(prometheus), 90)
        # Twice as long as start.sh waits between two looks.
        time.sleep(10)
        assert _price(prometheus)
        _goes_on(prometheus)
        assert _started(prometheus) == before


def test_a_dead_hub_is_told_to_the_webhook(receiver: str, prometheus: Prometheus, dead_hub: float) -> None:
    def told() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{receiver}/alerts", timeout=5) as answer:
            alerts = json.load(answer)
        return [alert for alert in alerts if alert["labels"]["alertname"] == "HubDown"]

    alert = until("the alert at the receiver", told, 240, every=2)[0]
    assert alert["status"] == "firing"
    assert alert["labels"]["severity"] == "critical"
    assert alert["labels"]["cluster"]
    assert {"summary", "description", "runbook"} <= alert["annotations"].keys()
    print(f"told {time.time() - dead_hub:.0f} s after the hub went")


def test_data_survive_a_kill_of_the_program_and_of_the_pod(prometheus: Prometheus) -> None:
    past = time.time() - 10
    (kept,) = prometheus.query('up{job="proxy"}', at=past)
    pod = _pod(prometheus, "prometheus")
    _kill_program(pod)
    until("another start", lambda: _restarts(prometheus) > _restarts_of(pod), 60)
    roll_out(prometheus.namespace, "prometheus")
    assert prometheus.query('up{job="proxy"}', at=past) == [kept]
    kubectl("-n", prometheus.namespace, "delete", "pod", pod["metadata"]["name"], seconds=330)
    roll_out(prometheus.namespace, "prometheus")
    assert _pod(prometheus, "prometheus")["metadata"]["uid"] != pod["metadata"]["uid"]
    assert prometheus.query('up{job="proxy"}', at=past) == [kept]


def test_a_start_with_a_bad_rule_goes_on_with_the_last_good_ones(prometheus: Prometheus) -> None:
    with _BadRules(prometheus):
        kubectl("-n", prometheus.namespace, "delete", "pod", _pod(prometheus, "prometheus")["metadata"]["name"])
        roll_out(prometheus.namespace, "prometheus")
        assert _BAD_RULE in _mounted_rules(prometheus)
        assert _in_use(prometheus) == "/prometheus/good"
        assert _price(prometheus)
        _goes_on(prometheus)
    _read_again(prometheus)
    until("the mended rules in use", lambda: _in_use(prometheus) == "/etc/elab/config", 60)
    assert _price(prometheus)


def _price(prometheus: Prometheus) -> str | None:
    """The pool's price in the rules that Prometheus has loaded; none: `_BadRules` took them from it."""
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    return next((rule["query"] for rule in rules if rule["name"] == "elab_pool_price_per_hour"), None)


def _in_use(prometheus: Prometheus) -> str:
    """The folder from which the program reads its configuration."""
    return run_in(prometheus.namespace, "deploy/prometheus", "readlink", "/prometheus/config")


def _goes_on(prometheus: Prometheus) -> None:
    """What is scraped from now on is there soon."""
    fresh = f'timestamp(up{{job="proxy"}}) > {time.time()}'
    until("a new sample", lambda: prometheus.query(fresh), 30)


def _mounted_rules(prometheus: Prometheus) -> str:
    """The file that `_BadRules` changes, as the pod sees it."""
    return run_in(prometheus.namespace, "deploy/prometheus", "cat", "/etc/elab/config/rules/settings.yaml") + "\n"


def _restarts_of(pod: Object) -> int:
    return pod["status"]["containerStatuses"][0]["restartCount"]


def _restarts(prometheus: Prometheus) -> int:
    return _restarts_of(_pod(prometheus, "prometheus"))


def _kill_program(pod: Object) -> None:
    """SIGKILL from outside: a container's first process is deaf to it from inside."""
    container = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    lines = output([*rig.LAB, "ctr", "task", "ls"]).splitlines()
    (pid,) = (int(line.split()[1]) for line in lines if line.startswith(container))
    os.kill(pid, signal.SIGKILL)


class _BadRules:
    """One file of the rules can't be used while this lasts."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._namespace = prometheus.namespace
        self._good = one("configmap", "prometheus-rules", self._namespace)["data"]["settings.yaml"]

    def _write(self, text: str) -> None:
        patch = json.dumps({"data": {"settings.yaml": text}})
        kubectl("-n", self._namespace, "patch", "configmap", "prometheus-rules", "--type=merge", "-p", patch)

    def __enter__(self) -> None:
        self._write(_BAD_RULE)

    def __exit__(self, *_: object) -> None:
        self._write(self._good)
