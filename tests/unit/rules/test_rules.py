"""Every alert fires when it should and stays quiet when it should, by Prometheus' own promtool."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate.rig import HOME

PROJECT = Path(__file__).parents[3]
RULES = PROJECT / "components/monitoring/files/rules"
TESTS = sorted((PROJECT / "tests/rules").glob("*.yaml"))
PROMTOOL = HOME / "bin/promtool"


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if not PROMTOOL.exists():
        pytest.skip(f"{PROMTOOL} is not there: lab/lab build --checkers makes it")
    # It ends soon; looking for what may go took a fifth of its time.
    environment = os.environ | {"GOGC": "400"}
    return subprocess.run([PROMTOOL, *arguments], env=environment, capture_output=True, text=True)


def _documents(paths: list[Path]) -> list[dict[str, Any]]:
    return [yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) for path in paths]


@functools.cache
def _alerts() -> list[tuple[str, str]]:
    """Every alert of the rule files with its severity."""
    groups = [group for document in _documents(sorted(RULES.glob("*.yaml"))) for group in document["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return [(rule["alert"], rule["labels"]["severity"]) for rule in rules]


@functools.cache
def _checks() -> list[dict[str, Any]]:
    """Every question of the tests about an alert at a time."""
    tests = [test for document in _documents(TESTS) for test in document["tests"]]
    return [check for test in tests for check in test.get("alert_rule_test", ())]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_and_stay_quiet_as_the_file_says(path: Path) -> None:
    done = _promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_the_rules() -> None:
    done = _promtool("check", "rules", "--lint=all", "--lint-fatal", *sorted(RULES.glob("*.yaml")))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("alert", "severity"), _alerts())
def test_each_alert_has_a_test_in_which_it_fires(alert: str, severity: str) -> None:
    fired = [
        expected["exp_labels"]["severity"]
        for check in _checks()
        if check["alertname"] == alert
        for expected in check["exp_alerts"]
    ]
    assert severity in fired


@pytest.mark.parametrize("alert", sorted({alert for alert, severity in _alerts() if severity != "none"}))
def test_each_alert_has_a_test_in_which_it_stays_quiet(alert: str) -> None:
    assert any(check["alertname"] == alert and not check["exp_alerts"] for check in _checks())
