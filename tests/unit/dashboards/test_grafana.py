"""Grafana: where it is found, what it shows, that it keeps nothing, and that it speaks to nobody outside."""

from __future__ import annotations

import configparser
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from components.monitoring.dashboards.catalogue import selected
from planning.recording import Recording
from stackfile.problems import StackError
from tests.harness.platform import ENTRIES, container, objects, platform, pod, settings, with_secrets

ADMINS = {"directory.groups.admins": ["cn=admins,ou=groups,dc=example,dc=org"]}
OPENSTACK = {**ADMINS, "monitoring": {"openstack": {"exporters": ["10.1.1.2:9180"]}}}
OWN_HOST = {"monitoring": {"grafana": {"host": "graphs.example.org"}}}
WORKLOAD = "deployment-grafana"


def data(recording: Recording, config_map: str = "grafana-config") -> Mapping[str, str]:
    return objects(recording, "ConfigMap")[f"elab-monitoring/{config_map}"]["data"]


def ini(recording: Recording) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(data(recording)["grafana.ini"])
    return parser


def environment(recording: Recording) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container(recording, WORKLOAD)["env"]}


def volumes(recording: Recording) -> dict[str, Mapping[str, Any]]:
    """What lies at each path of the container."""
    named = {one["name"]: one for one in pod(recording, WORKLOAD).spec["volumes"]}
    return {mount["mountPath"]: named[mount["name"]] for mount in container(recording, WORKLOAD)["volumeMounts"]}


def files(recording: Recording, path: str) -> dict[str, str]:
    """The files that ConfigMaps put below a path."""
    return {
        item["path"]: data(recording, source["configMap"]["name"])[item["key"]]
        for source in volumes(recording)[path]["projected"]["sources"]
        for item in source["configMap"]["items"]
    }


def annotations(recording: Recording) -> Mapping[str, str]:
    return objects(recording, "Deployment")["elab-monitoring/grafana"]["spec"]["template"]["metadata"]["annotations"]


def test_it_keeps_nothing() -> None:
    recording = platform()
    kept = [name for name in objects(recording, "PersistentVolumeClaim") if "grafana" in name]
    assert kept == []
    paths = ini(recording)["paths"]
    writable = {path for path, volume in volumes(recording).items() if "emptyDir" in volume}
    assert writable == {"/tmp", paths["data"]}
    assert all(paths[key].startswith(paths["data"]) for key in ("logs", "plugins"))


def test_nobody_gets_in_without_a_login_and_nobody_signs_up() -> None:
    found = ini(platform())
    assert not found["auth.anonymous"].getboolean("enabled")
    assert not found["users"].getboolean("allow_sign_up")
    assert not found["public_dashboards"].getboolean("enabled")
    assert not found["snapshots"].getboolean("enabled")


def test_it_fetches_nothing_and_tells_nothing() -> None:
    found = ini(platform())
    off = {
        "analytics": ["reporting_enabled", "check_for_updates", "check_for_plugin_updates", "feedback_links_enabled"],
        "plugins": ["plugin_admin_enabled", "preinstall_auto_update"],
        "news": ["news_feed_enabled"],
        "snapshots": ["external_enabled"],
        "cloud_migration": ["enabled"],
    }
    on = {"plugins": ["preinstall_disabled", "public_key_retrieval_disabled"], "security": ["disable_gravatar"]}
    assert not [(section, key) for section, keys in off.items() for key in keys if found[section].getboolean(key)]
    assert all(found[section].getboolean(key) for section, keys in on.items() for key in keys)


def test_its_administrator_has_a_random_password() -> None:
    secret = objects(platform(), "Secret")["elab-monitoring/grafana-admin"]["stringData"]
    assert len(bytes.fromhex(secret["password"])) == 32


def test_every_secret_comes_from_a_secret_that_is_there() -> None:
    recording = platform(ADMINS)
    secrets = objects(recording, "Secret")
    references = {
        name: source["secretKeyRef"] for name, source in environment(recording).items() if isinstance(source, dict)
    }
    assert {name: (ref["name"], ref["key"]) for name, ref in references.items()} == {
        "GF_SECURITY_ADMIN_PASSWORD": ("grafana-admin", "password"),
        "GF_SECURITY_SECRET_KEY": ("grafana-signing", "value"),
        "GF_METRICS_BASIC_AUTH_PASSWORD": ("scrape-credentials", "grafana"),
        "ELAB_LDAP_BIND_PASSWORD": ("grafana-ldap-bind", "value"),
    }
    for ref in references.values():
        assert secrets[f"elab-monitoring/{ref['name']}"]["stringData"][ref["key"]]


def published(recording: Recording) -> set[tuple[str, str]]:
    return {
        (rule["host"], path["path"])
        for body in objects(recording, "Ingress").values()
        for rule in body["spec"]["rules"]
        for path in rule["http"]["paths"]
        if path["backend"]["service"]["name"] == "grafana"
    }


