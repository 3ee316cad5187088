"""What docker-build is asked for: a name made of the content, a cache that no preview writes, and one clear refusal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi_docker_build as docker_build
import pytest

import stack
from components.image_folder import ImageFolder, read
from components.notebook_image import BuiltImage, NotebookImageArgs, build
from planning import applications as apps
from stackfile.problems import StackError
from tests.harness.platform import BUILT, settings

from .folders import IMAGE, add

Changes = Mapping[str, Any]


def folder_in(root: Path, name: str = "image") -> Path:
    """A folder that an image can be built from."""
    (root / name).mkdir()
    (root / name / "Dockerfile").write_text("FROM scratch\n")
    return root / name


def read_in(root: Path, downloads: str | None = None, platforms: tuple[str, ...] = ("linux/amd64",)) -> ImageFolder:
    return read(root, "image", downloads, platforms)


def made(root: Path, changes: Changes = {}, *, preview: bool = False) -> docker_build.ImageArgs:  # noqa: B006  never changed
    found = settings({**BUILT, **changes})
    assert isinstance(found.notebook_image, BuiltImage)
    folder = read_in(root)
    args = NotebookImageArgs(settings=found.notebook_image, images=found.images, folder=folder)
    return build(args, found.notebook_image, folder, preview=preview)


def tag(root: Path, changes: Changes = {}) -> str:  # noqa: B006  never changed
    tags: Any = made(root, changes).tags
    (found,) = tags
    return found


def test_the_tag_stays_while_nothing_changes_and_begins_as_the_stack_says(tmp_path: Path) -> None:
    (folder_in(tmp_path) / "__pycache__").mkdir()
    before = tag(tmp_path)
    (tmp_path / "image/__pycache__/left.pyc").write_bytes(b"\x00")
    (tmp_path / "image/Dockerfile").touch()
    assert tag(tmp_path) == before
    assert before.startswith("registry.example.org/elab/notebook:2025.11-")


def test_every_change_of_what_it_is_made_of_gives_another_tag(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    found = [tag(tmp_path)]
    add(folder)
    found.append(tag(tmp_path))
    (folder / "apps/hello/icon.svg").write_text("<svg/>")
    found.append(tag(tmp_path))
    (folder / "apps/hello/icon.svg").rename(folder / "apps/hello/other.svg")
    (folder / "apps/hello/icon.svg").write_bytes(b"<svg>\xff")
    found.append(tag(tmp_path))
    (folder / "Dockerfile").chmod(0o755)
    found.append(tag(tmp_path))
    mirrors = {"images": {"mirrors": {"quay.io": "mirror.example.org/quay"}}}
    found += [tag(tmp_path, mirrors), tag(tmp_path, {"notebook_image.build_arguments": {"A": "1"}})]
    found.append(tag(tmp_path, {"notebook_image.platforms": ["linux/arm64"]}))
    assert len(set(found)) == len(found)


def test_it_is_built_by_buildx_itself_which_attests_it(tmp_path: Path) -> None:
    folder_in(tmp_path)
    assert made(tmp_path).exec_ is True


def test_an_sbom_is_asked_for_by_a_scanner_that_the_builder_reaches(tmp_path: Path) -> None:
    folder_in(tmp_path)
    arguments: Any = made(tmp_path).build_args
    assert arguments["BUILDKIT_ATTEST_SBOM"] == "generator=docker.io/docker/buildkit-syft-scanner:stable-1"
    mirrored: Any = made(tmp_path, {"images": {"mirrors": {"docker.io": "mirror.example.org/hub"}}}).build_args
    assert mirrored["BUILDKIT_ATTEST_SBOM"] == "generator=mirror.example.org/hub/docker/buildkit-syft-scanner:stable-1"


def test_other_downloads_are_an_argument_of_the_build(tmp_path: Path) -> None:
    folder_in(tmp_path)
    arguments: Any = made(tmp_path, {"notebook_image.downloads": "mirror.yaml"}).build_args
    assert arguments["DOWNLOADS"] == "mirror.yaml"


@pytest.mark.parametrize(
    ("preview", "builds", "writes"),
    [(False, False, True), (True, False, True), (True, True, False), (False, True, True)],
)
def test_only_a_preview_that_builds_asks_for_no_cache_to_be_written(
    preview: bool, builds: bool, writes: bool, tmp_path: Path
) -> None:
    folder_in(tmp_path)
    found = made(tmp_path, {"notebook_image.build_on_preview": builds}, preview=preview)
    assert (found.cache_to is not None) is writes
    assert found.cache_from is not None


def test_an_image_for_no_platform_is_refused(tmp_path: Path) -> None:
    folder_in(tmp_path)
    with pytest.raises(StackError) as error:
        made(tmp_path, {"notebook_image.platforms": []})
    assert [problem.where for problem in error.value.problems] == ["notebook_image.platforms"]


def test_an_image_of_another_architecture_is_refused_where_a_release_has_none() -> None:
    with pytest.raises(StackError) as error:
        read(IMAGE.parent, IMAGE.name, None, ["linux/amd64", "linux/arm64"])
    (problem,) = error.value.problems
    assert problem.where == "notebook-image/apps/rstudio/app.yaml: downloads"


def test_a_faulty_application_stops_a_plan_before_anything_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folder_in(tmp_path), timeout=1, colour="red")
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    _, problems = stack.built_folder(settings({**BUILT, "notebook_image.context": "image"}))
    assert [problem.where for problem in problems] == [
        "image/apps/hello/app.yaml: colour",
        "image/apps/hello/app.yaml: timeout",
    ]


def test_a_profile_that_is_too_small_for_an_application_is_warned_of_with_the_size_it_needs(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    add(folder, "lean", memory="64Mi")
    add(folder, "fat", memory="5Gi")
    users = settings().users
    (limit,) = {profile.resources.memory.limit for profile in users.profiles if profile.default}
    assert limit.bytes < 5 * 2**30
    found = tuple(apps.applications(read_in(tmp_path), users))
    (warned, *_) = apps.findings(found, users)
    assert warned.where == "users.profiles.0.resources.memory.limit"
    assert "Fat needs 5Gi" in warned.what
    assert "Lean" not in warned.what
    assert "raise it to 5Gi" in warned.fix


READY = {"kind": "ready", "image": "registry.example.org/elab/notebook:1", "applications": "image"}


def test_of_a_ready_image_the_folder_that_it_was_built_from_tells_which_profiles_are_too_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folder_in(tmp_path), "fat", memory="999Gi")
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    found = settings({"notebook_image": READY})
    folder, problems = stack.built_folder(found)
    assert problems == []
    (warned, *_) = apps.findings(tuple(apps.applications(folder, found.users)), found.users)
    assert "Fat needs 999Gi" in warned.what


@pytest.mark.parametrize("path", ["elsewhere", "../image"])
def test_a_folder_of_a_ready_image_that_is_not_there_is_told(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folder_in(tmp_path))
    (tmp_path / "project").mkdir()
    monkeypatch.setattr(stack, "ROOT", tmp_path / "project")
    _, problems = stack.built_folder(settings({"notebook_image": {**READY, "applications": path}}))
    assert [problem.where for problem in problems] == ["notebook_image.applications"]


def test_nothing_is_said_of_a_profile_that_runs_other_images(tmp_path: Path) -> None:
    add(folder_in(tmp_path), memory="999Gi")
    users = settings().users
    other = tuple(profile.model_copy(update={"images": ("other",)}) for profile in users.profiles)
    found = tuple(apps.applications(read_in(tmp_path), users.model_copy(update={"profiles": other})))
    assert list(apps.findings(found, users)) == []
