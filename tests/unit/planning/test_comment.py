"""The comment of a pull request: whole figures first, details as far as GitHub takes them, nothing lost to Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from planning.comment import LONGEST, comment
from planning.commits import from_json, to_json
from planning.compare import Report, compare
from planning.figures import Figures
from planning.losses import Loss
from planning.snapshot import Snapshot

OLD = Figures(monthly_cost=1000, violations=("advisory tls: a: x", "mandatory probes: b: y"))
NEW = Figures(monthly_cost=1200, violations=("mandatory probes: b: y", "mandatory non-root: c: @everybody <b>z</b>"))


def report(stack: str = "prod", lines: tuple[str, ...] = ("~ Deployment/hub",), **fields: object) -> Report:
    given: dict[str, Any] = {"summary": "+0 -0 ~1", "losses": (), "before": OLD, "after": NEW, "base": "main", **fields}
    return Report(stack=stack, lines=lines, **given)


def test_it_shows_cost_before_and_after_and_which_policies_are_new_and_solved() -> None:
    text = comment("main", [report()])
    assert "| prod | +0 -0 ~1 | 1,000 → 1,200 | 1, 1, 1 | kept |" in text
    assert "- **prod**: new: mandatory non-root: c:" in text
    assert "- prod: solved: advisory tls: a: x" in text


def test_a_terminal_is_told_the_same_of_cost_and_policies() -> None:
    lines = report().text.splitlines()
    assert "  nodes at most, a month: 1,000 → 1,200" in lines
    assert "  policy, new: mandatory non-root: c: @everybody <b>z</b>" in lines
    assert "  policy, solved: advisory tls: a: x" in lines
    assert not any("probes" in line for line in lines), "what was broken before and still is"


def test_whatever_a_new_stack_breaks_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(_folder: Path, stacks: Sequence[str]) -> dict[str, Snapshot]:
        return {stack: Snapshot(stack=stack, entries=(), figures=NEW) for stack in stacks}

    monkeypatch.setattr("planning.compare.checked_out", lambda _project, _base: nullcontext(Path("then")))
    monkeypatch.setattr("planning.compare.stacks_in", lambda folder: ["prod"] if folder == Path("now") else [])
    monkeypatch.setattr("planning.compare.snapshots_at", planned)
    (found,) = compare(Path("now"), "main", "all")
    assert found.policies.new == list(NEW.violations)
    assert found.policies.refused


def test_a_name_in_it_calls_nobody_and_a_tag_is_no_tag() -> None:
    text = comment("main", [report()])
    assert "@everybody" not in text
    assert "\\<b\\>z" in text


def test_a_loss_of_data_stands_in_the_table_and_in_words() -> None:
    loss = Loss(where="Namespace/users", what="renamed", why="disks go", fix="keep its name")
    text = comment("main", [report(losses=(loss,))])
    assert "**1 would be lost**" in text
    assert "REFUSED** Namespace/users: renamed. disks go. keep its name" in text


def test_a_base_that_knew_no_policies_is_not_said_to_have_had_none() -> None:
    text = comment("main", [report(before=None)])
    assert "| not known → 1,200 | ?, ?, 2 | kept |" in text


def test_it_is_never_longer_than_github_takes_and_says_what_it_leaves_out() -> None:
    lines = tuple(f"    data.key-{number}: {'x' * 90}" for number in range(2000))
    text = comment("main", [report(stack, lines) for stack in ("a", "b", "c")])
    assert len(text) <= LONGEST
    assert text.count("more lines: make plan-diff BASE=main") == 3
    assert text.count("<details>") == text.count("</details>") == 3
    assert len(text) > LONGEST * 0.9


def test_text_with_fences_can_not_close_its_own() -> None:
    text = comment("main", [report(lines=("````", "inside"))])
    assert "`````diff\n````\ninside\n`````\n" in text


def test_figures_travel_with_a_snapshot_and_may_be_missing() -> None:
    found = from_json(to_json([Snapshot(stack="a", entries=(), figures=NEW), Snapshot(stack="b", entries=())]))
    assert found["a"].figures == NEW
    assert found["b"].figures is None