def probes(recording: Recording) -> set[str]:
    found = container(recording, WORKLOAD)
    return {found[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}


@pytest.mark.parametrize(
    ("changes", "url", "doors"),
    [
        ({}, "https://jupyter.example.org/grafana/", {("jupyter.example.org", "/grafana")}),
        (OWN_HOST, "https://graphs.example.org/", {("graphs.example.org", "/")}),
        ({"monitoring": {"grafana": {"published": False}}}, "http://localhost:3000/", set()),
        (ENTRIES["load_balancer"], "http://localhost:3000/", set()),
        (ENTRIES["node_port"], "http://localhost:3000/", set()),
    ],
    ids=["path", "host", "unpublished", "load_balancer", "node_port"],
)
def test_it_is_found_where_it_believes_to_be(changes: dict[str, Any], url: str, doors: set[tuple[str, str]]) -> None:
    recording = platform(changes)
    variables, path = environment(recording), urlsplit(url).path.rstrip("/")
    assert published(recording) == doors
    assert variables["GF_SERVER_ROOT_URL"] == url
    assert variables["GF_SERVER_SERVE_FROM_SUB_PATH"] == ("true" if path else "false")
    assert variables["GF_SECURITY_COOKIE_SECURE"] == ("true" if url.startswith("https") else "false")
    # Without the path in front, Grafana answers by a redirection, which a probe takes for health.
    assert probes(recording) == {f"{path}/api/health", f"{path}/healthz"}
    scrape = yaml.safe_load(data(recording, "prometheus-scrape")["grafana.yaml"])["scrape_configs"]
    assert [job["metrics_path"] for job in scrape] == [f"{path}/metrics"]


def test_a_gateway_leads_to_it_by_a_route_of_its_own() -> None:
    route = objects(platform(ENTRIES["gateway"]), "HTTPRoute")["elab-monitoring/grafana"]["spec"]
    (rule,) = route["rules"]
    assert [match["path"]["value"] for match in rule["matches"]] == ["/grafana"]
    assert [ref["name"] for ref in rule["backendRefs"]] == ["grafana"]


def test_data_sources_are_services_that_are_there() -> None:
    recording = platform()
    (source,) = (text for path, text in files(recording, "/etc/grafana").items() if "datasources" in path)
    services = objects(recording, "Service")
    for one in yaml.safe_load(source)["datasources"]:
        address = urlsplit(one["url"])
        (port,) = services[f"elab-monitoring/{address.hostname}"]["spec"]["ports"]
        assert port["port"] == address.port
        assert not one["editable"]


def test_rates_are_reckoned_from_the_stacks_scrape_interval() -> None:
    recording = platform({"monitoring": {"scrape_interval": "15s"}})
    (source,) = (text for path, text in files(recording, "/etc/grafana").items() if "datasources" in path)
    assert yaml.safe_load(source)["datasources"][0]["jsonData"]["timeInterval"] == "${ELAB_SCRAPE_INTERVAL}"
    assert environment(recording)["ELAB_SCRAPE_INTERVAL"] == "15s"


def test_the_dashboards_lie_where_grafana_looks_and_cannot_be_changed_there() -> None:
    recording = platform()
    (provider,) = yaml.safe_load(files(recording, "/etc/grafana")["provisioning/dashboards/elab.yaml"])["providers"]
    found = files(recording, provider["options"]["path"])
    assert found == {f"{name}.json": text for name, text in selected(()).items()}
    assert not provider["allowUiUpdates"]
    folder, _, home = ini(recording)["dashboards"]["default_home_dashboard_path"].rpartition("/")
    assert (folder, home in found) == (provider["options"]["path"], True)


def test_dashboards_of_systems_that_the_stack_does_not_watch_are_left_out() -> None:
    found = files(platform(OPENSTACK), "/etc/elab/dashboards")
    assert "openstack.json" in found
    assert "ceph.json" not in found


def test_each_dashboard_has_a_config_map_of_its_own() -> None:
    for source in volumes(platform())["/etc/elab/dashboards"]["projected"]["sources"]:
        (item,) = source["configMap"]["items"]
        assert json.loads(data(platform(), source["configMap"]["name"])[item["key"]])["uid"].startswith("elab-")


def test_a_changed_dashboard_is_read_and_a_changed_configuration_rolls(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "elab.dev/content-hash"
    before = annotations(platform(ADMINS))[key]
    other = {"directory.groups.admins": ["cn=others,ou=groups,dc=example,dc=org"]}
    assert annotations(platform(other))[key] != before
    assert annotations(platform(OPENSTACK))[key] == before


def test_a_new_bind_password_rolls_it_and_shows_nothing_of_itself() -> None:
    hashes = set()
    for password in ("first", "second"):
        recording = with_secrets({"ldap_bind_password": password}, ADMINS)
        found = annotations(recording)["elab.dev/secrets-hash"]
        assert password not in found
        hashes.add(found)
    assert len(hashes) == 2


def problems(changes: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(StackError) as refused:
        settings(changes)
    return {problem.where: problem.fix for problem in refused.value.problems}


def test_a_door_that_leads_to_one_service_publishes_no_grafana() -> None:
    found = problems({**ENTRIES["node_port"], "monitoring": {"grafana": {"published": True}}})
    assert "don't publish grafana" in found["entry.kind"]


def test_a_host_that_nothing_leads_to_is_refused() -> None:
    assert set(problems({**ENTRIES["load_balancer"], **OWN_HOST})) == {"monitoring.grafana.host"}


def test_the_hubs_own_host_is_refused() -> None:
    same = {"monitoring": {"grafana": {"host": "jupyter.example.org"}}}
    assert "/grafana" in problems(same)["monitoring.grafana.host"]


def test_a_group_filter_that_grafana_cannot_follow_is_refused_only_where_somebody_logs_in() -> None:
    both = {"directory.groups.filter": "(&(member={dn})(memberUid={username}))"}
    assert set(problems({**both, **ADMINS})) == {"directory.groups.filter"}
    settings(both)
