"""What Prometheus and Alertmanager themselves say to configurations: of the committed stacks, and of one with all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring.alerting_settings import Matcher
from operate.rig import HOME
from planning.recording import Recording
from tests.harness.platform import objects, platform, pod
from tests.harness.stacks import STACKS, plan
from tests.unit.monitoring.test_alerting import ALERTING, config, told
from tests.unit.monitoring.test_jobs import EVERYTHING

STORE = {"monitoring.remote_write": {"url": "https://s.example.org/push", "username": "a", "cidrs": ["192.0.2.9/32"]}}
RECORDINGS = [*STACKS, "all", "plain"]


def recording(name: str) -> Recording:
    if name in STACKS:
        return plan(name).recording
    return platform({**EVERYTHING, **ALERTING, **STORE} if name == "all" else {})


def run(program: str, *arguments: str | Path) -> str:
    path = HOME / "bin" / program
    if not path.exists():
        pytest.skip(f"{path} is not there: lab/lab build --checkers makes it")
    done = subprocess.run([path, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def namespace(found: Recording) -> str:
    (name,) = (one for one in objects(found, "Namespace") if one.endswith("-monitoring"))
    return name


def here(text: str, folder: Path) -> str:
    """A configuration with the paths of a container's files below a folder, and these files in it."""
    for path in ("/var/run/secrets/kubernetes.io/serviceaccount", "/etc/elab/credentials"):
        (folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for name in ("token", "ca.crt", "hub", "grafana", "remote-write", *SECRET_FILES):
            (folder / path.lstrip("/") / name).touch()
        text = text.replace(path, str(folder / path.lstrip("/")))
    return text


SECRET_FILES = (
    "alert_smtp_password",
    "alert_pagerduty_key",
    "alert_slack_url",
    "alert_webhook_url",
    "alert_webhook_url_2",
    "alert_heartbeat_url",
)


@pytest.mark.parametrize("name", RECORDINGS)
def test_prometheus_takes_the_configuration_with_all_its_jobs_and_rules(name: str, tmp_path: Path) -> None:
    found = recording(name)
    maps = objects(found, "ConfigMap")
    for part, folder in (("config", ""), ("scrape", "scrape"), ("rules", "rules")):
        (tmp_path / folder).mkdir(exist_ok=True)
        for file, text in maps[f"{namespace(found)}/prometheus-{part}"]["data"].items():
            (tmp_path / folder / file).write_text(here(text, tmp_path))
    said = run("promtool", "check", "config", tmp_path / "prometheus.yml")
    rules = len(maps[f"{namespace(found)}/prometheus-rules"]["data"])
    assert f"{rules} rule files found" in said, "it must have looked at every rule"


@pytest.mark.parametrize("name", RECORDINGS)
def test_alertmanager_takes_the_configuration(name: str, tmp_path: Path) -> None:
    found = recording(name)
    text = objects(found, "Secret")[f"{namespace(found)}/alertmanager-config"]["stringData"]["alertmanager.yml"]
    (tmp_path / "alertmanager.yml").write_text(here(text, tmp_path))
    assert "SUCCESS" in run("amtool", "check-config", tmp_path / "alertmanager.yml")


@pytest.mark.parametrize(
    "labels",
    [
        {"severity": "critical", "alertname": "HubDown"},
        {"severity": "warning", "alertname": "HubDown"},
        {"severity": "info", "alertname": "HubDown"},
        {"severity": "critical", "namespace": "kube-system"},
        {"severity": "none", "alertname": "Watchdog"},
        {"severity": "none", "alertname": "Other"},
    ],
    ids=lambda labels: "-".join(labels.values()),
)
def test_alertmanager_itself_routes_as_these_tests_do(labels: dict[str, Any], tmp_path: Path) -> None:
    found = platform(ALERTING)
    text = objects(found, "Secret")["elab-monitoring/alertmanager-config"]["stringData"]["alertmanager.yml"]
    file = tmp_path / "alertmanager.yml"
    file.write_text(here(text, tmp_path))
    pairs = [f"{name}={value}" for name, value in labels.items()]
    assert run("amtool", "config", "routes", "test", f"--config.file={file}", *pairs).strip() == told(
        config(found), **labels
    )


OTHERS = """
rule_files: [settings.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'kube_namespace_labels{namespace="elab-users", label_app_kubernetes_io_name="elab", label_app_kubernetes_io_instance="elab"}'
        values: 1x5
      - series: 'kube_namespace_labels{namespace="dev-users", label_app_kubernetes_io_name="elab", label_app_kubernetes_io_instance="dev"}'
        values: 1x5
      - series: 'kube_namespace_labels{namespace="kube-system"}'
        values: 1x5
    promql_expr_test:
      - expr: elab_other_namespace
        eval_time: 3m
        exp_samples: [{labels: 'elab_other_namespace{cluster="lab", namespace="dev-users"}', value: 1}]
"""  # noqa: E501  promtool's own notation


def test_the_namespaces_of_another_elab_are_known_by_their_labels(tmp_path: Path) -> None:
    found = platform({"monitoring.cluster_name": "lab"})
    (told,) = (one for one in pod(found, "deployment-kube-state-metrics").containers[0]["args"] if "allowlist" in one)
    assert "namespaces=[app.kubernetes.io/instance,app.kubernetes.io/name]" in told
    labels = objects(found, "Namespace")["elab-users"]["metadata"]["labels"]
    assert (labels["app.kubernetes.io/name"], labels["app.kubernetes.io/instance"]) == ("elab", "elab")
    rules = objects(found, "ConfigMap")["elab-monitoring/prometheus-rules"]["data"]["settings.yaml"]
    (tmp_path / "settings.yaml").write_text(rules)
    (tmp_path / "test.yaml").write_text(OTHERS)
    run("promtool", "test", "rules", tmp_path / "test.yaml")


EXPRESSIONS = {
    "elab-(?:hub|users)": True,
    "(?i)ELAB": True,
    r"a\\(?b": True,
    r"a\(?b": True,
    "[(?!+]+?": True,
    r"a\\+[.]b": True,
    "(?P<a>b){2,3}": True,
    "(?!kube-).+": False,
    "(?<=elab-)hub": False,
    "(?<!x)y": False,
    r"(a|b)\\1": False,
    "a++": False,
    "(?>a)b": False,
    "a|(?#b)c": False,
    "a{2": True,
    "a(": False,
}
"""Regular expressions as they stand between a matcher's quotation marks, and whether Alertmanager knows them."""


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_matcher_is_taken_exactly_where_alertmanager_takes_it(expression: str, tmp_path: Path) -> None:
    """With one that Python alone knows it would not start, or would go on with the routes that it had."""
    matcher = f'namespace=~"{expression}"'
    route = {"receiver": "nobody", "routes": [{"matchers": [matcher], "receiver": "nobody"}]}
    (tmp_path / "a.yml").write_text(yaml.safe_dump({"route": route, "receivers": [{"name": "nobody"}]}))
    if EXPRESSIONS[expression]:
        Matcher.check(matcher)
        assert "SUCCESS" in run("amtool", "check-config", tmp_path / "a.yml")
    else:
        with pytest.raises(ValueError, match=r"RE2|mend"):
            Matcher.check(matcher)
        with pytest.raises(AssertionError, match="error parsing regexp"):
            run("amtool", "check-config", tmp_path / "a.yml")
