"""The commands: one clear message where something is missing, and nothing changed before."""

from __future__ import annotations

import pytest

from components.entry_settings import public_url
from operate import __main__, local
from operate.settings_of import settings_of
from tests.unit.operate.clusters import ENFORCING, READY, REFUSED, Programs


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


def test_an_interrupted_run_can_be_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "up", interrupted)
    assert __main__.main(["up"]) == 130
    assert "run the same command again" in capsys.readouterr().err


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
