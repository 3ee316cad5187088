"""Images: the notebook image built or ready-made, and what the cluster is told to pull."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from components.network_settings import ImagesSettings
from components.notebook_image import NotebookImage, NotebookImageArgs
from planning.recorder import record
from planning.recording import Recorded
from stack import built_folder
from stackfile.references import Image
from tests.harness.platform import BUILT, container, platform, settings

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "fedcba9876543210" * 4
HUB = "quay.io/jupyterhub/k8s-hub:4.4.0"


def reference(image: str, **images: Any) -> str:  # noqa: ANN401
    return ImagesSettings.model_validate(images).reference(Image(image))


def test_an_image_is_pulled_by_its_digest_where_one_is_known() -> None:
    assert reference(HUB, digests={HUB: DIGEST}) == f"{HUB}@{DIGEST}"


def test_a_digest_in_the_reference_itself_wins() -> None:
    assert reference(f"{HUB}@{OTHER}", digests={HUB: DIGEST}) == f"{HUB}@{OTHER}"


def test_a_digest_of_another_version_is_not_taken() -> None:
    assert reference("quay.io/jupyterhub/k8s-hub:4.5.0", digests={HUB: DIGEST}) == "quay.io/jupyterhub/k8s-hub:4.5.0"


@pytest.mark.parametrize(
    ("mirrors", "expected"),
    [
        ({"quay.io": "mirror.example.org/quay"}, "mirror.example.org/quay/jupyterhub/k8s-hub:4.4.0"),
        ({"quay.io/jupyterhub": "mirror.example.org/hub"}, "mirror.example.org/hub/k8s-hub:4.4.0"),
        ({"quay.io/jupyterhub/k8s-hub": "mirror.example.org/k8s-hub"}, "mirror.example.org/k8s-hub:4.4.0"),
        ({"quay.io/jupyter": "mirror.example.org/jupyter"}, HUB),
        ({"registry.k8s.io": "mirror.example.org/k8s"}, HUB),
    ],
    ids=["registry", "folder", "repository", "beginning-of-a-name", "other-registry"],
)
def test_a_mirror_takes_the_place_of_whole_names(mirrors: dict[str, str], expected: str) -> None:
    assert reference(HUB, mirrors=mirrors) == expected


def test_the_longest_mirror_wins() -> None:
    mirrors = {"quay.io": "mirror.example.org/quay", "quay.io/jupyterhub": "mirror.example.org/hub"}
    assert reference(HUB, mirrors=mirrors) == "mirror.example.org/hub/k8s-hub:4.4.0"


def test_a_mirrored_image_keeps_its_digest() -> None:
    found = reference(HUB, mirrors={"quay.io": "mirror.example.org/quay"}, digests={HUB: DIGEST})
    assert found == f"mirror.example.org/quay/jupyterhub/k8s-hub:4.4.0@{DIGEST}"


def test_every_image_of_the_platform_comes_from_the_mirror() -> None:
    mirrors = {"quay.io": "mirror.example.org/quay", "registry.k8s.io": "mirror.example.org/k8s"}
    recording = platform({"images": {"mirrors": mirrors}})
    for workload in ("hub", "proxy", "user-scheduler", "placeholder-general"):
        assert container(recording, f"deployment-{workload}")["image"].startswith("mirror.example.org/"), workload


def notebook(changes: dict[str, Any]) -> str:
    (found,) = [
        one["value"]
        for one in container(platform(changes), "deployment-hub")["env"]
        if one["name"] == "ELAB_NOTEBOOK_IMAGE"
    ]
    return found


def test_a_ready_image_is_taken_as_the_images_rules_say() -> None:
    named = "quay.io/jupyter/datascience-notebook:2025-03-14"
    images = {"digests": {named: DIGEST}, "mirrors": {"quay.io": "mirror.example.org/quay"}}
    expected = f"mirror.example.org/quay/jupyter/datascience-notebook:2025-03-14@{DIGEST}"
    assert notebook({"images": images}) == expected
    assert platform({"images": images}).outputs["notebook_image"] == expected
    assert platform({"images": images}).of_type("docker-build:index:Image") == []


def built(changes: Mapping[str, Any] = {}) -> Recorded:
    """The build, by the image component alone."""
    found = settings({**BUILT, **changes})
    folder, problems = built_folder(found)
    assert problems == []

    def program() -> None:
        args = NotebookImageArgs(settings=found.notebook_image, images=found.images, folder=folder)
        NotebookImage("notebook", args)

    return record(program)["notebook-image"]


def test_a_built_image_is_pushed_and_used_by_its_digest() -> None:
    assert built().inputs["push"] is True
    (tag,) = built().inputs["tags"]
    assert tag.startswith("registry.example.org/elab/notebook:2025.11-")
    assert notebook(dict(BUILT)).startswith(f"{tag}@sha256:")
    assert platform(BUILT).outputs["notebook_image"] == notebook(dict(BUILT))


def test_its_cache_lies_beside_it_in_the_registry() -> None:
    cache = {"registry": {"ref": "registry.example.org/elab/notebook:build-cache"}}
    assert built().inputs["cacheFrom"] == [cache]
    assert [one["registry"]["ref"] for one in built().inputs["cacheTo"]] == [cache["registry"]["ref"]]


def test_it_is_built_for_the_platforms_that_the_stack_names() -> None:
    both = ["linux/arm64", "linux/amd64"]
    assert built().inputs["platforms"] == ["linux/amd64"]
    assert built({"notebook_image.platforms": both}).inputs["platforms"] == both


def test_its_base_follows_mirrors_and_digests_and_the_stacks_arguments_are_handed_on() -> None:
    arguments = {"notebook_image.build_arguments": {"R_VERSION": "4.5"}}
    found = built({**arguments, "images": {"mirrors": {"quay.io": "mirror.example.org/quay"}}})
    assert found.inputs["buildArgs"] == {
        "BASE_IMAGE": "mirror.example.org/quay/jupyter/datascience-notebook:2026-07-28",
        "BUILDKIT_ATTEST_SBOM": "generator=docker.io/docker/buildkit-syft-scanner:stable-1",
        "R_VERSION": "4.5",
    }


def test_a_preview_builds_only_where_the_stack_asks_for_it() -> None:
    assert built().inputs["buildOnPreview"] is False
    assert built({"notebook_image.build_on_preview": True}).inputs["buildOnPreview"] is True


def test_the_builds_folder_is_the_same_on_every_machine() -> None:
    assert built().inputs["context"] == {"location": "tests/harness/image"}
