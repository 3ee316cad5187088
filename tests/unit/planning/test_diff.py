"""A difference names objects and fields, and the base commit is planned by its own code."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from planning.__main__ import FINDINGS, main
from planning.commits import Unplanned, checked_out, from_json, snapshots_at, stacks_in, to_json
from planning.diff import difference, lines
from planning.snapshot import Entry, Snapshot
from stackfile.problems import StackError
from tests.harness.plans import Documents, changed, documents

ROOM = documents(Path(__file__).parent / "room.yaml")


def _snapshot(found: Documents) -> Snapshot:
    entries = (
        Entry(
            urn=f"urn:{key}", former=(), type=f"kubernetes:x:{body['kind']}", protect=False, retain=False, inputs=body
        )
        for key, body in found.items()
    )
    return Snapshot(stack="t", entries=tuple(entries))


def _lines(path: str, value: object) -> list[str]:
    return list(lines(difference(_snapshot(ROOM), _snapshot(changed(ROOM, path, value)))))


def test_the_same_plan_has_no_difference() -> None:
    assert difference(_snapshot(ROOM), _snapshot(ROOM)).empty


def test_added_and_removed_objects_are_named_by_what_they_are() -> None:
    assert _lines("Service/hub:metadata.name", "hob") == ["+ Service/rooms/hob", "- Service/rooms/hub"]


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("Deployment/hub:spec.replicas", 2, "    spec.replicas: 1 → 2"),
        (
            "Deployment/hub:spec.template.spec.containers.0.image",
            "registry.example.org/hub:2",
            "    spec.template.spec.containers[hub].image: registry.example.org/hub:1 → registry.example.org/hub:2",
        ),
        ("Deployment/hub:spec.paused", True, "    spec.paused: (absent) → True"),
        ("ConfigMap/values:data.values~yaml", None, "    data.values.yaml: a: 1 → (absent)"),
    ],
)
def test_a_changed_field_is_shown_with_both_values(path: str, value: object, line: str) -> None:
    assert line in _lines(path, value)


def test_a_changed_text_is_shown_by_its_changed_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    before = _snapshot(changed(ROOM, "ConfigMap/values:data.values~yaml", text))
    after = _snapshot(changed(ROOM, "ConfigMap/values:data.values~yaml", text.replace("line 7\n", "line seven\n")))
    assert [line.strip() for line in lines(difference(before, after))] == [
        "~ ConfigMap/rooms/values",
        "data.values.yaml:",
        "@@ -7,3 +7,3 @@",
        "line 6",
        "-line 7",
        "+line seven",
        "line 8",
    ]


def test_a_snapshot_survives_its_way_between_processes() -> None:
    assert from_json(to_json([_snapshot(ROOM)])) == {"t": _snapshot(ROOM)}


def test_a_snapshot_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 0"):
        from_json(to_json([_snapshot(ROOM)]).replace('"format": 1', '"format": 0'))


def committed(folder: Path) -> None:
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose first commit plans one object, by a `planning` module of its own."""
    folder = tmp_path / "project"
    (folder / "planning").mkdir(parents=True)
    (folder / "Pulumi.prod.yaml").touch()
    (folder / "Pulumi.yaml").touch()
    answer = to_json([_snapshot({"Service/hub": ROOM["Service/hub"]})])
    (folder / "planning" / "__main__.py").write_text(f"print({answer!r})\n")
    committed(folder)
    (folder / "planning" / "__main__.py").write_text("raise SystemExit('the work tree must not be run')\n")
    return folder


def test_the_base_commit_is_planned_by_its_own_code(project: Path) -> None:
    with checked_out(project, "HEAD") as folder:
        assert stacks_in(folder) == ["prod"]
        (found,) = snapshots_at(folder, ["prod"]).values()
        assert [entry.identity for entry in found.entries] == ["Service/rooms/hub"]
    assert not folder.exists()
    status = subprocess.run(["git", "worktree", "list"], cwd=project, check=True, capture_output=True, text=True)
    assert len(status.stdout.splitlines()) == 1


def test_an_unknown_commit_is_one_clear_error(project: Path) -> None:
    with (
        pytest.raises(StackError, match=r"^the option --base has 1 problem;[^Z]*no-such-commit"),
        checked_out(project, "no-such-commit"),
    ):
        pass


def test_a_stack_that_cannot_be_planned_now_is_one_clear_error(project: Path) -> None:
    with pytest.raises(StackError, match="the work tree must not be run"):
        snapshots_at(project, ["prod"])


PLANS = """\
import json, os, sys
stacks = [word.removeprefix("--stack=") for word in sys.argv[2:]]
undated = os.environ.get("ELAB_UNDATED_EXEMPTIONS") == "1"
"""
BASE = """\
if "bad" in stacks:
    raise SystemExit("exemptions 0.expires is past")
if not undated:
    raise SystemExit("the base reads exemptions as of today")
"""
NOW = """\
if undated:
    raise SystemExit("the work tree takes expired exemptions")
"""


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A repository of two stacks, of which the base commit's own code can plan one."""
    folder = tmp_path / "two"
    (folder / "planning").mkdir(parents=True)
    found = json.loads(to_json([replace(_snapshot(ROOM), stack=stack) for stack in ("good", "bad")]))
    answer = (
        f"found = {found!r}\nprint(json.dumps(found | {{'stacks': {{one: found['stacks'][one] for one in stacks}}}}))\n"
    )
    for name in ("Pulumi.yaml", "Pulumi.good.yaml", "Pulumi.bad.yaml"):
        (folder / name).touch()
    (folder / "planning" / "__main__.py").write_text(f"{PLANS}{BASE}{answer}")
    committed(folder)
    (folder / "planning" / "__main__.py").write_text(f"{PLANS}{NOW}{answer}")
    return folder


@pytest.mark.parametrize("markdown", [[], ["--markdown"]], ids=["text", "markdown"])
def test_a_base_that_cannot_be_planned_is_told_of_its_stack_and_the_rest_is_compared(
    two: Path, markdown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(two)
    assert main(["diff", "--base", "HEAD", *markdown]) == FINDINGS
    text = capsys.readouterr().out
    assert "base can't be planned" in text
    assert "exemptions 0.expires is past" in text.replace("\\", "")
    assert "no change" in text
    assert main(["diff", "--base", "HEAD", "--stack", "good", *markdown]) == 0


def test_of_a_traceback_its_last_line_is_told() -> None:
    words = "Traceback (most recent call last):\n  File x\nValueError: day is out of range"
    assert Unplanned(why=words).short == "ValueError: day is out of range"
