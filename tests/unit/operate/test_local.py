"""The stack `local`: what it starts, what it says, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from operate import __main__, directory, local, project, remote, rig
from operate.settings_of import settings_of
from operate.steps import OperationError
from tests.unit.operate.clusters import ENFORCING, Programs


def test_making_nothing_of_a_wrong_stack_file_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stack: str) -> None:
        raise OperationError("a problem")

    started: list[object] = []
    monkeypatch.setattr(local, "settings_of", refuse)
    monkeypatch.setattr(rig, "run", lambda *arguments, **_more: started.append(arguments))
    with pytest.raises(OperationError, match="a problem"):
        local.up()
    assert started == []


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
    for name in ("require_cluster", "recover", "look_anew", "_wait_for_images"):
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


@pytest.mark.parametrize("command", ["down", "purge", "verify"])
def test_where_the_lab_does_not_run_nothing_is_asked_of_it_and_its_start_is_named(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.local.yaml").touch()
    started: list[object] = []
    monkeypatch.setattr(project, "folder_of", lambda _stack: tmp_path)
    monkeypatch.setattr(rig, "HOME", tmp_path)
    monkeypatch.setattr(rig, "kubeconfig", lambda: "kubeconfig")
    for name in ("run", "output"):
        monkeypatch.setattr(rig, name, lambda *arguments, **_more: started.append(arguments))
    assert __main__.main([command]) == 1
    assert started == []
    assert "fix: `lab/lab up` starts it" in capsys.readouterr().err


def test_a_purge_of_what_was_never_up_asks_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(project, "folder_of", lambda _stack: tmp_path)
    assert __main__.main(["purge"]) == 0
    assert capsys.readouterr().out == "nothing is up, and nothing was left\n"
