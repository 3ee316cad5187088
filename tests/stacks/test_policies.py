"""Every committed stack holds to every policy: as `make plan` judges, and as the pack answers an engine over gRPC."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from planning.recording import Recorded
from policy import exemptions
from policy.rules import RULES
from stackfile.loader import load_stack
from tests.harness.stacks import PROJECT, STACKS, plan

SECONDS = 60


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_breaks_no_policy_that_it_is_not_exempted_from(stack: str) -> None:
    assert [one.message for one in plan(stack).violations if not one.exempted] == []


def test_every_exemption_is_needed() -> None:
    used = {one.exempted.index for stack in STACKS for one in plan(stack).violations if one.exempted}
    assert exemptions.unused(exemptions.load(datetime.now(UTC).date()), used) == ()


def variables(stack: str) -> dict[str, str]:
    """What an engine that has no language host tells of the stack, in the pack's environment."""
    file = load_stack(PROJECT, stack)
    return {
        "PULUMI_CONFIG": json.dumps(dict(file.config)),
        "PULUMI_PROJECT": file.project,
        "PULUMI_STACK": stack,
        "PULUMI_DRY_RUN": "true",
    }


def told(stack: str) -> analyzer_pb2.AnalyzerStackConfigureRequest:
    """What every engine tells of the stack by a call, and one that has a language host by nothing else."""
    file = load_stack(PROJECT, stack)
    return analyzer_pb2.AnalyzerStackConfigureRequest(
        stack=stack, project=file.project, dry_run=True, config=dict(file.config)
    )


@contextmanager
def served(given: dict[str, str]) -> Generator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack as the engine starts it: `python -m pulumi.policy`, which prints its port."""
    environment = {**os.environ, **given}
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PROJECT / "policy")]
    # From elsewhere, as an engine may be: the pack finds the project by itself.
    process = subprocess.Popen(command, cwd="/", env=environment, stdout=subprocess.PIPE, text=True)
    try:
        stdout = process.stdout
        assert stdout
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        port = int(lines.get(timeout=SECONDS))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.kill()
        process.wait(timeout=SECONDS)


def properties(inputs: Any) -> struct_pb2.Struct:  # noqa: ANN401  any JSON object
    found = struct_pb2.Struct()
    found.update(json.loads(json.dumps(inputs, default=str)))
    return found


def request(one: Recorded, inputs: Any = None) -> analyzer_pb2.AnalyzeRequest:  # noqa: ANN401
    return analyzer_pb2.AnalyzeRequest(
        type=one.type,
        name=one.name,
        urn=one.urn,
        properties=properties(one.inputs if inputs is None else inputs),
        options=analyzer_pb2.AnalyzerResourceOptions(protect=one.protect),
    )


def stack_request(resources: list[Recorded]) -> analyzer_pb2.AnalyzeStackRequest:
    return analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                type=one.type,
                name=one.name,
                urn=one.urn,
                properties=properties(one.inputs),
                options=analyzer_pb2.AnalyzerResourceOptions(protect=one.protect),
            )
            for one in resources
        ]
    )


def by_digest(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """The committed stack as it is before an up, which refuses to go without digests: with some."""
    if isinstance(value, dict):
        return {name: by_digest(item) for name, item in value.items()} | (
            {"image": f"{value['image']}@sha256:{'0' * 64}"}
            if isinstance(value.get("image"), str) and "@" not in value["image"]
            else {}
        )
    return [by_digest(item) for item in value] if isinstance(value, list) else value


def spoilt(resources: list[Recorded]) -> Iterator[analyzer_pb2.AnalyzeRequest]:
    """The hub, with its image's version lost."""
    (hub,) = (one for one in resources if (one.inputs.get("kind"), one.name) == ("Deployment", "hub-hub-deployment"))
    inputs = json.loads(json.dumps(dict(hub.inputs)))
    inputs["spec"]["template"]["spec"]["containers"][0]["image"] = "quay.io/jupyterhub/k8s-hub"
    yield request(hub, inputs)


