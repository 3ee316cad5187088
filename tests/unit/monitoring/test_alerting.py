"""Alertmanager: alerts go where the stack says, and to nobody by mistake; its secrets stay in Secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring.alerting_settings import WebhookUrl
from components.monitoring.alertmanager import configuration
from planning.metrics import findings
from planning.recording import Recording
from stackfile.problems import StackError
from tests.harness.authorities import ONE
from tests.harness.platform import SECRET_VALUES, container, objects, platform, pod, settings

ROOT = Path(__file__).parents[3]
ALERTING: dict[str, Any] = {
    "monitoring.alerting": {
        "smtp": {"server": "mail.example.org:587", "sender": "elab@example.org", "username": "elab"},
        "receivers": [
            {"name": "operators", "kind": "email", "to": ["a@example.org", "b@example.org"]},
            {"name": "on-call", "kind": "pagerduty"},
            {"name": "chat", "kind": "slack", "channel": "#elab"},
            {"name": "hook", "kind": "webhook"},
            {"name": "open", "kind": "webhook", "url": "http://hook.alerts.svc:8080/x"},
            {"name": "teams", "kind": "webhook", "kept_in": "alert_webhook_url_2"},
        ],
        "routes": [{"matchers": ['namespace="kube-system"'], "receivers": ["hook", "teams"]}],
        "severities": {"critical": ["on-call", "operators"], "warning": ["chat"], "info": ["open"]},
        "heartbeat": {"interval": "2m"},
        "repeat_interval": "4h",
    }
}
GIVEN = {
    "alert_smtp_password",
    "alert_pagerduty_key",
    "alert_slack_url",
    "alert_webhook_url",
    "alert_webhook_url_2",
    "alert_heartbeat_url",
}


def config(recording: Recording) -> dict[str, Any]:
    return yaml.safe_load(
        objects(recording, "Secret")["elab-monitoring/alertmanager-config"]["stringData"]["alertmanager.yml"]
    )


def told(found: dict[str, Any], **labels: str) -> str:
    """Whom the first route that fits tells, as Alertmanager walks them."""
    for route in found["route"]["routes"]:
        pairs = [matcher.partition("=") for matcher in route["matchers"]]
        if all(labels.get(label) == value.strip('"') for label, _, value in pairs):
            return route["receiver"]
    return found["route"]["receiver"]


def test_an_alert_goes_by_its_severity_unless_a_route_says_otherwise() -> None:
    found = config(platform(ALERTING))
    assert told(found, severity="critical") == "on-call+operators"
    assert told(found, severity="warning") == "chat"
    assert told(found, severity="critical", namespace="kube-system") == "hook+teams"
    assert told(found, severity="info") == "open"


def test_a_severity_without_receivers_goes_to_nobody() -> None:
    for severity in ("critical", "warning", "info", "none"):
        assert told(config(platform()), severity=severity) == "nobody"
    assert config(platform())["receivers"] == [{"name": "nobody"}]


def test_the_watchdog_goes_to_the_heartbeat_and_never_to_people() -> None:
    found = config(platform(ALERTING))
    (route,) = (one for one in found["route"]["routes"] if one["receiver"] == "heartbeat")
    assert route["matchers"] == ['alertname="Watchdog"']
    assert route["repeat_interval"] == "2m"
    assert found["route"]["routes"][0] is route, "a route of the stack must not take the heartbeat away"
    assert told(found, alertname="Watchdog", severity="none", namespace="kube-system") == "heartbeat"
    assert told(config(platform()), alertname="Watchdog", severity="none") == "nobody"


def test_whoever_is_told_together_is_one_receiver_with_every_way() -> None:
    by_name = {one["name"]: one for one in config(platform(ALERTING))["receivers"]}
    both = by_name["on-call+operators"]
    assert [one["to"] for one in both["email_configs"]] == ["a@example.org", "b@example.org"]
    assert both["pagerduty_configs"] == [{"routing_key_file": "/etc/elab/credentials/alert_pagerduty_key"}]
    files = [f"/etc/elab/credentials/{key}" for key in ("alert_webhook_url", "alert_webhook_url_2")]
    assert by_name["hook+teams"]["webhook_configs"] == [{"url_file": file} for file in files]
    assert by_name["open"]["webhook_configs"] == [{"url": "http://hook.alerts.svc:8080/x"}]


def test_the_worse_silences_the_lesser_of_the_same_thing_alone() -> None:
    inhibitions = config(platform())["inhibit_rules"]
    assert {(*one["source_matchers"], *one["target_matchers"]) for one in inhibitions} == {
        ('severity="critical"', 'severity=~"warning|info"'),
        ('severity="warning"', 'severity="info"'),
    }
    for one in inhibitions:
        assert {"alertname", "cluster", "namespace", "persistentvolumeclaim"} <= set(one["equal"])


@pytest.mark.parametrize(
    ("alert", "label"),
    [
        ("KubePersistentVolumeFillingUp", "persistentvolumeclaim"),
        ("NodeFilesystemAlmostOutOfSpace", "mountpoint"),
        ("LogStoreDiskFilling", "name"),
        ("CertificateExpiring", "name"),
    ],
)
def test_a_disk_or_certificate_that_is_worse_off_hides_no_other(alert: str, label: str) -> None:
    """By the labels of the alert as promtool's own tests have it, so that none is missed that it really has."""
    (worse,) = {
        tuple(sorted(expected["exp_labels"].items()))
        for path in (ROOT / "tests/rules").glob("*.yaml")
        for test in yaml.load(path.read_text(), yaml.CSafeLoader)["tests"]
        for check in test.get("alert_rule_test", ())
        if check["alertname"] == alert
        for expected in check["exp_alerts"]
        if expected["exp_labels"]["severity"] == "critical"
    }
    source = {**dict(worse), "alertname": alert}
    for one in config(platform())["inhibit_rules"]:
        same, other = dict(source, severity="warning"), {**source, "severity": "warning", label: "another"}
        assert all(source.get(name) == same.get(name) for name in one["equal"])
        assert any(source.get(name) != other.get(name) for name in one["equal"])


