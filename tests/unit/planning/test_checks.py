"""Each fault that a plan can have whatever the stack is found, and named."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_random
import pytest
from pulumi_kubernetes.core.v1 import ConfigMap, ContainerArgs, Pod, PodSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from planning.checks import findings
from planning.manifests import manifests
from planning.recorder import record
from tests.harness import programs


def _silent() -> None:
    pulumi.ComponentResource("elab:test:Silent", "silent")


def _unbounded() -> None:
    metadata = ObjectMetaArgs(name="pod", namespace="rooms")
    Pod("pod", metadata=metadata, spec=PodSpecArgs(containers=[ContainerArgs(name="greedy", image="i:1")]))


def _leak() -> None:
    password = pulumi_random.RandomPassword("password", length=20)
    ConfigMap("careless", metadata=ObjectMetaArgs(name="careless"), data={"file": password.result})


def _unresolved() -> None:
    ConfigMap("text", metadata=ObjectMetaArgs(name="text"), data={"url": "<pulumi.output.Output object at 0x7f>"})


def _complaint() -> None:
    pulumi.log.error("something is amiss")


@pytest.mark.parametrize(
    ("program", "where", "what"),
    [
        (_silent, "silent", "never registers its outputs"),
        (_unbounded, "rooms/pod-pod, container greedy", "lacks a CPU or memory request or limit"),
        (_leak, "cluster/configmap-careless, data.file", "a secret stands outside a Secret"),
        (_unresolved, "text", "text of an output object"),
        (_complaint, "the program", "something is amiss"),
    ],
)
def test_a_fault_is_an_error_that_names_its_place(program: Callable[[], None], where: str, what: str) -> None:
    recording = record(program)
    (found,) = findings(recording, manifests(recording))
    assert found.level == "error"
    assert where in found.where
    assert what in found.what


def test_a_sound_program_has_no_faults() -> None:
    recording = record(programs.nested)
    assert list(findings(recording, manifests(recording))) == []
