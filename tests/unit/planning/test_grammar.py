"""Names, labels and annotations that the API server would refuse are an error of the plan, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from planning.findings import Finding
from planning.grammar import findings
from planning.manifests import manifests
from tests.harness.plans import Documents, changed, documents, plan
from tests.harness.platform import CLOUDS, data, unmonitored

ROOM = documents(Path(__file__).with_name("room.yaml"))
TEMPLATE = "Deployment/hub:spec.template"
LONG = "placeholder-" + "p" * 52


def found(room: Documents) -> list[Finding]:
    return list(findings(plan(room), ()))


def test_a_plan_that_the_api_server_takes_has_no_faults() -> None:
    assert found(ROOM) == []


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        ("ConfigMap/values:metadata.name", "Values", "metadata.name", '"Values"'),
        ("ConfigMap/values:metadata.name", "a" * 254, "metadata.name", "253 characters"),
        ("Service/hub:metadata.name", "1hub", "metadata.name", '"1hub"'),
        ("Namespace/rooms:metadata.name", "rooms.one", "metadata.name", '"rooms.one"'),
        ("Role/hub:metadata.name", "hub/one", "metadata.name", '"hub/one"'),
        ("ConfigMap/values:metadata.labels", {"a b": "c"}, "metadata.labels", '"a b"'),
        ("ConfigMap/values:metadata.labels", {"a": LONG}, "metadata.labels.a", LONG),
        ("ConfigMap/values:metadata.labels", {"-/a": "b"}, "metadata.labels", '"-/a"'),
        ("ConfigMap/values:metadata.annotations", {"a b": "any text"}, "metadata.annotations", '"a b"'),
        ("ConfigMap/values:metadata.annotations", {"a": "x" * 2**18}, "metadata.annotations", "262145 bytes"),
        (f"{TEMPLATE}.metadata.labels", {"app": LONG}, "spec.template.metadata.labels.app", LONG),
        (f"{TEMPLATE}.metadata.annotations", {"a/b/c": ""}, "spec.template.metadata.annotations", '"a/b/c"'),
        (f"{TEMPLATE}.spec.nodeSelector", {"pool": "a b"}, "spec.template.spec.nodeSelector.pool", '"a b"'),
        ("Deployment/hub:spec.selector.matchLabels", {"app": LONG}, "spec.selector.matchLabels.app", LONG),
        (
            "Deployment/hub:spec.selector.matchExpressions",
            [{"key": "app", "operator": "In", "values": ["hub", "a b"]}],
            "spec.selector.matchExpressions.0.values",
            '"a b"',
        ),
        ("Service/hub:spec.selector", {"app": LONG}, "spec.selector.app", LONG),
    ],
)
def test_a_fault_is_told_with_its_place(path: str, value: object, where: str, what: str) -> None:
    (one,) = found(changed(ROOM, path, value))
    assert one.level == "error"
    assert one.where.endswith(f", {where}")
    assert what in one.what


@pytest.mark.parametrize(
    ("kind", "name", "fits"),
    [
        ("Role", "system:hub", True),
        ("ConfigMap", "kube-root-ca.crt", True),
        ("StatefulSet", "s" * 52, True),
        ("StatefulSet", "s" * 53, False),
        ("CronJob", "c" * 53, False),
    ],
)
def test_each_kind_has_names_of_its_own(kind: str, name: str, fits: bool) -> None:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "rooms"}}
    assert (found({name: body}) == []) is fits


def test_what_a_config_map_holds_is_nobodys_label() -> None:
    held = {"metadata": {"labels": {"a b": "c"}}}
    assert found(changed(ROOM, "ConfigMap/values:data", held)) == []


def test_of_peoples_servers_the_hub_makes_the_names_and_the_stack_the_labels() -> None:
    name = "jupyter-{user_server}"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"elab.dev/profile": LONG}}}
    (one,) = findings((), plan({name: pod}))
    assert one.where.endswith("metadata.labels.elab.dev/profile")


@pytest.mark.parametrize("cloud", ["aws", "onprem-rook"])
def test_the_longest_names_that_settings_take_make_objects_that_the_api_server_takes(cloud: str) -> None:
    base = data(CLOUDS[cloud])
    pools, profiles = base["pools"], base["users"]["profiles"]
    pools[0]["name"] = "p" * 42
    for profile in profiles:
        profile["pools"] = ["p" * 42 if name == "general" else name for name in profile["pools"]]
    profiles[0]["name"] = "s" * 63
    changes = {
        **CLOUDS[cloud],
        "instance": "i" * 20,
        "storage.class_name": f"{'i' * 20}-{'d' * 42}",
        "pools": pools,
        "users.profiles": profiles,
    }
    assert list(findings(manifests(unmonitored(changes)), ())) == []