def test_what_opens_a_door_is_a_file_of_a_secret_and_stands_nowhere_else() -> None:
    recording = platform(ALERTING)
    secrets = objects(recording, "Secret")
    credentials = secrets["elab-monitoring/alertmanager-credentials"]["stringData"]
    assert credentials == {key: SECRET_VALUES[key] for key in GIVEN}
    for one in recording.kubernetes():
        if one.inputs["metadata"]["name"] != "alertmanager-credentials":
            assert not [key for key in GIVEN if SECRET_VALUES[key] in str(one.inputs)], one.urn
    volumes = pod(recording, "deployment-alertmanager").spec["volumes"]
    (source,) = next(one["projected"]["sources"] for one in volumes if one["name"] == "credentials")
    assert {item["key"] for item in source["secret"]["items"]} == GIVEN


def test_without_credentials_there_is_no_secret_of_them() -> None:
    assert "elab-monitoring/alertmanager-credentials" not in objects(platform(), "Secret")


def test_a_changed_receiver_is_read_and_does_not_roll_it() -> None:
    templates = [
        objects(platform(changes), "Deployment")["elab-monitoring/alertmanager"]["spec"]["template"]
        for changes in (ALERTING, {"monitoring.alerting": {**ALERTING["monitoring.alerting"], "repeat_interval": "1h"}})
    ]
    assert templates[0] == templates[1]


def test_it_speaks_through_the_corporate_proxy_where_there_is_one() -> None:
    proxy = {"network": {"https_proxy": "http://proxy.example.org:3128", "proxy_cidrs": ["10.70.0.1/32"]}}
    assert config(platform({**ALERTING, **proxy}))["global"]["http_config"] == {"proxy_from_environment": True}
    environment = {one["name"] for one in container(platform({**ALERTING, **proxy}), "deployment-alertmanager")["env"]}
    assert "HTTPS_PROXY" in environment
    assert "http_config" not in config(platform(ALERTING))["global"]


