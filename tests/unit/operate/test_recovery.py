"""Going on after a run that was killed, or with a cluster that was wiped."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from operate import recovery, rig
from operate.recovery import Pending, completed, look_anew, mend
from tests.unit.operate.clusters import state, urn


def test_after_a_killed_run_what_was_made_is_in_the_state_once_and_what_was_not_is_begun_anew() -> None:
    made, lost, known = ({"urn": urn(name), "custom": True} for name in ("made", "lost", "known"))
    pending = tuple({"resource": one, "type": "creating"} for one in (made, lost, known))
    done = Pending(urn=urn("made"), kind="PersistentVolumeClaim.v1.", namespace="elab-hub", name="hub-db")
    twice = Pending(urn=urn("known"), kind="PersistentVolumeClaim.v1.", namespace="elab-hub", name="known")
    begun = state({**known, "id": "elab-hub/known"}, pending=pending)
    deployment = completed(begun, {done.urn: done, twice.urn: twice})["deployment"]
    assert deployment["pending_operations"] == []
    assert [(one["urn"], one["id"]) for one in deployment["resources"]] == [
        (urn("known"), "elab-hub/known"),
        (urn("made"), "elab-hub/hub-db"),
    ]


def test_attributes_that_a_kill_left_empty_are_removed_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "stand-in/.pulumi/stacks/elab"
    folder.mkdir(parents=True)
    for name, text in {"a.json": "{}", "a.json.attrs": "", "a.json.bak.attrs": "{}", "b.json.attrs": ""}.items():
        (folder / name).write_text(text)
    mend("a", tmp_path)
    assert sorted(file.name for file in folder.iterdir()) == ["a.json", "a.json.bak.attrs", "b.json.attrs"]


def test_a_lock_that_another_run_gives_back_just_now_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.json"
    monkeypatch.setattr(Path, "glob", lambda _folder, _pattern: iter([gone]))
    assert recovery._holders("local", tmp_path) == []


@pytest.mark.parametrize(("ago", "holds"), [(0, True), (10**9, False)])
def test_a_process_that_began_after_the_lock_was_taken_does_not_hold_it(ago: int, holds: bool, tmp_path: Path) -> None:
    """As after a restart of the machine, when another has the number."""
    folder = tmp_path / "stand-in/.pulumi"
    for name in ("locks/organization/elab/local", "stacks/elab"):
        (folder / name).mkdir(parents=True)
    lock, torn = folder / "locks/organization/elab/local/1.json", folder / "stacks/elab/local.json.attrs"
    lock.write_text(json.dumps({"pid": os.getpid()}))
    taken = time.time() - ago
    os.utime(lock, (taken, taken))
    torn.touch()
    mend("local", tmp_path)
    assert torn.exists() == holds


@pytest.mark.parametrize(("seen", "looks"), [(None, []), ("this", []), ("another", ["refresh"])])
def test_a_state_is_read_anew_only_where_its_cluster_was_wiped(
    seen: str | None, looks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(rig, "kubectl", lambda *_arguments: "this")
    monkeypatch.setattr(rig, "pulumi", lambda command, *_arguments: told.append(command))
    if seen:
        (tmp_path / "cluster").write_text(seen)
    look_anew(tmp_path, "local")
    assert told == looks
    look_anew(tmp_path, "local")
    assert told == looks
