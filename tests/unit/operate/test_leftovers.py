"""What `down` leaves, and what `purge` deletes: only for who types the stack's name."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from operate import __main__
from operate.leftovers import stays
from operate.release import released
from tests.unit.operate.clusters import CLUSTER, Programs, state, urn

PEOPLE = {
    "urn": "urn:pulumi:dev::elab::kubernetes:core/v1:Namespace::namespaces-users",
    "type": "kubernetes:core/v1:Namespace",
    "inputs": {"metadata": {"name": "elab-dev-users"}},
}
KEPT = {
    "urn": urn("hub-hub-db"),
    "type": "kubernetes:core/v1:PersistentVolumeClaim",
    "custom": True,
    "protect": True,
}


def _exporting(*resources: dict[str, Any]) -> str:
    return f"""case "$*" in *export*) echo '{json.dumps(state(*resources))}' ;; esac"""


def test_a_stack_is_taken_away_after_its_name_was_typed_below_what_would_go(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = programs(kubectl=CLUSTER, pulumi=_exporting(PEOPLE, KEPT))
    monkeypatch.setattr("sys.stdin", io.StringIO("dev\n"))
    assert __main__.main(["down", "--stack", "dev"]) == 0
    lines = told.read_text().splitlines()
    [seen] = [at for at, line in enumerate(lines) if "--preview-only" in line]
    [stopped] = [at for at, line in enumerate(lines) if "-n elab-dev-users delete pods --all" in line]
    [destroyed] = [at for at, line in enumerate(lines) if "--exclude-protected" in line and at != seen]
    assert seen < stopped < destroyed
    assert "--yes" in lines[destroyed]
    assert "hub-hub-db" in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["yes\n", "\n", "prod\n", ""])
def test_whoever_does_not_type_it_has_stopped_nobodys_server(
    answer: str, programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = programs(kubectl=CLUSTER, pulumi=_exporting(PEOPLE, KEPT))
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert __main__.main(["down", "--stack", "dev"]) == 1
    lines = told.read_text().splitlines()
    assert [line for line in lines if "delete" in line or ("destroy" in line and "--preview-only" not in line)] == []
    assert "nothing was deleted" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["yes\n", "\n", "prod\n", ""])
def test_data_is_deleted_only_for_who_types_the_stacks_name(
    answer: str, programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = programs(kubectl=CLUSTER, pulumi=_exporting(PEOPLE, KEPT))
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert __main__.main(["purge", "--stack", "dev"]) == 1
    lines = told.read_text().splitlines()
    assert [line for line in lines if any(word in line for word in ("import", "destroy", "patch", "delete"))] == []
    assert "nothing was deleted" in capsys.readouterr().err


def test_who_types_it_has_the_data_deleted(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    told = programs(kubectl=CLUSTER, pulumi=_exporting(PEOPLE, KEPT))
    monkeypatch.setattr("sys.stdin", io.StringIO("dev\n"))
    assert __main__.main(["purge", "--stack", "dev"]) == 0
    lines = told.read_text().splitlines()
    (released_,) = [at for at, line in enumerate(lines) if line.startswith("pulumi stack import")]
    (destroyed,) = [at for at, line in enumerate(lines) if line.startswith("pulumi destroy")]
    (patched,) = [at for at, line in enumerate(lines) if "patch persistentvolume" in line]
    assert released_ < destroyed < patched
    assert "patch persistentvolume theirs" in lines[patched]


def test_a_purge_gives_up_protected_and_retained_objects_and_changes_nothing_else() -> None:
    kept = {"urn": "urn:a", "protect": True, "retainOnDelete": True, "outputs": {"a": 1}}
    other = {"urn": "urn:b", "dependencies": ["urn:a"]}
    state = {"version": 3, "deployment": {"manifest": {}, "resources": [kept, other]}}
    assert released(state) == {
        "version": 3,
        "deployment": {"manifest": {}, "resources": [{"urn": "urn:a", "outputs": {"a": 1}}, other]},
    }


def test_a_purge_that_fails_half_way_is_one_message(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs(kubectl=CLUSTER, pulumi="exit 2")
    monkeypatch.setattr("sys.stdin", io.StringIO("dev\n"))
    assert __main__.main(["purge", "--stack", "dev"]) == 1
    assert "ended with 2" in capsys.readouterr().err


def test_what_stays_after_down_is_listed_with_the_way_to_purge_it() -> None:
    found = state(
        {"urn": urn("hub-hub-db"), "custom": True, "protect": True},
        {"urn": urn("another"), "custom": True},
        {"urn": urn("a-component"), "custom": False, "protect": True},
    )
    shown = stays(found, "prod")
    assert "1 protected objects stay" in shown
    assert "hub-hub-db" in shown
    assert "PersistentVolumeClaim" in shown
    assert "another" not in shown
    assert "make purge STACK=prod" in shown


def test_a_stack_that_leaves_nothing_says_so() -> None:
    assert stays({"deployment": None}, "local") == "nothing of the stack stays"