def test_the_institutions_authorities_are_trusted_by_who_speaks_to_the_world() -> None:
    recording = platform({"network": {"ca_certificates": ONE}})
    for name in ("deployment-alertmanager", "deployment-prometheus"):
        (path,) = (one["value"] for one in container(recording, name)["env"] if one["name"] == "SSL_CERT_FILE")
        folder, _, file = path.rpartition("/")
        (mount,) = (one for one in container(recording, name)["volumeMounts"] if one["mountPath"] == folder)
        (volume,) = (one for one in pod(recording, name).spec["volumes"] if one["name"] == mount["name"])
        (source,) = volume["projected"]["sources"]
        assert objects(recording, "ConfigMap")[f"elab-monitoring/{source['configMap']['name']}"]["data"][file] == ONE
        assert "SSL_CERT_FILE" not in str(container(platform(), name).get("env"))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, {"monitoring.alerting.severities"}),
        (
            {"monitoring.alerting": {**ALERTING["monitoring.alerting"], "heartbeat": None}},
            {"monitoring.alerting.heartbeat"},
        ),
        (ALERTING, set()),
        ({"monitoring": {"enabled": False}}, set()),
    ],
    ids=["nobody", "no-heartbeat", "complete", "off"],
)
def test_a_plan_says_that_nobody_is_told_or_that_nobody_watches_the_watcher(
    changes: dict[str, Any], where: set[str]
) -> None:
    assert {found.where for found in findings(settings(changes))} == where


def test_the_configuration_has_no_way_around_the_files_of_credentials() -> None:
    """Alertmanager takes each also in clear; a slip there would be seen here."""
    found = configuration(settings(ALERTING).monitoring.alerting, by_proxy=False)
    clear = {"smtp_auth_password", "api_url", "routing_key", "service_key", "slack_api_url"}
    ways = [
        way for receiver in found["receivers"] for ways in receiver.values() if isinstance(ways, list) for way in ways
    ]
    assert not clear & {key for way in (*ways, found["global"]) for key in way}


@pytest.mark.parametrize(
    "address",
    [
        "https://n8n.example.org/webhook/2f1c9a04-7a51-4f0e-9d3c-5b8e6a7d1c22",
        "https://discord.com/api/webhooks/1190000000000000001/abcDEF_ghi-JKL0123456789",
    ],
)
def test_an_address_that_holds_a_key_is_refused_by_its_rule_and_shown_to_nobody(address: str) -> None:
    receivers = [{"name": "hook", "kind": "webhook", "url": address}]
    with pytest.raises(StackError) as refused:
        settings({"monitoring.alerting": {"receivers": receivers, "severities": {"critical": ["hook"]}}})
    (problem,) = refused.value.problems
    assert "a key in its path" in problem.allowed
    assert "elab:alert_webhook_url" in problem.fix
    assert address.rpartition("/")[2] not in str(refused.value)


@pytest.mark.parametrize("kind", ["webhook", "pagerduty"])
def test_two_receivers_never_share_an_address_unawares(kind: str) -> None:
    """What is meant for the one would be told to the other."""
    receivers = [{"name": name, "kind": kind} for name in ("first", "second")]
    with pytest.raises(StackError) as refused:
        settings({"monitoring.alerting": {"receivers": receivers}})
    (problem,) = refused.value.problems
    assert problem.where == "monitoring.alerting.receivers.1.kept_in"
    assert "as first has" in problem.found
    receivers[1]["kept_in"] = problem.fix.partition("(")[2].split(", ")[1]
    settings({"monitoring.alerting": {"receivers": receivers}})


def test_a_receiver_has_one_address() -> None:
    both = {"name": "a", "kind": "webhook", "url": "https://a.example.org", "kept_in": "alert_webhook_url_2"}
    with pytest.raises(StackError, match="leave out url, or kept_in"):
        settings({"monitoring.alerting": {"receivers": [both]}})


def test_an_address_of_words_and_a_date_holds_no_key() -> None:
    WebhookUrl.check("https://alerts.example.org/alertmanager20261125production1")
