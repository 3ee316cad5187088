"""The scanner's report is sorted by excuses, and an excuse that excuses nothing is told."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from planning.scan import EXCUSES, outcome


def report(*failed: tuple[str, str]) -> dict[str, Any]:
    checks = [{"check_id": check, "check_name": "a check", "resource": resource} for check, resource in failed]
    return {"summary": {"passed": 3}, "results": {"failed_checks": checks}}


def excuse(**changes: object) -> dict[str, Any]:
    return {"check": "CKV_1", "resources": ["Deployment.a.*"], "reason": "for a test", **changes}


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


def test_an_excuse_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        outcome(report(("CKV_1", "Deployment.a.b")), [excuse(reason="")])


def test_the_committed_excuses_are_whole() -> None:
    assert outcome(report(), yaml.safe_load(EXCUSES.read_text(encoding="utf-8"))).needless
