"""The commands: one clear message where something is missing, and nothing changed before."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.entry_settings import public_url
from operate import __main__, directory, local, project, remote, rig
from operate.leftovers import stays
from operate.recovery import Pending, completed, mend
from operate.release import released
from operate.settings_of import settings_of
from operate.steps import OperationError

Programs = Callable[..., Path]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Makes stand-ins the only programs on PATH; returns the file where they note what they were told."""
    folder, told = tmp_path / "bin", tmp_path / "told"
    folder.mkdir()
    told.touch()
    monkeypatch.setenv("PATH", str(folder))

    def make(**scripts: str) -> Path:
        for name, script in scripts.items():
            program = folder / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >> {told}\n{script}\n')
            program.chmod(0o755)
        return told

    return make


READY = "echo ok"
CLUSTER = """case "$*" in
*readyz*) echo ok ;;
*persistentvolumes*) echo '{"items": [
  {"metadata": {"name": "theirs"}, "spec": {"claimRef": {"namespace": "elab-dev-users"}}},
  {"metadata": {"name": "foreign"}, "spec": {"claimRef": {"namespace": "elab-users"}}},
  {"metadata": {"name": "unbound"}, "spec": {}}]}' ;;
*) echo namespace/there ;;
esac"""
"""A cluster that answers, with volumes of this instance, of another, and of nobody."""
ENFORCING = """case "$*" in
*"elab-users logs"*) echo '{"reached": [true, LEAK, false, false], "seconds": 0.4}' ;;
*readyz*) echo ok ;;
*exec*) echo '{"reached": [true], "seconds": 0.1}' ;;
*endpointslices*) echo '{"items": []}' ;;
*logs*) echo '{"reached": [true, LEAK, false, false, false], "seconds": 0.4}' ;;
*"get service"*) echo 10.96.0.9 ;;
esac"""
"""A cluster whose policies hold, unless LEAK is true."""
REFUSED = 'echo "connection refused" >&2; exit 1'


def test_ready_asks_the_cluster_of_the_stacks_file_and_starts_nothing(programs: Programs) -> None:
    told = programs(kubectl=READY, pulumi="")
    assert __main__.main(["ready", "--stack", "prod"]) == 0
    (asked,) = told.read_text().splitlines()
    assert "--context=onprem-prod" in asked
    assert asked.endswith("get --raw /readyz")
    programs(kubectl=REFUSED)
    assert __main__.main(["ready", "--stack", "prod"]) == 1


@pytest.mark.parametrize("command", ["up", "down", "status", "purge"])
def test_where_the_cluster_does_not_answer_pulumi_is_not_started(
    command: str, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    told = programs(kubectl=REFUSED, pulumi="")
    assert __main__.main([command, "--stack", "dev"]) == 1
    assert [line for line in told.read_text().splitlines() if line.startswith("pulumi")] == []
    shown = capsys.readouterr().err
    assert shown.count("error:") == 1
    assert "context onprem-dev does not answer" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("missing", ["pulumi", "kubectl"])
def test_a_missing_tool_is_named(missing: str, programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs(**{name: READY for name in ("pulumi", "kubectl") if name != missing})
    assert __main__.main(["up", "--stack", "dev"]) == 1
    assert f"error: {missing} is not installed" in capsys.readouterr().err


def test_a_proof_asks_for_no_program_that_it_does_not_use(programs: Programs) -> None:
    programs(kubectl=ENFORCING.replace("LEAK", "false"))
    assert __main__.main(["verify", "--stack", "dev"]) == 0


def test_a_stack_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["up", "--stack", "nowhere"]) == 1
    shown = capsys.readouterr().err
    assert "Pulumi.nowhere.yaml" in shown
    assert "Traceback" not in shown


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


def test_an_interrupted_run_can_be_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "up", interrupted)
    assert __main__.main(["up"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_making_nothing_of_a_wrong_stack_file_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stack: str) -> None:
        raise OperationError("a problem")

    started: list[object] = []
    monkeypatch.setattr(local, "settings_of", refuse)
    monkeypatch.setattr(rig, "run", lambda *arguments, **_more: started.append(arguments))
    with pytest.raises(OperationError, match="a problem"):
        local.up()
    assert started == []


def state(*resources: dict[str, Any], pending: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources), "pending_operations": list(pending)}}


