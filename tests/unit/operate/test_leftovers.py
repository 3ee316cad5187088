"""What `down` leaves, and what `purge` deletes: only for who types the stack's name."""

from __future__ import annotations

import io
import json

import pytest

from operate import __main__
from operate.leftovers import stays
from operate.release import released
from tests.unit.operate.clusters import CLUSTER, READY, Programs, state, urn


def test_taking_a_stack_away_stops_peoples_servers_first_and_leaves_what_is_protected(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = json.dumps(state({"urn": urn("hub-hub-db"), "custom": True, "protect": True}))
    told = programs(kubectl=CLUSTER, pulumi=f"""case "$*" in *export*) echo '{kept}' ;; esac""")
    assert __main__.main(["down", "--stack", "dev"]) == 0
    lines = told.read_text().splitlines()
    [stopped] = [at for at, line in enumerate(lines) if "-n elab-dev-users delete pods --all" in line]
    [destroyed] = [at for at, line in enumerate(lines) if "destroy --stack dev" in line]
    assert stopped < destroyed
    assert "--exclude-protected" in lines[destroyed]
    assert "hub-hub-db" in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["yes\n", "\n", "prod\n", ""])
def test_data_is_deleted_only_for_who_types_the_stacks_name(
    answer: str, programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = programs(kubectl=READY, pulumi="")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert __main__.main(["purge", "--stack", "dev"]) == 1
    assert [line for line in told.read_text().splitlines() if line.startswith("pulumi")] == []
    assert "nothing was deleted" in capsys.readouterr().err


def test_who_types_it_has_the_data_deleted(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    told = programs(kubectl=CLUSTER, pulumi='echo "{}"')
    monkeypatch.setattr("sys.stdin", io.StringIO("dev\n"))
    assert __main__.main(["purge", "--stack", "dev"]) == 0
    patched = [line for line in told.read_text().splitlines() if "patch persistentvolume" in line]
    assert len(patched) == 1
    assert "patch persistentvolume theirs" in patched[0]
    assert "Delete" in patched[0]
    commands = [line for line in told.read_text().splitlines() if line.startswith("pulumi")]
    assert [line.split()[1:3] for line in commands[:2]] == [["stack", "export"], ["stack", "import"]]
    assert commands[2].split()[1] == "destroy"


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
