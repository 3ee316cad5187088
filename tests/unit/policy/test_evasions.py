"""Ways round the rules are shut, what only looks like one is left alone, and nothing that is registered ends a rule."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.judge import judge
from policy.rules.model import Context, Resource

FOLDER = Path(__file__).parent
EVASIONS, HARMLESS = (yaml.safe_load((FOLDER / f"{name}.yaml").read_text()) for name in ("evasions", "harmless"))
TOLD = Context(instance="elab", environment="prod", registries=("quay.io",), memory_ratio=Decimal(4))


def registered(body: dict[str, Any]) -> Resource:
    kind = body.get("kind")
    inputs = {"metadata": {"name": "x", "namespace": "elab-hub"}, **body} if kind else body
    token = f"kubernetes:{body.get('apiVersion', 'v1')}:{kind}" if kind else "kubernetes:helm.sh/v3:Release"
    return Resource(urn="urn:pulumi:test::elab::t::x", type=token, inputs=inputs, protect=True)


def found(case: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one.rule.name, one.where) for one in judge([*map(registered, case["resources"])], TOLD, (), "test")}


@pytest.mark.parametrize("case", EVASIONS, ids=lambda case: case["evasion"])
def test_there_is_no_way_round_a_rule(case: dict[str, Any]) -> None:
    assert (case["rule"], case["at"]) in found(case)


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: f"{case['rule']}-{HARMLESS.index(case)}")
def test_a_rule_finds_no_fault_with_what_only_looks_alike(case: dict[str, Any]) -> None:
    places = {registered(body).key for body in case["resources"]} - {"cluster/namespace-elab-hub"}
    assert {(case["rule"], place) for place in places} & found(case) == set()


@pytest.mark.parametrize("kind", ["Deployment", "CronJob", "PodTemplate", "Pod", "Job", "PodDisruptionBudget", "List"])
@pytest.mark.parametrize("spec", [{}, {"template": None}, {"jobTemplate": {"spec": None}}, {"template": {}}])
def test_half_a_resource_gets_a_verdict(kind: str, spec: dict[str, Any]) -> None:
    assert found({"resources": [{"kind": kind, "spec": spec}, {"kind": kind, "spec": None}]}) is not None


def test_no_secret_is_repeated_in_what_is_said_of_it() -> None:
    cases = [case for case in EVASIONS if case["rule"] == "secrets-in-secrets"]
    said = [one.message for case in cases for one in judge([*map(registered, case["resources"])], TOLD, (), "test")]
    assert not [
        message for message in said if any(part in message for part in ("hunter2", "ghp_", "wJalr", "abcdefgh"))
    ]