def urn(name: str) -> str:
    return f"urn:pulumi:local::elab::elab:hub:Hub$kubernetes:core/v1:PersistentVolumeClaim::{name}"


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


def test_a_local_stack_on_a_cluster_that_is_there_leaves_the_lab_alone(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = programs(kubectl=ENFORCING.replace("LEAK", "false"), pulumi="")
    mine = settings_of("local")
    elsewhere = mine.model_copy(update={"cluster": mine.cluster.model_copy(update={"context": "mine"})})
    monkeypatch.setattr(local, "settings_of", lambda _stack: elsewhere)
    monkeypatch.setattr(remote, "settings_of", lambda _stack: elsewhere)
    assert __main__.main(["up"]) == 0
    lines = told.read_text().splitlines()
    assert all("--context=mine" in line for line in lines if line.startswith("kubectl"))
    assert [line for line in lines if line.startswith("pulumi")] == [f"pulumi up --stack local --cwd {rig.ROOT}"]


@pytest.mark.parametrize(("leak", "ends"), [("false", 0), ("true", 1)])
@pytest.mark.parametrize("command", ["up", "verify"])
def test_a_stack_is_up_only_where_policies_hold(
    command: str, leak: str, ends: int, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    told = programs(kubectl=ENFORCING.replace("LEAK", leak), pulumi="")
    assert __main__.main([command, "--stack", "dev"]) == ends
    lines = told.read_text().splitlines()
    (probed,) = [at for at, line in enumerate(lines) if "--namespace elab-dev-users create" in line]
    assert [at < probed for at, line in enumerate(lines) if line.startswith("pulumi up")] == [True] * (command == "up")
    printed = capsys.readouterr()
    assert ("NetworkPolicies hold: refused" in printed.out) == (not ends)
    assert ("proxy-api in elab-dev-hub" in printed.err) == bool(ends)
    assert ("error: the stack is up; only the proof" in printed.err) == (command == "up" and bool(ends))
    assert (f"elab is up: {public_url(settings_of('dev').entry)}\n" in printed.out) == (command == "up")


def test_in_the_lab_the_address_and_the_accounts_are_said_before_the_proof_which_alone_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail() -> None:
        print("the proof begins")
        raise OperationError("NetworkPolicies do not hold")

    def nothing(*_arguments: object, **_options: object) -> None:
        return None

    passwords = dict.fromkeys((*directory.ACCOUNTS, "elab"), "a-password")
    people = directory.Directory(passwords=passwords, ca="", certificate="", key="")
    outputs = {"url": "http://elab.test", "namespaces": {"placeholders": "elab-placeholders"}}
    for name in ("build", "start", "images", "pulumi"):
        monkeypatch.setattr(rig, name, nothing)
    for name in ("require_cluster", "recover", "_wait_for_images"):
        monkeypatch.setattr(local, name, nothing)
    monkeypatch.setattr(rig, "kubeconfig", lambda: "kubeconfig")
    monkeypatch.setattr(rig, "pulumi_json", lambda *_arguments: outputs)
    monkeypatch.setattr(local, "hub_answers", lambda _url: True)
    monkeypatch.setattr(directory, "kept", lambda: people)
    monkeypatch.setattr(directory, "start", nothing)
    monkeypatch.setattr(project, "write", lambda *_arguments: tmp_path)
    monkeypatch.setattr(project, "select", nothing)
    monkeypatch.setattr(project, "set_secret", nothing)
    monkeypatch.setattr(local, "verify", fail)
    assert __main__.main(["up"]) == 1
    printed = capsys.readouterr()
    told, began = printed.out.index("a-password"), printed.out.index("the proof begins")
    assert printed.out.index("http://elab.test") < told < began
    assert printed.err.startswith("\nerror: the stack is up; only the proof")
    assert printed.err.endswith("has failed: NetworkPolicies do not hold\n")


def test_down_of_what_was_never_up_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(project, "folder_of", lambda _stack: tmp_path)
    local.down()
    assert capsys.readouterr().out == "nothing is up\n"


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
