"""The inventory of images holds all that a cluster pulls, and with its own setting nothing escapes a mirror."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from components.network_settings import ImagesSettings
from planning import images, mirror
from planning import plan as plans
from planning.__main__ import FINDINGS, main
from planning.checks import images as used
from planning.manifests import manifests
from planning.people import people
from settings import SECRETS, read
from stackfile.configuration import configured
from stackfile.loader import load_stack
from stackfile.problems import StackError
from tests.harness.stacks import PROJECT, STACKS, plan, recorded

REGISTRY = "mirror.example.org/all"


@pytest.mark.parametrize("stack", STACKS)
def test_the_inventory_names_every_container_people_and_puller_included(stack: str) -> None:
    found = images.inventory(plan(stack))
    users = {user for one in found for user in one.users}
    assert any("/pod-a-person-with-" in user for user in users)
    assert any("/daemonset-puller-" in user for user in users) or not plan(stack).subject.settings.puller.enabled
    assert {one.reference for one in found} >= set(plan(stack).images)
    assert all(one.tag or one.digest for one in found)


@pytest.mark.parametrize("stack", STACKS)
def test_with_the_printed_setting_no_reference_escapes_the_mirror(stack: str) -> None:
    before = plan(stack)
    mirrors = mirror.prefixes(images.inventory(before), REGISTRY)
    setting = before.subject.settings.images.model_dump(mode="json") | {"mirrors": mirrors}
    recording = recorded(stack, {"images": setting})
    file = load_stack(PROJECT, stack)
    config = {**file.config, f"{file.project}:images": json.dumps(setting)}
    changed = configured(read, config, project=file.project, secrets=SECRETS, file=file)
    servers = people(changed, recording.outputs["notebook_image"])
    found = used((*manifests(recording), *servers.manifests))
    own = {one.reference.partition(":")[0] for one in images.inventory(before) if one.source is None}
    assert [one for one in found if not one.startswith(f"{REGISTRY}/") and one.partition(":")[0] not in own] == []
    assert set(found) != set(before.images)


@pytest.mark.parametrize("stack", STACKS)
def test_the_script_is_one_that_a_shell_takes_and_copies_each_named_image_once(stack: str, tmp_path: Path) -> None:
    found = images.inventory(plan(stack))
    text = mirror.script(found, plan(stack).subject.settings, REGISTRY)
    (tmp_path / "skopeo").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "skopeo").chmod(0o755)
    subprocess.run([shutil.which("sh") or "sh", "-c", text], env={"PATH": f"{tmp_path}:/bin:/usr/bin"}, check=True)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == sum(one.source is not None for one in found)
    assert all(f" docker://{REGISTRY}/" in line for line in asked)
    setting = yaml.safe_load("\n".join(line[4:] for line in text.splitlines() if line.startswith("#   ")))
    assert setting == {"elab:images": {"mirrors": mirror.prefixes(found, REGISTRY)}}


def refusing(folder: Path) -> Path:
    """A folder whose skopeo knows no image."""
    (folder / "skopeo").write_text("#!/bin/sh\necho reading manifest: manifest unknown >&2; exit 1\n")
    (folder / "skopeo").chmod(0o755)
    return folder


def test_the_script_goes_on_after_a_failure_and_names_what_is_not_there(tmp_path: Path) -> None:
    text = mirror.script(images.inventory(plan("prod")), plan("prod").subject.settings, REGISTRY)
    environment = {"PATH": f"{refusing(tmp_path)}:/bin:/usr/bin"}
    done = subprocess.run(["/bin/sh", "-c", text], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    lost = done.stderr.partition("not copied, for the reasons above:\n")[2].splitlines()
    assert {line.strip() for line in lost[:-1]} == {one.source for one in images.inventory(plan("prod"))}


def test_the_script_without_skopeo_says_so_and_tries_nothing(tmp_path: Path) -> None:
    text = mirror.script(images.inventory(plan("prod")), plan("prod").subject.settings, REGISTRY)
    done = subprocess.run(["/bin/sh", "-c", text], env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "skopeo is not installed" in done.stderr


def test_a_build_needs_its_base_and_its_scanner_from_the_mirror_too() -> None:
    found = images.inventory(plan("dev"))
    (notebook,) = [one for one in found if one.source is None]
    assert notebook.digest == "", "what a plan makes up is no digest"
    assert "sha256" not in "\n".join(images.text([notebook]))
    text = mirror.script(found, plan("dev").subject.settings, REGISTRY)
    for image in ("quay.io/jupyter/datascience-notebook:2026-07-28", "docker.io/docker/buildkit-syft-scanner:stable-1"):
        assert f"copy {image} {REGISTRY}/{image}\n" in text


def asked(stack: str, monkeypatch: pytest.MonkeyPatch, path: Path) -> int:
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setattr(plans, "make", lambda _, stack: plan(stack))
    return main(["images", "--stack", stack, "--sizes"])


def test_without_skopeo_the_inventory_is_shown_and_the_error_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert asked("prod", monkeypatch, tmp_path) == FINDINGS
    said = capsys.readouterr()
    assert said.out.splitlines() == images.text(images.inventory(plan("prod")))
    assert said.err.startswith("error: skopeo asks the registries, and is not installed")


def test_what_is_still_to_be_built_is_no_fault_and_every_other_that_is_missing_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert asked("dev", monkeypatch, refusing(tmp_path)) == FINDINGS
    said = capsys.readouterr().out
    found = images.inventory(plan("dev"))
    assert said.count("not in its registry yet: the next up builds it") == 1
    assert said.count("      error: reading manifest: manifest unknown\n      fix: ") == len(found) - 1
    assert said.endswith(f"error: {len(found) - 1} of {len(found)} images could not be asked for; see above\n")


@pytest.mark.parametrize(
    "registry",
    [
        "https://registry.example.org",
        "registry.example.org/",
        "mirror",
        "Registry.Example.org/UPPER",
        "reg.example.org/$(id)",
        "müll.example.org/x",
        "reg.example.org/a//b",
        "reg.example.org/a:1",
        "-reg.example.org",
        "reg.example.org/a\n",
    ],
)
def test_a_name_that_is_no_registry_is_refused(registry: str) -> None:
    with pytest.raises(StackError, match=r"^the option --mirror has 1 problem;[^Z]*write it as registry"):
        mirror.script(images.inventory(plan("dev")), plan("dev").subject.settings, registry)


def test_what_the_registry_holds_already_is_not_copied_onto_itself() -> None:
    text = mirror.script(images.inventory(plan("prod")), plan("prod").subject.settings, "registry.example.org/mirror")
    assert "# registry.example.org/elab/notebook:1: in this registry already" in text
    assert "registry.example.org: " not in text


def test_a_registry_with_a_port_is_mirrored_below_a_name_that_a_repository_can_have() -> None:
    """No path of a repository holds a colon: skopeo refused the copy, and the stack its own setting."""
    (one, *_) = images.inventory(plan("prod"))
    found = [replace(one, source="registry.example.org:5000/elab/notebook:1", digest="")]
    text = mirror.script(found, plan("prod").subject.settings, REGISTRY)
    mirrored = f"{REGISTRY}/registry.example.org-5000"
    assert f"copy registry.example.org:5000/elab/notebook:1 {mirrored}/elab/notebook:1\n" in text
    assert list(ImagesSettings(mirrors=mirror.prefixes(found, REGISTRY)).problems()) == []
