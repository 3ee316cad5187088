"""Exemptions: with reason and expiry, or refused with path and fix."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from policy import exemptions
from policy.exemptions import Exemption
from stackfile.problems import StackError

TODAY = date(2026, 11, 24)
GOOD: dict[str, object] = {
    "rule": "tls",
    "resource": "*",
    "stacks": "*",
    "reason": "for a test",
    "expires": date(2027, 1, 31),
}

MEND = "mend the line: look for a wrong indentation, a quote left open, or a day that the calendar has not"


def written(folder: Path, *entries: dict[str, object]) -> tuple[Exemption, ...]:
    file = folder / "exemptions.yaml"
    file.write_text(yaml.safe_dump(list(entries)))
    return exemptions.load(TODAY, file)


@pytest.mark.parametrize(
    ("change", "where", "says"),
    [
        ({"expires": date(2026, 11, 23)}, "policy/exemptions.yaml 1.expires", "mend what it excuses and remove it"),
        ({"expires": date(2028, 1, 1)}, "policy/exemptions.yaml 1.expires", "choose an earlier day"),
        ({"expires": "soon"}, "policy/exemptions.yaml 1.expires", "write it as 2027-06-30"),
        ({"expires": datetime(2027, 1, 31, 12, 0, tzinfo=UTC)}, "policy/exemptions.yaml 1.expires", "write it as"),
        ({"expires": None}, "policy/exemptions.yaml 1.expires", "state it"),
        ({"reason": ""}, "policy/exemptions.yaml 1.reason", "state it"),
        ({"rule": "tsl"}, "policy/exemptions.yaml 1.rule", "name one of these rules"),
        ({"resource": 5}, "policy/exemptions.yaml 1.resource", "quote it"),
        ({"because": "x"}, "policy/exemptions.yaml 1.because", "remove it"),
    ],
)
def test_an_exemption_that_is_expired_or_not_whole_is_refused(
    tmp_path: Path, change: dict[str, object], where: str, says: str
) -> None:
    with pytest.raises(StackError) as refused:
        written(tmp_path, GOOD, {**GOOD, **change})
    (problem,) = refused.value.problems
    assert problem.where == where
    assert says in problem.fix


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("- tls", "policy/exemptions.yaml 0", "write it as the entries beside it"),
        ("- [tls]", "policy/exemptions.yaml 0", "write it as the entries beside it"),
        ("rule: tls", "policy/exemptions.yaml", "begin each with `- rule: `"),
        ("tls", "policy/exemptions.yaml", "begin each with `- rule: `"),
        ("- rule: [tls", "policy/exemptions.yaml:1", MEND),
        ("- rule: tls\n  expires: 2027-02-30", "policy/exemptions.yaml:2", MEND),
        ("- rule: tls\n  stacks: *", "policy/exemptions.yaml:2", MEND),
        ("- rule: tls\n  reason: \x07", "policy/exemptions.yaml", "remove the character"),
    ],
)
def test_a_file_of_another_shape_is_one_clear_error(tmp_path: Path, text: str, where: str, says: str) -> None:
    file = tmp_path / "exemptions.yaml"
    file.write_text(text)
    with pytest.raises(StackError) as refused:
        exemptions.load(TODAY, file)
    (problem,) = refused.value.problems
    assert (problem.where, problem.fix) == (where, says)
    assert str(refused.value).startswith("policy/exemptions.yaml has 1 problem; ")


def test_it_holds_on_its_last_day_for_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    (one,) = written(tmp_path, {**GOOD, "resource": "*-hub/service-entry", "stacks": "local", "expires": TODAY})
    assert one.covers("tls", "elab-hub/service-entry", "local")
    assert not one.covers("tls", "elab-hub/service-entry", "prod")
    assert not one.covers("tls", "elab-hub/service-hub", "local")
    assert not one.covers("probes", "elab-hub/service-entry", "local")


def test_without_a_day_an_expired_one_holds_and_one_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "exemptions.yaml"
    file.write_text(yaml.safe_dump([{**GOOD, "expires": date(2020, 1, 1)}]))
    (one,) = exemptions.load(None, file)
    assert one.covers("tls", "elab-hub/service-entry", "local")
    file.write_text(yaml.safe_dump([{**GOOD, "expires": "soon"}]))
    with pytest.raises(StackError):
        exemptions.load(None, file)


def test_a_needless_one_is_named_with_its_fix(tmp_path: Path) -> None:
    found = written(tmp_path, GOOD, GOOD)
    (problem,) = exemptions.unused(found, {0})
    assert problem.where == "policy/exemptions.yaml 1"
    assert problem.fix == "remove it"


def test_the_committed_ones_are_in_force() -> None:
    assert exemptions.load(datetime.now(UTC).date())
