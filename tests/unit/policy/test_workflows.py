"""Workflows: what actionlint says, actions by commit, least permissions, and no secret where a fork's code runs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate.rig import HOME

FOLDER = Path(__file__).parents[3] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


OWN = "./.github/actions/"
"""This repository's own actions, which are of the workflow's own commit."""


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in FILES:
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items():
            yield f"{file.name}: {name}", job


def test_actionlint_has_nothing_to_say() -> None:
    program = HOME / "bin" / "actionlint"
    assert program.is_file(), "lab/lab build --checkers makes it"
    said = subprocess.run([program, "-no-color", *FILES], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_actions_are_named_by_commit_and_are_github_s_own() -> None:
    own = [
        yaml.safe_load(file.read_text(encoding="utf-8"))["runs"] for file in FOLDER.parent.glob("actions/*/action.yml")
    ]
    used = {step["uses"] for job in (*(job for _, job in jobs()), *own) for step in job["steps"] if "uses" in step}
    assert used
    others = [one for one in used if not one.startswith(OWN)]
    assert [one for one in others if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_has_no_right_but_those_its_jobs_name(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert all("permissions" in job and "timeout-minutes" in job for job in workflow["jobs"].values())


def test_who_may_write_runs_none_of_this_repository_s_code() -> None:
    writing = {name: job for name, job in jobs() if "write" in job["permissions"].values()}
    assert set(writing) == {"preview.yml: comment", "release.yml: release"}
    for name, job in writing.items():
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert [one for one in used if not one.startswith("actions/download-artifact@")] == [], name


def test_what_nobody_watches_asks_no_environment_that_waits_for_a_reviewer() -> None:
    environments = {name: job["environment"] for name, job in jobs() if "environment" in job}
    assert environments == {
        "preview.yml: preview": "preview-${{ matrix.stack }}",
        "drift.yml: drift": "drift-${{ matrix.stack }}",
    }


def test_no_job_runs_what_a_server_sends() -> None:
    files = [*FILES, *FOLDER.parent.glob("actions/*/action.yml")]
    for file in files:
        assert not re.search(r"\b(curl|wget)\b", file.read_text(encoding="utf-8")), file.name


def test_one_run_at_a_time_of_what_would_tread_on_another() -> None:
    for file in FILES:
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["concurrency"]["group"], file.name


def test_a_fork_s_code_meets_no_secret() -> None:
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    workflow = yaml.safe_load((FOLDER / "preview.yml").read_text(encoding="utf-8"))
    # YAML reads the key `on` as true.
    assert set(workflow[True]) == {"pull_request"}, "pull_request_target would run a fork's change with secrets"
    holding = {name for name, job in workflow["jobs"].items() if re.search(r"secrets\.|GH_TOKEN", str(job))}
    assert holding == {"comment", "preview"}
    assert all(own in workflow["jobs"][name]["if"] for name in holding)


def test_what_asks_a_cluster_names_the_stack_and_not_the_shells_context() -> None:
    commands = [step.get("run", "") for _, job in jobs() for step in job["steps"]]
    assert [one for one in commands if "kubectl" in one] == []
    assert len([one for one in commands if '-m operate ready --stack "$STACK"' in one]) == 2


def test_credentials_do_not_stay_in_the_checkout() -> None:
    for name, job in jobs():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name
