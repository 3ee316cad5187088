"""The proxy: TLS where nothing before it ends it, people's addresses as they are, one routing table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.harness.platform import ENTRIES, container, objects, pod, unmonitored

ROOT = Path(__file__).parents[3]

TLS_AT_THE_PROXY = {
    "load_balancer": ENTRIES["load_balancer"],
    "node_port": {**ENTRIES["node_port"], "entry.tls": {"kind": "secret", "name": "jupyter-tls"}},
}
TLS_BEFORE_IT = {"ingress": {}, "gateway": ENTRIES["gateway"], "node_port-without": ENTRIES["node_port"]}


def arguments(changes: dict[str, Any]) -> list[str]:
    return list(container(unmonitored(changes), "deployment-proxy")["args"])


@pytest.mark.parametrize(
    ("kind", "told"), [("ingress", True), ("gateway", True), ("load_balancer", False), ("node_port", False)]
)
def test_forwarded_addresses_are_left_alone_exactly_behind_a_door_that_writes_them(kind: str, told: bool) -> None:
    """Else the address of a login form changes with the door's pod, and the hub refuses the form; or there is none."""
    assert ("--no-x-forward" in arguments(ENTRIES[kind])) is told


@pytest.mark.parametrize("kind", TLS_AT_THE_PROXY)
def test_where_nothing_before_it_ends_tls_the_proxy_does(kind: str) -> None:
    changes = TLS_AT_THE_PROXY[kind]
    spec = pod(unmonitored(changes), "deployment-proxy").spec
    (found,) = spec["containers"]
    assert {"--port=8443", "--ssl-key=/etc/elab/tls/tls.key", "--ssl-cert=/etc/elab/tls/tls.crt"} <= set(found["args"])
    (volume,) = [one for one in spec["volumes"] if "secret" in one]
    assert volume["secret"]["secretName"] == "jupyter-tls"
    (mount,) = [one for one in found["volumeMounts"] if one["name"] == volume["name"]]
    assert (mount["mountPath"], mount["readOnly"]) == ("/etc/elab/tls", True)
    assert found["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"


@pytest.mark.parametrize("kind", TLS_AT_THE_PROXY)
def test_a_proxy_that_ends_tls_is_asked_whether_it_serves_what_its_secret_holds(kind: str) -> None:
    recording = unmonitored(TLS_AT_THE_PROXY[kind])
    spec = pod(recording, "deployment-proxy").spec
    (found,) = spec["containers"]
    probe = found["livenessProbe"]
    program, script, port, folder = probe["exec"]["command"]
    mounts = {mount["mountPath"]: mount["name"] for mount in found["volumeMounts"]}
    sources = {volume["name"]: volume for volume in spec["volumes"]}
    # The script is there, and looks at the very port and files that the proxy was given.
    where, _, name = script.rpartition("/")
    held = objects(recording, "ConfigMap")[f"elab-hub/{sources[mounts[where]]['configMap']['name']}"]["data"]
    assert program == "node"
    assert held[name] == (ROOT / "components/hub/files/proxy/alive.js").read_text()
    assert {f"--port={port}", f"--ssl-key={folder}/tls.key", f"--ssl-cert={folder}/tls.crt"} <= set(found["args"])
    assert "secret" in sources[mounts[folder]]
    # A renewal is served within minutes; a moment's slowness ends nothing.
    assert 120 <= probe["periodSeconds"] * probe["failureThreshold"] <= 300
    assert probe["timeoutSeconds"] < probe["periodSeconds"]
    patience = re.search(r"PATIENCE = (\d+)", held[name])
    assert patience
    assert int(patience[1]) < probe["timeoutSeconds"] * 1000


@pytest.mark.parametrize("kind", TLS_BEFORE_IT)
def test_where_the_door_ends_tls_the_proxy_has_no_certificate(kind: str) -> None:
    spec = pod(unmonitored(TLS_BEFORE_IT[kind]), "deployment-proxy").spec
    (found,) = spec["containers"]
    assert [one for one in found["args"] if "ssl" in one] == []
    assert [one for one in spec["volumes"] if "secret" in one or "configMap" in one] == []
    assert {probe["httpGet"]["scheme"] for probe in (found["readinessProbe"], found["livenessProbe"])} == {"HTTP"}
    assert "--port=8000" in found["args"]


@pytest.mark.parametrize("kind", [*TLS_AT_THE_PROXY, *TLS_BEFORE_IT])
def test_the_public_service_leads_to_the_port_that_the_proxy_listens_on(kind: str) -> None:
    recording = unmonitored({**TLS_AT_THE_PROXY, **TLS_BEFORE_IT}[kind])
    (port,) = objects(recording, "Service")["elab-hub/proxy-public"]["spec"]["ports"]
    (listening,) = [
        one for one in container(recording, "deployment-proxy")["ports"] if one["name"] == port["targetPort"]
    ]
    assert f"--port={listening['containerPort']}" in container(recording, "deployment-proxy")["args"]


def test_one_proxy_alone_holds_the_routes() -> None:
    spec = objects(unmonitored(), "Deployment")["elab-hub/proxy"]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_hub_and_proxy_share_one_token_that_stands_in_no_manifest() -> None:
    recording = unmonitored()
    token = {"name": "CONFIGPROXY_AUTH_TOKEN", "valueFrom": {"secretKeyRef": {"name": "proxy-token", "key": "token"}}}
    assert token in container(recording, "deployment-proxy")["env"]
    assert token in container(recording, "deployment-hub")["env"]
    assert len(objects(recording, "Secret")["elab-hub/proxy-token"]["stringData"]["token"]) == 64


def test_requests_without_a_route_go_to_the_hub() -> None:
    found = arguments({})
    assert "--default-target=http://hub.elab-hub.svc:8081" in found
    assert "--error-target=http://hub.elab-hub.svc:8081/hub/error" in found
