"""`python -m planning`: what it prints, writes and exits with."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from planning.__main__ import BAD_SETTINGS, FINDINGS, LOSS, main
from planning.compare import Report
from planning.figures import Figures
from planning.losses import Loss
from tests.harness.stacks import PROJECT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's stack files and program, as the current directory."""
    for path in (*PROJECT.glob("Pulumi*.yaml"), PROJECT / "__main__.py"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_writes_one_file_per_object_and_names_what_is_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--stack", "prod"]) == 0
    text = capsys.readouterr().out
    assert "pulumi config set --secret elab:ldap_bind_password --stack prod" in text
    assert "How many people fit" in text
    written = list((project / "build" / "prod").rglob("*.yaml"))
    assert f"{len(written)} manifests in build/prod/" in text


def test_a_plan_as_json_has_the_same_findings(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--stack", "prod", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {finding["where"] for finding in found["findings"]} >= {"ldap_bind_password"}
    assert found["fits"][0]["per_node"] > 0
    assert found["totals"]["rooms"][0]["requests"]["cpu"] > 0


def test_reading_a_stack_that_builds_its_image_builds_no_grammar_of_iris_which_takes_a_second() -> None:
    program = (
        "import sys, pathlib; from planning.plan import recorded, subject; here = pathlib.Path.cwd(); "
        "recorded(here, subject(here, 'dev')); "
        "print('jsonschema' in sys.modules, 'rfc3987_syntax.syntax_helpers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_bad_settings_are_the_only_thing_printed_and_nothing_is_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "Pulumi.prod.yaml"
    path.write_text(path.read_text().replace("elab:instance:", "elab:instanze:"))
    assert main(["plan", "--stack", "prod"]) == BAD_SETTINGS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "instanze" in printed.err
    assert "Traceback" not in printed.err
    assert not (project / "build").exists()


def test_an_unknown_stack_names_those_there_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--stack", "nowhere"]) == BAD_SETTINGS
    assert "prod" in capsys.readouterr().err


def test_another_name_of_the_instance_is_refused_since_every_disk_would_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way: a repository, its base commit planned by its own code, and the work tree by its own."""
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".git", ".venv", "build", "lab", "tests", "docs", ".*_cache")
    shutil.copytree(PROJECT, copy, ignore=ignored)
    for path in copy.glob("Pulumi.*.yaml"):
        if path.name != "Pulumi.dev.yaml":
            path.unlink()
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "base"],
    ):
        subprocess.run(["git", *command], cwd=copy, check=True)
    monkeypatch.chdir(copy)
    stack = copy / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("elab-dev", "elab-new"))
    assert main(["diff", "--base", "HEAD"]) == LOSS
    text = capsys.readouterr().out
    assert "  nodes at most, a month: " in text
    assert "REFUSED Namespace/elab-dev-users: renamed to Namespace/elab-new-users" in text
    assert "REFUSED PersistentVolumeClaim/elab-dev-hub/" in text


def test_a_file_that_the_settings_name_and_is_not_there_is_a_problem_with_its_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "Pulumi.dev.yaml"
    path.write_text(f"{path.read_text()}  elab:hub:\n    extra_config: absent.py\n")
    assert main(["plan", "--stack", "dev"]) == BAD_SETTINGS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Pulumi.dev.yaml:" in printed.err
    assert "hub.extra_config" in printed.err


KNOWN = Figures(monthly_cost=1.0, violations=("mandatory probes: a: x",))


@pytest.mark.parametrize(
    ("violations", "losses", "code"),
    [
        (KNOWN.violations, (), 0),
        ((), (), 0),
        ((*KNOWN.violations, "advisory tls: b: y"), (), 0),
        ((*KNOWN.violations, "mandatory non-root: b: y"), (), FINDINGS),
        (("mandatory non-root: b: y",), (Loss(where="a", what="b", why="c", fix="d"),), LOSS),
    ],
    ids=["as before", "solved", "advised", "newly broken", "lost besides"],
)
@pytest.mark.parametrize("options", [[], ["--markdown"]], ids=["text", "markdown"])
def test_a_mandatory_policy_that_holds_no_longer_fails_a_diff(
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    violations: tuple[str, ...],
    losses: tuple[Loss, ...],
    code: int,
) -> None:
    after = dataclasses.replace(KNOWN, violations=violations)
    report = Report(stack="s", summary="", lines=(), losses=losses, before=KNOWN, after=after, base="main")
    monkeypatch.setattr("planning.compare.compare", lambda *_: iter([report]))
    assert main(["diff", "--base", "main", *options]) == code


def test_an_unknown_base_is_one_clear_problem(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--base", "HEAD"]) == BAD_SETTINGS
    assert "not a git repository" in capsys.readouterr().err
