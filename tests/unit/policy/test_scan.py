"""The scanner's report is sorted by excuses, and an excuse that excuses nothing is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning.scan import Excuse, excuses_in, outcome
from stackfile.problems import StackError


def report(*failed: tuple[str, str]) -> dict[str, Any]:
    checks = [{"check_id": check, "check_name": "a check", "resource": resource} for check, resource in failed]
    return {"summary": {"passed": 3}, "results": {"failed_checks": checks}}


def excuse() -> Excuse:
    return Excuse(check="CKV_1", resources=("Deployment.a.*",), reason="for a test")


def test_only_the_named_check_at_the_named_resources_is_excused() -> None:
    failed = (("CKV_1", "Deployment.a.b"), ("CKV_1", "Deployment.c.b"), ("CKV_2", "Deployment.a.b"))
    found = outcome(report(*failed), [excuse()])
    assert found.passed == 3
    assert [(one.check, one.resource) for one in found.excused] == [("CKV_1", "Deployment.a.b")]
    assert [(one.check, one.resource) for one in found.open] == [
        ("CKV_1", "Deployment.c.b"),
        ("CKV_2", "Deployment.a.b"),
    ]


def test_an_excuse_that_excuses_nothing_is_told() -> None:
    assert outcome(report(), [excuse()]).needless == ("CKV_1 for Deployment.a.*",)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("- {check: CKV_1, resources: [a]}", "policy/scan.yaml 0.reason"),
        ("- {check: CKV_1, resources: [a], reason: ''}", "policy/scan.yaml 0.reason"),
        ("- {check: CKV_1, resources: [], reason: b}", "policy/scan.yaml 0.resources"),
        ("- {check: CKV_1, resources: [a], reason: b, because: c}", "policy/scan.yaml 0.because"),
        ("- CKV_1", "policy/scan.yaml 0"),
        ("check: CKV_1", "policy/scan.yaml"),
        ("- check: [CKV_1", "policy/scan.yaml:1"),
        ("", "policy/scan.yaml"),
    ],
)
def test_an_excuse_that_is_not_whole_is_refused_with_its_place(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "scan.yaml"
    file.write_text(text)
    with pytest.raises(StackError, match=r"^policy/scan.yaml has 1 problem; ") as refused:
        excuses_in(file)
    assert [problem.where for problem in refused.value.problems] == [where]


def test_the_committed_excuses_are_whole() -> None:
    assert outcome(report(), excuses_in()).needless
