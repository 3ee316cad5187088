"""Each rule is broken once, in a recorded platform that holds to all of them."""

from __future__ import annotations

import copy
import dataclasses
import functools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from planning.people import people
from planning.policies import resources
from policy.judge import context, judge
from policy.rules import RULES
from policy.rules.model import Context, Resource
from tests.harness.platform import platform, settings

CASES = yaml.safe_load(Path(__file__).with_name("broken.yaml").read_text(encoding="utf-8"))


@functools.cache
def good() -> tuple[tuple[Resource, ...], Context]:
    """A platform with data protection and digests, judged as prod."""
    changes = {"protection": {"protect": True}, "storage.reclaim_policy": "Retain"}
    found = settings(changes)
    recording = platform(changes)
    servers = people(found, recording.outputs["notebook_image"])
    told = dataclasses.replace(context(found), environment="prod")
    images = {str(body["image"]) for one in resources(recording, servers.manifests) for body in bodies(one)}
    return tuple(resources(recording, servers.manifests)), dataclasses.replace(told, pending=frozenset(images))


def bodies(one: Resource) -> list[dict[str, Any]]:
    """All containers of a resource."""
    pod: Any = one.pod or {}
    return [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]


def broken(case: dict[str, Any]) -> tuple[list[Resource], Context]:
    """The good platform with one case's change."""
    found, told = list(good()[0]), good()[1]
    if "context" in case:
        figures = {name: None if value is None else Decimal(value) for name, value in case["context"].items()}
        return found, dataclasses.replace(told, **figures)
    if "add" in case:
        body = case["add"]
        return [*found, Resource(urn="urn:added", type=f"kubernetes:x:{body['kind']}", inputs=body)], told
    (index,) = (index for index, one in enumerate(found) if one.key == case.get("of", case["at"]))
    if "protect" in case:
        found[index] = dataclasses.replace(found[index], protect=case["protect"])
    else:
        inputs = copy.deepcopy(dict(found[index].inputs))
        set_at(inputs, [step.replace("~", ".") for step in case["path"].split(".")], case["value"])
        found[index] = dataclasses.replace(found[index], inputs=inputs)
    return found, told


def set_at(body: Any, path: list[str], value: object) -> None:  # noqa: ANN401  a manifest
    *parents, last = [int(step) if step.isdigit() else step for step in path]
    for step in parents:
        body = body[step]
    if value is None:
        del body[last]
    else:
        body[last] = value


def violations(found: list[Resource], told: Context) -> set[tuple[str, str]]:
    return {(one.rule.name, one.where) for one in judge(found, told, (), "test")}


@functools.cache
def before() -> set[tuple[str, str]]:
    return violations(list(good()[0]), good()[1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rule']}-{case['at']}")
def test_each_rule_sees_what_breaks_it(case: dict[str, Any]) -> None:
    assert (case["rule"], case["at"]) not in before(), "the platform breaks it without the change"
    assert (case["rule"], case["at"]) in violations(*broken(case))


def test_every_rule_is_broken_once_and_has_a_name_of_its_own() -> None:
    assert [rule.name for rule in RULES] == list(dict.fromkeys(rule.name for rule in RULES))
    assert {case["rule"] for case in CASES} == {rule.name for rule in RULES}


def test_the_good_platform_breaks_nothing_but_what_people_need() -> None:
    assert {name for name, _ in before()} <= {"read-only-root", "tls", "metrics-retention", "memory-ratio"}


def test_node_exporter_may_have_the_port_that_its_stack_gives_it() -> None:
    case = next(case for case in CASES if case["at"].endswith("node-exporter") and case["rule"] == "host-namespaces")
    changes = {"monitoring": {"node_exporter": {"port": case["value"]}}}
    told = dataclasses.replace(good()[1], ports=context(settings(changes)).ports)
    assert ("host-namespaces", case["at"]) not in violations(broken(case)[0], told)


@pytest.mark.parametrize(
    ("spec", "listener_tls", "faulty"),
    [
        ({"parentRefs": [{"name": "public", "sectionName": "https"}], "rules": [{}]}, True, False),
        ({"parentRefs": [{"name": "public", "sectionName": "https"}], "rules": [{}]}, False, True),
        ({"parentRefs": [{"name": "public"}], "rules": [{"filters": [{"type": "RequestRedirect"}]}]}, True, False),
    ],
)
def test_a_route_hangs_on_one_listener_that_ends_tls(spec: dict[str, Any], listener_tls: bool, faulty: bool) -> None:
    metadata = {"name": "entry", "namespace": "elab-hub"}
    route = Resource(
        urn="urn:r", type="kubernetes:x:HTTPRoute", inputs={"kind": "HTTPRoute", "metadata": metadata, "spec": spec}
    )
    told = dataclasses.replace(good()[1], listener_tls=listener_tls)
    assert (("tls", "elab-hub/httproute-entry") in violations([route], told)) is faulty


def test_every_private_key_of_a_stack_is_protected() -> None:
    key = Resource(urn="urn::authority-key", type="tls:index/privateKey:PrivateKey", inputs={})
    assert ("data-protected", key.key) in violations([key], good()[1])
    assert violations([dataclasses.replace(key, protect=True)], good()[1]) == set()


@pytest.mark.parametrize("name", ["SSH_PUBLIC_KEY", "GPG_PUBLICKEY", "LDAP_PASSWORD_FILE", "AWS_ACCESS_KEY_ID"])
def test_a_public_key_or_the_place_of_a_secret_may_stand_in_the_environment(name: str) -> None:
    case = next(case for case in CASES if case["rule"] == "no-secret-in-environment")
    found = violations(*broken({**case, "value": {"name": name, "value": "something"}}))
    assert ("no-secret-in-environment", case["at"]) not in found


@pytest.mark.parametrize(
    ("documents", "kept"),
    [
        ({"lifecycle.json": '{"template": {"lifecycle": {"data_retention": "30d"}}}'}, True),
        ({"policy.yaml": "phases: {delete: {min_age: 30d}}"}, True),
        ({"lifecycle.json": '{"template": {"lifecycle": {"data_retention": "6h"}}}'}, False),
        ({"notes.txt": "retention is thirty days"}, False),
    ],
)
def test_a_log_store_is_content_with_a_lifecycle_of_a_day_or_more(documents: dict[str, str], kept: bool) -> None:
    case = next(case for case in CASES if case["rule"] == "log-retention")
    found, told = broken(case)
    metadata = {"name": "bootstrap", "namespace": "elab-logging"}
    body = {"kind": "ConfigMap", "metadata": metadata, "data": documents}
    added = Resource(urn="urn:bootstrap", type="kubernetes:core/v1:ConfigMap", inputs=body)
    assert (("log-retention", case["at"]) not in violations([*found, added], told)) is kept


def test_a_rule_speaks_as_loudly_as_the_environment_asks() -> None:
    case = next(case for case in CASES if case["rule"] == "data-protected")
    found, told = broken(case)
    dev = dataclasses.replace(told, environment="dev")
    assert [one.level for one in judge(found, told, (), "test") if one.rule.name == "data-protected"] == ["mandatory"]
    assert [one for one in judge(found, dev, (), "test") if one.rule.name == "data-protected"] == []


def test_a_violation_names_the_place_the_reason_and_the_fix() -> None:
    case = next(case for case in CASES if case["rule"] == "probes")
    (found,) = (one for one in judge(*broken(case), (), "test") if one.rule.name == "probes")
    assert found.message.startswith("elab-hub/deployment-hub: container hub has no livenessProbe. Without readiness")
    assert "Fix: Give the container readinessProbe and livenessProbe;" in found.message
