"""Whoever is woken by an alert finds what it means, whom it hurts, how to look and how to mend it."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[3]
RULES = sorted((PROJECT / "components/monitoring/files/rules").glob("*.yaml"))
RUNBOOKS = sorted((PROJECT / "docs/runbooks").glob("*.md"))
PARTS = ("Meaning.", "Impact.", "How to look.", "How to mend.")


@functools.cache
def _alerts() -> list[dict[str, Any]]:
    groups = [
        group for path in RULES for group in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["groups"]
    ]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def _sections(path: Path) -> dict[str, str]:
    """The text below each heading of the second rank."""
    parts = re.split(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _shown(alert: dict[str, Any]) -> str:
    return f"{alert['alert']} ({alert['labels']['severity']})"


@pytest.mark.parametrize("alert", _alerts(), ids=_shown)
def test_an_alert_says_what_happened_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning", "info", "none")
    assert set(alert["annotations"]) == {"summary", "description", "runbook"}
    file, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert anchor == alert["alert"].lower()
    text = _sections(PROJECT / file)[alert["alert"]]
    assert [part for part in PARTS if f"**{part}**" not in text] == []


def test_no_section_is_left_of_an_alert_that_is_gone() -> None:
    documented = {name for path in RUNBOOKS if path.name != "README.md" for name in _sections(path)}
    assert documented == {alert["alert"] for alert in _alerts()}


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_links_between_runbooks_lead_somewhere(path: Path) -> None:
    for file, anchor in re.findall(r"\]\(([\w-]*(?:\.md)?)(?:#([\w-]+))?\)", path.read_text(encoding="utf-8")):
        target = path.parent / file if file else path
        assert target.exists(), file
        assert not anchor or anchor in {name.lower() for name in _sections(target)}, f"{file}#{anchor}"
