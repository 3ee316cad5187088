"""Stack files with one slip each, by the plan's route: the right message, a way out, and nothing is registered."""

import functools
import re
import tempfile
from pathlib import Path

import pytest

import planning.plan
from planning.__main__ import BAD_SETTINGS, main
from stackfile.problems import Problem, StackError
from tests.faulty.cases import GOOD, ROOT, STACK, Case, cases, line_of, path_of, write

READ = [case for case in cases() if case.when == "read"]
UP = [case for case in cases() if case.when == "up"]


def named(case: Case) -> str:
    return case.name


@functools.cache
def problems_of(case: Case) -> tuple[Problem, ...]:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(StackError) as error:
        planning.plan.subject(write(Path(folder), case.text), STACK)
    return error.value.problems


def plan(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `python -m planning plan` for the stack, in this process."""
    (write(folder, text) / "__main__.py").symlink_to(ROOT / "__main__.py")
    monkeypatch.chdir(folder)
    return main(["plan", "--stack", STACK])


@pytest.mark.parametrize("case", READ, ids=named)
def test_a_slip_is_told_where_it_stands_with_the_way_out_and_nothing_else_is(case: Case) -> None:
    problems = problems_of(case)
    assert sorted(map(path_of, problems)) == sorted(expected.where for expected in case.problems)
    for expected in case.problems:
        (problem,) = (problem for problem in problems if path_of(problem) == expected.where)
        assert expected.says in str(problem)
        assert problem.found
        assert problem.allowed
        assert problem.fix


@pytest.mark.parametrize("case", READ, ids=named)
def test_a_slip_is_told_with_the_line_of_its_key_or_of_the_section_that_lacks_it(case: Case) -> None:
    lines = case.text.splitlines()
    for problem in problems_of(case):
        line = line_of(problem)
        names = [part for part in path_of(problem).split(".") if not part.isdigit()]
        if line is None:
            # A section that is not in the file at all has no line, and a file that is no YAML has no paths.
            assert not re.search(rf"^  (elab:)?{names[0]}:", case.text, re.MULTILINE) or names[0] == "Pulumi"
        else:
            named_there = [name for name in names if name in lines[line - 1]]
            assert named_there or lines[line - 1].lstrip().startswith("- "), (problem, lines[line - 1])


@pytest.mark.parametrize("case", READ, ids=named)
def test_a_plan_of_it_exits_with_the_message_alone_and_registers_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def record(*arguments: object, **options: object) -> None:
        raise AssertionError("the program was run")

    monkeypatch.setattr(planning.plan, "record", record)
    assert plan(tmp_path, case.text, monkeypatch) == BAD_SETTINGS
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.count("\n    fix: ") == len(case.problems)
    assert "Traceback" not in printed.err
    assert "hunter2" not in printed.err
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("case", UP, ids=named)
def test_what_only_an_up_needs_is_a_finding_of_a_plan(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(tmp_path, case.text, monkeypatch) == 0
    printed = capsys.readouterr().out
    assert printed.count("needed before an up") == len(case.problems)
    for expected in case.problems:
        assert f"{expected.where}: found" in printed
        assert expected.says in printed


def test_the_file_that_the_slips_spoil_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(tmp_path, GOOD.read_text(), monkeypatch) == 0
    assert "needed before an up" not in capsys.readouterr().out


def test_every_slip_is_one_of_its_own() -> None:
    assert len({case.text for case in cases()}) == len(cases())
