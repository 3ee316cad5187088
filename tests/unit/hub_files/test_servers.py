"""The pod and the claim that a person gets, made by the real KubeSpawner from the real configuration."""

import asyncio
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import elab_servers
import pytest
from elab_failures import SpawnError
from elab_spawner import Server
from elab_values import Values
from jupyterhub import orm
from traitlets.config import Configurable

from policy.rules.hub import SPAWNERS

from .conftest import SECRETS, VALUES
from .running import Running, hub, person, waiting


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """One hub for all tests that change nothing in its values."""
    with waiting(json.loads(VALUES.read_text()), tmp_path_factory.mktemp("hub")) as found:
        yield found


@pytest.mark.parametrize("profile", ["small", "large"])
def test_every_pod_fits_a_namespace_of_the_level_restricted(
    running: Running, values: dict[str, Any], profile: str
) -> None:
    pod, _ = running.manifests(profile=profile)
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = spec["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in container["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert {next(iter(volume.keys() - {"name"})) for volume in spec["volumes"]} <= {
        "configMap",
        "persistentVolumeClaim",
    }


def test_a_person_who_does_not_choose_gets_the_default_profile_to_the_byte(
    running: Running, values: dict[str, Any]
) -> None:
    pod, _ = running.manifests()
    [container] = pod["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": 0.5, "memory": 1 << 30},
        "limits": {"cpu": 2.0, "memory": 2 << 30},
    }
    assert container["image"] == SECRETS["ELAB_NOTEBOOK_IMAGE"]
    assert pod["spec"]["tolerations"] == values["profiles"][0]["tolerations"]
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert required["nodeSelectorTerms"] == values["profiles"][0]["node_selector_terms"]


def test_a_choice_of_size_and_image_changes_pod_and_leaves_the_claim(running: Running, values: dict[str, Any]) -> None:
    small = running.manifests()
    large = running.manifests(profile="large", image="gpu")
    [container] = large[0]["spec"]["containers"]
    assert container["image"] == values["images"]["gpu"]["image"]
    assert container["resources"]["limits"] == {"cpu": 8.0, "memory": 32 << 30, "nvidia.com/gpu": "1"}
    assert large[0]["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert small[1] == large[1]


def test_a_claim_has_the_stacks_class_and_size_and_the_pod_mounts_it_at_home(
    running: Running, values: dict[str, Any]
) -> None:
    pod, claim = running.manifests()
    assert claim["metadata"]["name"] == "claim-alice"
    assert claim["spec"]["storageClassName"] == "elab-rbd"
    assert claim["spec"]["resources"]["requests"] == {"storage": "10Gi"}
    homes = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "home"]
    assert homes == [{"name": "home", "persistentVolumeClaim": {"claimName": "claim-alice"}}]


def test_different_people_never_share_a_claim_or_a_pod(running: Running) -> None:
    names = ["alice", "Alice.B", "alice-b", "alice_b", "alice@example.org", "a" * 70, "a" * 71, "élise"]
    made = [running.manifests(name) for name in names]
    assert len({claim["metadata"]["name"] for _, claim in made}) == len(names)
    assert len({pod["metadata"]["name"] for pod, _ in made}) == len(names)


def test_the_clusters_own_uids_are_left_alone_where_it_assigns_them(values: dict[str, Any], tmp_path: Path) -> None:
    values["spawner"].update(uid=None, gid=None)
    with waiting(values, tmp_path) as running:
        pod, _ = running.manifests()
    assert "runAsUser" not in pod["spec"]["containers"][0]["securityContext"]
    assert "fsGroup" not in pod["spec"]["securityContext"]


def test_environment_with_braces_reaches_the_server_as_the_stack_wrote_it(
    running: Running, values: dict[str, Any]
) -> None:
    pod, _ = running.manifests()
    found = {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]}
    assert found["SETTINGS"] == '{"a": 1}'


@pytest.mark.parametrize(("timeout", "interval"), [(3600, "300"), (20, "5"), (1, "1")])
def test_a_server_reports_several_times_before_it_would_be_culled(values: Values, timeout: int, interval: str) -> None:
    values["culling"]["timeout"] = timeout
    assert elab_servers.environment(values)["JUPYTERHUB_ACTIVITY_INTERVAL"] == interval


def test_the_image_keeps_its_entry_point(running: Running, values: dict[str, Any]) -> None:
    pod, _ = running.manifests()
    [container] = pod["spec"]["containers"]
    assert "command" not in container
    assert container["args"][: len(values["spawner"]["command"])] == values["spawner"]["command"]


@pytest.mark.parametrize(
    "options",
    [
        {"profile": "huge"},
        {"profile": "small", "image": "gpu"},
        {"profile": "large", "image": "other"},
        {"profile": "large", "image--unlisted-choice": "evil/image"},
        {"cpu_limit": "64"},
        {"profile": ["large"]},
    ],
)
def test_only_what_the_settings_offer_can_be_chosen_by_the_api_too(
    running: Running, values: dict[str, Any], options: dict[str, str]
) -> None:
    with pytest.raises(SpawnError) as refusal:
        running.manifests(**options)
    assert refusal.value.explanation.reason == "choice"


def test_a_choice_that_is_no_mapping_is_refused_and_keeps_no_hub_from_starting(
    values: dict[str, Any], tmp_path: Path
) -> None:
    values["hub"]["db_url"] = f"sqlite:///{tmp_path}/hub.sqlite"

    async def check() -> None:
        async with hub(values, tmp_path) as app:
            for asked in (["small"], "small", 7):
                user = person(app, "alice")
                user.spawner.server = None
                with pytest.raises(SpawnError) as refusal:
                    await user.spawn("", options=asked)
                assert refusal.value.explanation.reason == "choice"
            # As JupyterHub keeps it, with a server.
            orm_spawner = person(app, "alice").spawner.orm_spawner
            orm_spawner.user_options = ["small"]
            app.db.commit()
            assert orm_spawner.server is not None
        async with hub(values, tmp_path) as app:
            assert [user.name for user in app.db.query(orm.User)] == ["alice"]

    asyncio.run(check())


def test_people_are_asked_only_where_there_is_something_to_choose(running: Running, values: Values) -> None:
    async def form() -> str:
        return await person(running.app, "alice").spawner.get_options_form()

    text = running.loop.run_until_complete(form())
    assert "Large" in text
    assert "With CUDA" in text
    values["profiles"] = values["profiles"][:1]
    assert not elab_servers.offers_choice(values)


def test_a_choice_of_before_that_is_offered_no_more_locks_nobody_out_where_no_list_is_shown(
    values: dict[str, Any], tmp_path: Path
) -> None:
    # Without a form JupyterHub starts with what its database holds of the last time.
    values["profiles"] = values["profiles"][:1]
    with waiting(values, tmp_path) as alone:
        expected, _ = alone.manifests()
        for before in ({"profile": "large"}, {"profile": "large", "image": "gpu"}, {"image": "gpu"}):
            pod, _ = alone.manifests(**before)
            assert pod["spec"]["containers"][0]["resources"] == expected["spec"]["containers"][0]["resources"]
            assert pod["spec"]["containers"][0]["image"] == expected["spec"]["containers"][0]["image"]


def test_deleting_a_person_never_deletes_their_disk(running: Running) -> None:
    assert running.app.config.Server.delete_pvc is False


def test_the_rule_on_extra_configuration_knows_every_section_that_the_spawner_reads() -> None:
    assert {one.__name__ for one in Server.mro() if issubclass(one, Configurable)} <= SPAWNERS
