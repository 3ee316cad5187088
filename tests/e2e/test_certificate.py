"""Where the proxy ends TLS itself, a renewed certificate is served: the kubelet starts its container anew for it.

The recorded Deployment's pod in the lab, without the rest of the platform: its liveness probe alone is quicker.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.cluster import found, kubectl, one, run_in, try_kubectl, until
from tests.harness.pairs import certificate, new_key, pem
from tests.harness.platform import ENTRIES, objects, pod, unmonitored

NAMESPACE = "e2e-certificate"
TLS = {"kind": "secret", "name": "jupyter-tls"}
RENEWED = "the certificate was renewed since the proxy started"

Put = Callable[[bytes, bytes], None]


def _secret(name: str, **values: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def _pair(cert: bytes, key: bytes) -> dict[str, Any]:
    return _secret(TLS["name"], **{"tls.crt": cert.decode(), "tls.key": key.decode()})


def _apply(*bodies: dict[str, Any]) -> None:
    kubectl("-n", NAMESPACE, "apply", "-f", "-", text=yaml.safe_dump_all(bodies))


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The recorded pod, with the lab's image and a probe that waits for seconds only."""
    recording = unmonitored({**ENTRIES["node_port"], "entry.tls": TLS})
    made = json.loads(json.dumps(dict(pod(recording, "deployment-proxy").spec)))
    del made["priorityClassName"]
    (container,) = made["containers"]
    container["image"] = "lab.local/proxy:1"
    container["resources"]["requests"] = {"cpu": "1m", "memory": "64Mi"}
    container["livenessProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1, "failureThreshold": 3}
    return made


@pytest.fixture
def put(lab: None, spec: dict[str, Any]) -> Iterator[Put]:
    """A proxy that serves a certificate of 90 days; gives what puts another pair in its Secret's place."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl("apply", "-f", "-", text=yaml.safe_dump(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": restricted}}
    ))  # fmt: skip
    files = objects(unmonitored({**ENTRIES["node_port"], "entry.tls": TLS}), "ConfigMap")["elab-hub/proxy-files"]
    key = new_key()
    _apply(
        _pair(certificate(key), pem(key)),
        _secret("proxy-token", token="lab"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "proxy-files"}, "data": dict(files["data"])},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "proxy"}, "spec": spec},
    )
    kubectl("-n", NAMESPACE, "wait", "pod/proxy", "--for=condition=Ready", "--timeout=60s", seconds=70)
    changes = iter(range(100))

    def replace(cert: bytes, private: bytes) -> None:
        _apply(_pair(cert, private))

        def written() -> bool:
            # A pod that changes has its volumes looked at; the kubelet would else take its minute.
            kubectl("-n", NAMESPACE, "annotate", "pod/proxy", f"looked-at={next(changes)}", "--overwrite")
            return run_in(NAMESPACE, "proxy", "cat", "/etc/elab/tls/tls.crt") == cert.decode().strip()

        until("the new files", written, 120, every=2)

    yield replace
    kubectl("delete", "namespace", NAMESPACE, "--wait", seconds=90)


def _restarts() -> int:
    (status,) = one("pod", "proxy", NAMESPACE)["status"]["containerStatuses"]
    return status["restartCount"]


def _complaints() -> str:
    return "\n".join(event["message"] for event in found("events", NAMESPACE) if event["reason"] == "Unhealthy")


def test_a_renewed_certificate_is_served_and_one_that_no_proxy_could_start_with_ends_nothing(
    put: Put, spec: dict[str, Any]
) -> None:
    command = spec["containers"][0]["livenessProbe"]["exec"]["command"]

    def code() -> int:
        """0 where what is served is what the Secret holds, or what it holds is of no use."""
        return try_kubectl("-n", NAMESPACE, "exec", "proxy", "--", *command).returncode

    assert code() == 0
    key = new_key()
    put(certificate(key), pem(new_key()))
    time.sleep(6)  # twice what the probe takes to end a container
    assert code() == 0
    assert _restarts() == 0
    renewed = certificate(key)
    put(renewed, pem(key))
    until("the kubelet ends the proxy", lambda: _restarts() == 1, 60)
    until("the new one serves the renewed certificate", lambda: code() == 0, 30)
    assert RENEWED in _complaints()
    assert _restarts() == 1
