"""Every container of the platform, on every cloud and behind every door, is bounded and can gain no rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from planning.pods import PodTemplate
from planning.recording import Recording
from stackfile.quantities import Bytes, Cpu
from tests.harness.platform import CLOUDS, WAYS, objects, platform, pods, resource, settings, waits_for

SPEAKS_TO_THE_API = {
    "deployment-hub": "hub",
    "deployment-kube-state-metrics": "kube-state-metrics",
    "deployment-prometheus": "prometheus",
    "deployment-user-scheduler": "user-scheduler",
}
"""The only workloads with a ServiceAccount's token, and whose."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def recording(way: str) -> Recording:
    return platform(WAYS[way])


def short(template: PodTemplate) -> str:
    return template.owner.rpartition("/")[2]


def packed_by_elab(way: str) -> set[str]:
    """The user scheduler, where the cloud does not pack by itself."""
    return {"deployment-user-scheduler"} if settings(WAYS[way]).packs else set()


def test_all_the_workloads_are_looked_at(way: str, recording: Recording) -> None:
    assert {short(template) for template in pods(recording)} - packed_by_elab(way) == {
        "daemonset-node-exporter",
        "daemonset-puller-general",
        "daemonset-puller-memory",
        "deployment-alertmanager",
        "deployment-grafana",
        "deployment-hub",
        "deployment-kube-state-metrics",
        "deployment-placeholder-general",
        "deployment-prometheus",
        "deployment-proxy",
        "deployment-pushgateway",
    }


def test_every_container_states_requests_that_are_within_its_limits(recording: Recording) -> None:
    for template in pods(recording):
        for container in template.containers:
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert 0 < Cpu(requests["cpu"]).millicores <= Cpu(limits["cpu"]).millicores, template.owner
            assert 0 < Bytes(requests["memory"]).bytes <= Bytes(limits["memory"]).bytes, template.owner


def unsafe(spec: Mapping[str, Any], container: Mapping[str, Any]) -> list[str]:
    """What Pod Security `restricted` would refuse, and what elab asks for beyond it."""
    security = container.get("securityContext") or {}
    of_pod = spec.get("securityContext") or {}
    rules = {
        "non-root": security.get("runAsNonRoot") is True and of_pod.get("runAsNonRoot") is True,
        "not root by number": security.get("runAsUser", of_pod.get("runAsUser")) != 0,
        "no escalation": security.get("allowPrivilegeEscalation") is False,
        "no capability": security.get("capabilities") == {"drop": ["ALL"]},
        "seccomp": security.get("seccompProfile") == of_pod.get("seccompProfile") == {"type": "RuntimeDefault"},
        "read-only root": security.get("readOnlyRootFilesystem") is True,
        "not privileged": not security.get("privileged"),
        "no host port": all("hostPort" not in port for port in container.get("ports", [])),
        "none of the host's namespaces": not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
        "none of the host's paths": all("hostPath" not in volume for volume in spec.get("volumes", [])),
    }
    return [rule for rule, holds in rules.items() if not holds]


def test_no_container_can_gain_rights(recording: Recording) -> None:
    found = {
        f"{short(template)}/{container['name']}": unsafe(template.spec, container)
        for template in pods(recording)
        for container in template.containers
    }
    assert {name: rules for name, rules in found.items() if rules} == {
        # It tells of the host, and so must look at it.
        "daemonset-node-exporter/node-exporter": [
            "no host port",
            "none of the host's namespaces",
            "none of the host's paths",
        ]
    }


def test_only_what_speaks_to_the_api_server_has_a_token(way: str, recording: Recording) -> None:
    with_token = {
        short(template): template.spec.get("serviceAccountName")
        for template in pods(recording)
        if template.spec.get("automountServiceAccountToken") is not False
    }
    there = SPEAKS_TO_THE_API.keys() - {"deployment-user-scheduler"} | packed_by_elab(way)
    assert with_token == {name: SPEAKS_TO_THE_API[name] for name in there}
    accounts = objects(recording, "ServiceAccount")
    assert {body["automountServiceAccountToken"] for body in accounts.values()} == {False}


def test_every_pod_has_a_priority_class_that_the_platform_makes(recording: Recording) -> None:
    classes = objects(recording, "PriorityClass")
    for template in pods(recording):
        named = short(template)
        tier = next((tier for tier in ("placeholder", "puller") if f"{tier}-" in named), "platform")
        tier = "placeholders" if tier == "placeholder" else tier
        assert template.spec["priorityClassName"] == f"elab-{tier}"
        assert f"elab-{tier}" in classes


def test_no_pod_gets_the_addresses_of_services_in_its_environment(recording: Recording) -> None:
    assert {template.spec.get("enableServiceLinks") for template in pods(recording)} == {False}


def test_where_the_cluster_assigns_uids_no_pod_asks_for_one() -> None:
    for template in pods(platform(CLOUDS["openshift"])):
        contexts = [template.spec["securityContext"], *(one["securityContext"] for one in template.containers)]
        asked = {key for context in contexts for key in ("runAsUser", "runAsGroup", "fsGroup") if key in context}
        assert asked == set(), template.owner
        assert all(context["runAsNonRoot"] for context in contexts)


def test_where_it_assigns_uids_one_account_alone_may_look_at_its_host_and_changes_nothing_of_it() -> None:
    recording = platform(CLOUDS["openshift"])
    (found,) = objects(recording, "SecurityContextConstraints").values()
    assert found["users"] == ["system:serviceaccount:elab-node:default"]
    assert found["requiredDropCapabilities"] == ["ALL"]
    assert {key for key, value in found.items() if value is True} == {
        *("allowHostDirVolumePlugin", "allowHostNetwork", "allowHostPID", "allowHostPorts", "readOnlyRootFilesystem")
    }
    daemons = resource(recording, "DaemonSet", "elab-node/node-exporter")
    assert resource(recording, "SecurityContextConstraints", "elab-node-exporter").urn in waits_for(
        recording, daemons.urn
    )


@pytest.mark.parametrize("cloud", [cloud for cloud in CLOUDS if cloud != "openshift"])
def test_where_it_does_not_a_writable_disk_belongs_to_the_pods_group(cloud: str) -> None:
    recording = platform(CLOUDS[cloud])
    assert objects(recording, "SecurityContextConstraints") == {}
    for template in pods(recording):
        security = template.spec["securityContext"]
        assert security["runAsUser"] > 0
        if any("persistentVolumeClaim" in volume for volume in template.spec.get("volumes", [])):
            assert security["fsGroup"] > 0
            assert security["fsGroupChangePolicy"] == "OnRootMismatch"


def test_a_pod_pulls_with_the_stacks_pull_secrets() -> None:
    for template in pods(platform({"images": {"pull_secrets": ["registry"]}})):
        assert template.spec["imagePullSecrets"] == [{"name": "registry"}], template.owner