def half_known(resources: list[Recorded]) -> Iterator[analyzer_pb2.AnalyzeRequest]:
    """The hub before the first up, when the hash of its secrets is not known, with a key where none belongs."""
    (hub,) = (one for one in resources if (one.inputs.get("kind"), one.name) == ("Deployment", "hub-hub-deployment"))
    inputs = by_digest(json.loads(json.dumps(dict(hub.inputs))))
    annotations = inputs["spec"]["template"]["metadata"]["annotations"]
    annotations["elab.dev/secrets-hash"] = UNKNOWN_STRING_VALUE
    annotations["beside"] = "-----BEGIN RSA PRIVATE KEY-----"
    yield request(hub, inputs)


def test_the_pack_answers_an_engine_over_grpc_as_the_plan_does() -> None:
    recording = plan("prod").recording
    resources = [one for one in recording.resources if one.custom and not one.read]
    with served(variables("prod")) as analyzer:
        info = analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=SECONDS)
        assert [policy.name for policy in info.policies] == [rule.name for rule in RULES]
        levels = {policy.name: policy.enforcementLevel for policy in info.policies}
        assert levels["data-protected"] == levels["image-digest"] == analyzer_pb2.MANDATORY

        said = [
            diagnostic.message
            for one in resources
            for diagnostic in analyzer.Analyze(request(one, by_digest(dict(one.inputs))), timeout=SECONDS).diagnostics
        ]
        said += [each.message for each in analyzer.AnalyzeStack(stack_request(resources), timeout=SECONDS).diagnostics]
        assert said == []

        (hidden,) = (analyzer.Analyze(each, timeout=SECONDS) for each in half_known(resources))
        assert [each.policyName for each in hidden.diagnostics] == ["secrets-in-secrets"]
        assert "annotations.beside holds a private key" in hidden.diagnostics[0].message

        (answer,) = (analyzer.Analyze(each, timeout=SECONDS) for each in spoilt(resources))
        found = {each.policyName: each for each in answer.diagnostics}
        assert set(found) == {"image-pinned", "image-digest"}
        assert found["image-pinned"].enforcementLevel == analyzer_pb2.MANDATORY
        assert "elab-hub/deployment-hub: container hub runs quay.io/jupyterhub/k8s-hub" in found["image-pinned"].message

        open_data = [one for one in resources if one.inputs.get("kind") == "PersistentVolumeClaim"][:1]
        bare = stack_request(open_data)
        bare.resources[0].options.protect = False
        (diagnostic,) = analyzer.AnalyzeStack(bare, timeout=SECONDS).diagnostics
        assert diagnostic.policyName == "data-protected"
        assert diagnostic.urn == open_data[0].urn


def levels(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> dict[str, int]:
    return {each.name: each.enforcementLevel for each in analyzer.GetAnalyzerInfo(empty_pb2.Empty()).policies}


def test_levels_follow_the_environment() -> None:
    with served(variables("dev")) as analyzer:
        found = levels(analyzer)
    assert found["metrics-retention"] == analyzer_pb2.ADVISORY
    assert found["image-digest"] == analyzer_pb2.DISABLED
    assert found["no-privilege"] == analyzer_pb2.MANDATORY


def test_a_pack_that_is_told_of_its_stack_by_a_call_alone_judges_as_the_others() -> None:
    with served({}) as analyzer:
        assert levels(analyzer)["image-digest"] == analyzer_pb2.MANDATORY
        unreadable = told("dev")
        unreadable.config["elab:environment"] = "production"
        with pytest.raises(grpc.RpcError, match="policy pack elab: the stack's configuration has 1 problem"):
            analyzer.ConfigureStack(unreadable, timeout=SECONDS)

        greedy = told("dev")
        users = json.loads(greedy.config["elab:users"])
        users["profiles"][0]["resources"]["memory"] = {"request": "1Gi", "limit": "9Gi"}
        greedy.config["elab:users"] = json.dumps(users)
        analyzer.ConfigureStack(greedy, timeout=SECONDS)
        assert levels(analyzer)["image-digest"] == analyzer_pb2.DISABLED
        # People's servers are judged with the stack itself, and what they are exempted from is not told.
        stack = analyzer_pb2.AnalyzeRequest(type="pulumi:pulumi:Stack", name="elab-dev", urn="urn:stack")
        (advice,) = analyzer.Analyze(stack, timeout=SECONDS).diagnostics
        assert (advice.policyName, advice.urn) == ("memory-ratio", "urn:stack")
        assert advice.enforcementLevel == analyzer_pb2.ADVISORY
        assert "dev-users/pod-a-person-with-" in advice.message
