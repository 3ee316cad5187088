"""Manifests carry Kubernetes' own names, no secret, and one file per object."""

from __future__ import annotations

import base64
from pathlib import Path

import pulumi
import pytest
import yaml
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgs,
    EnvVarArgs,
    PodInitArgs,
    PodSpecArgs,
    ResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from planning.manifests import REDACTED, manifests, to_manifest, write
from planning.recorder import record
from tests.harness import programs


def _pod(image: pulumi.Input[str]) -> PodInitArgs:
    return PodInitArgs(
        metadata=ObjectMetaArgs(name="p", labels={"snake_case/key": "kept"}),
        spec=PodSpecArgs(
            host_network=False,
            containers=[
                ContainerArgs(
                    name="c",
                    image=image,
                    env=[EnvVarArgs(name="A_B", value="")],
                    resources=ResourceRequirementsArgs(limits={"cpu": "1"}),
                )
            ],
        ),
    )


def test_typed_arguments_become_a_whole_manifest() -> None:
    assert to_manifest(_pod("i")) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"snake_case/key": "kept"}},
        "spec": {
            "hostNetwork": False,
            "containers": [
                {
                    "name": "c",
                    "image": "i",
                    "env": [{"name": "A_B", "value": ""}],
                    "resources": {"limits": {"cpu": "1"}},
                }
            ],
        },
    }


def test_an_output_among_typed_arguments_is_refused() -> None:
    with pytest.raises(TypeError, match="Output"):
        record(lambda: _drop(to_manifest(_pod(pulumi.Output.from_input("i")))))


def _drop(_value: object) -> None:
    """Lets a lambda end in None, as programs do."""


def test_secrets_are_redacted_by_key() -> None:
    plan = {manifest.name: manifest for manifest in manifests(record(programs.nested))}
    assert plan["keys"].body["stringData"] == {"key": REDACTED, "password": REDACTED}
    assert plan["keys"].leaks == ()


@pytest.mark.parametrize("encode", [str, lambda text: base64.b64encode(text.encode()).decode()])
def test_a_secret_in_clear_outside_a_secret_is_redacted_and_reported(encode: object) -> None:
    assert callable(encode)

    def program() -> None:
        text = pulumi.Config("elab").require("token")
        ConfigMap("leak", metadata=ObjectMetaArgs(name="leak"), data={"file": f"a: {encode(text)}"})

    plan = manifests(record(program, config={"elab:token": "not-in-clear"}, secret_keys=frozenset({"elab:token"})))
    assert plan[0].leaks == ("data.file",)
    assert plan[0].body["data"] == {"file": REDACTED}


def test_a_value_that_pulumi_knows_as_secret_is_a_leak_too_where_the_cluster_would_show_it() -> None:
    def program() -> None:
        ConfigMap(
            "marked", metadata=ObjectMetaArgs(name="marked"), data={"file": pulumi.Output.secret("marked-secret")}
        )

    plan = manifests(record(program))
    assert plan[0].body["data"] == {"file": REDACTED}
    assert plan[0].leaks == ("data.file",)


def test_two_registrations_of_one_object_are_refused() -> None:
    def program() -> None:
        for name in ("one", "two"):
            ConfigMap(name, metadata=ObjectMetaArgs(name="same", namespace="n"))

    with pytest.raises(ValueError, match="n/configmap-same is registered twice"):
        manifests(record(program))


def test_files_are_one_per_object_and_old_ones_go(tmp_path: Path) -> None:
    folder = tmp_path / "build"
    (folder / "rooms").mkdir(parents=True)
    (folder / "rooms" / "deployment-gone.yaml").touch()
    write(manifests(record(programs.nested)), folder)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.yaml"))
    assert files == ["rooms/configmap-config.yaml", "rooms/secret-keys.yaml"]
    written = yaml.safe_load((folder / "rooms" / "configmap-config.yaml").read_text())
    assert written["data"] == {"secret": "see keys"}
    assert list(written)[:3] == ["apiVersion", "kind", "metadata"]
