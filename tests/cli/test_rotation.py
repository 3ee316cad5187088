"""A protected key is replaced as docs/operations.md says, by the real engine: alone, and protected again after."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pulumi
import pytest
from pulumi import automation
from pulumi_random import RandomBytes, RandomBytesArgs

from components.kit import DataPolicy
from tests.cli.engine import engine

pytestmark = pytest.mark.e2e

PLUGINS = Path(__file__).parents[2] / "lab/plugins/bin"
URN = "urn:pulumi:keys::rotation::elab:hub:Keys$random:index/randomBytes:RandomBytes::keys-proxy"


class Keys(pulumi.ComponentResource):
    """Two keys, kept as the hub's are in prod."""

    def __init__(self) -> None:
        super().__init__("elab:hub:Keys", "keys")
        kept = DataPolicy(protect=True).options(self)
        for use in ("proxy", "cookie"):
            pulumi.export(use, RandomBytes(f"keys-{use}", RandomBytesArgs(length=32), kept).hex)
        self.register_outputs({})


def program() -> None:
    Keys()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> automation.Stack:
    monkeypatch.setenv("PATH", f"{PLUGINS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LAB_PLUGIN_PYTHON", sys.executable)
    found, folder = engine(tmp_path), tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: rotation\nruntime: python\n")
    return automation.create_stack("keys", project_name="rotation", program=program, opts=found.workspace(folder))


def up(stack: automation.Stack, *replaced: str) -> dict[str, str]:
    return {name: str(one.value) for name, one in stack.up(replace=list(replaced)).outputs.items()}


def protected(stack: automation.Stack) -> set[str]:
    deployment = stack.export_stack().deployment or {}
    return {one["urn"] for one in deployment["resources"] if one.get("protect")}


def test_one_key_is_made_anew_once_it_was_unprotected_for_that_and_is_protected_again(stack: automation.Stack) -> None:
    before, kept = up(stack), protected(stack)
    assert URN in kept
    with pytest.raises(automation.errors.CommandError, match="currently marked for protection"):
        up(stack, URN)
    workspace = stack.workspace
    pulumi_ = workspace.pulumi_command.command
    subprocess.run(
        [pulumi_, "state", "unprotect", URN, "--yes", "--stack", "keys"],
        cwd=workspace.work_dir,
        env={**os.environ, **workspace.env_vars},
        check=True,
    )
    after = up(stack, URN)
    assert after["proxy"] != before["proxy"]
    assert after["cookie"] == before["cookie"]
    assert protected(stack) == kept
