"""What the program says that KubeSpawner will make, against what the real KubeSpawner makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from components.hub.profiles import Strategy
from components.hub.users import user_claim, user_pod
from components.hub.values import CLAIM_TEMPLATE
from components.kit import plain
from stackfile.quantities import Bytes, Cpu
from tests.harness.rooms import settings_of
from tests.unit.hub.spawner import IMAGE, configuration, objects
from tests.unit.hub.spawner import SECRETS as HUB_SECRETS

PERSONAL_LABELS = {"hub.jupyter.org/username", "hub.jupyter.org/servername"}
PERSONAL_ANNOTATIONS = {
    "hub.jupyter.org/username",
    "hub.jupyter.org/kubespawner-version",
    "hub.jupyter.org/jupyterhub-version",
    "volume.beta.kubernetes.io/storage-class",
}


def normalised_pod(pod: dict[str, Any]) -> dict[str, Any]:
    """Without names and variables of the person, quantities as numbers, and what is empty left out."""
    found = json.loads(json.dumps(pod))
    meta, spec = found["metadata"], found["spec"]
    meta.pop("namespace", None)
    meta["name"] = "the person's"
    meta["labels"] = {key: value for key, value in meta["labels"].items() if key not in PERSONAL_LABELS}
    meta["annotations"] = {key: value for key, value in meta["annotations"].items() if key not in PERSONAL_ANNOTATIONS}
    for container in spec["containers"]:
        container.pop("env", None)
        for wanted in container["resources"].values():
            wanted["cpu"] = Cpu(wanted["cpu"]).millicores
            memory = wanted["memory"]
            wanted["memory"] = memory if isinstance(memory, int) else Bytes(memory).bytes
    for volume in spec["volumes"]:
        volume.get("persistentVolumeClaim", {}).pop("claimName", None)
    return without_empty(found)


def variables(pod: dict[str, Any]) -> dict[str, str]:
    """The environment of a person's server."""
    return {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]}


def without_empty(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [], None)}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_the_pod_that_is_planned_is_the_pod_that_kubespawner_makes(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(stack)
    args = settings.values_args
    config = configuration(args, tmp_path, monkeypatch)
    for profile in settings.users.profiles:
        real, _ = objects(config, "alice", {"profile": str(profile.name)}, monkeypatch)
        planned, made = normalised_pod(plain(user_pod(args, profile, IMAGE))), normalised_pod(real)
        for part in sorted({*planned["spec"], *made["spec"]}):
            assert planned["spec"].get(part) == made["spec"].get(part), (profile.name, part)
        assert planned == made, profile.name
        assert variables(plain(user_pod(args, profile, IMAGE))).items() <= variables(real).items()


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_the_planned_pod_is_kubespawners_with_every_strategy(
    strategy: Strategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of("prod")
    pools = tuple(pool.model_copy(update={"spot": pool.name == "general"}) for pool in settings.pools)
    profile = settings.users.default_profile.model_copy(update={"strategy": strategy})
    users = settings.users.model_copy(update={"profiles": (profile,)})
    args = settings.model_copy(update={"users": users, "pools": pools}).values_args
    real, _ = objects(configuration(args, tmp_path, monkeypatch), "alice", {}, monkeypatch)
    assert normalised_pod(plain(user_pod(args, profile, IMAGE))) == normalised_pod(real)


def test_the_claim_that_is_planned_is_the_claim_that_kubespawner_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = settings_of("prod").values_args
    _, real = objects(configuration(args, tmp_path, monkeypatch), "alice", {}, monkeypatch)
    planned = plain(user_claim(args))
    assert real["spec"] == planned["spec"]
    assert real["metadata"]["name"] == CLAIM_TEMPLATE.format(user_server="alice")
    labels = {key: value for key, value in real["metadata"]["labels"].items() if key not in PERSONAL_LABELS}
    assert labels == planned["metadata"]["labels"]


def test_names_that_look_alike_get_claims_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configuration(settings_of("prod").values_args, tmp_path, monkeypatch)
    people = ["alice", "alice-", "Alice", "alice.b", "alice-b", "alice_b", "älice", "a" * 80, "a" * 81]
    names = [objects(config, person, {}, monkeypatch)[1]["metadata"]["name"] for person in people]
    assert len(set(names)) == len(people)
    assert all(len(name) <= 63 for name in names)


def test_a_pod_has_no_service_account_token_and_no_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pod, _ = objects(configuration(settings_of("prod").values_args, tmp_path, monkeypatch), "alice", {}, monkeypatch)
    (container,) = pod["spec"]["containers"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod["spec"].keys()


def test_secrets_of_the_hub_reach_no_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pod, _ = objects(configuration(settings_of("prod").values_args, tmp_path, monkeypatch), "alice", {}, monkeypatch)
    text = json.dumps(pod)
    assert not [name for name, value in HUB_SECRETS.items() if value in text]


def test_a_stack_environment_with_braces_reaches_the_pod_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of("local")
    users = settings.users.model_copy(update={"environment": {"COURSE": '{"week": 3, "user": "{username}"}'}})
    args = settings.model_copy(update={"users": users}).values_args
    pod, _ = objects(configuration(args, tmp_path, monkeypatch), "alice", {}, monkeypatch)
    assert variables(pod)["COURSE"] == '{"week": 3, "user": "{username}"}'
    planned = plain(user_pod(args, settings.users.default_profile, IMAGE))
    assert variables(planned)["COURSE"] == variables(pod)["COURSE"]


@pytest.mark.parametrize(
    "options", [{"profile": "huge"}, {"profile": "small", "image": "evil:1"}, {"mem_limit": "99G"}]
)
def test_only_what_the_stack_offers_can_be_chosen(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configuration(settings_of("local").values_args, tmp_path, monkeypatch)
    with pytest.raises(Exception, match=r"(?i)choice|chosen|offer"):
        objects(config, "alice", options, monkeypatch)
