"""The inventory of images holds all that a cluster pulls, and with its own setting nothing escapes a mirror."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from planning import images, mirror
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


@pytest.mark.parametrize("registry", ["https://registry.example.org", "registry.example.org/", "mirror"])
def test_a_name_that_is_no_registry_is_refused(registry: str) -> None:
    with pytest.raises(StackError, match="write it as registry"):
        mirror.script(images.inventory(plan("dev")), plan("dev").subject.settings, registry)


def test_what_the_registry_holds_already_is_not_copied_onto_itself() -> None:
    text = mirror.script(images.inventory(plan("prod")), plan("prod").subject.settings, "registry.example.org/mirror")
    assert "# registry.example.org/elab/notebook:1: in this registry already" in text
    assert "registry.example.org: " not in text
