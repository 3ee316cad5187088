"""Stack files with one slip each, by the plan's route: the right message, a way out, and nothing is registered."""

import io
import re
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a plan of a spoilt file said."""

    case: Case
    problems: tuple[Problem, ...]
    code: int
    printed: str
    """On standard output."""
    errors: str
    """On standard error."""
    left: frozenset[str]
    """What lies in the project's folder afterwards."""


@pytest.fixture(scope="module", params=READ, ids=named)
def told(request: pytest.FixtureRequest) -> Told:
    """`python -m planning plan` for the slip, run once for its tests."""
    case, raised = request.param, []
    subject = planning.plan.subject

    def noted(project: Path, stack: str) -> planning.plan.Subject:
        with pytest.raises(StackError) as error:
            subject(project, stack)
        raised.append(error.value)
        raise error.value

    def record(*arguments: object, **options: object) -> None:
        raise AssertionError("the program was run")

    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(planning.plan, "subject", noted)
        monkeypatch.setattr(planning.plan, "record", record)
        output, errors, folder = io.StringIO(), io.StringIO(), Path(name)
        with redirect_stdout(output), redirect_stderr(errors):
            code = plan(folder, case.text, monkeypatch)
        (error,) = raised
        left = frozenset(path.name for path in folder.iterdir())
    return Told(
        case=case,
        problems=error.problems,
        code=code,
        printed=output.getvalue(),
        errors=errors.getvalue(),
        left=left,
    )


def plan(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `python -m planning plan` for the stack, in this process."""
    (write(folder, text) / "__main__.py").symlink_to(ROOT / "__main__.py")
    monkeypatch.chdir(folder)
    return main(["plan", "--stack", STACK])


def test_a_slip_is_told_where_it_stands_with_the_way_out_and_nothing_else_is(told: Told) -> None:
    assert sorted(map(path_of, told.problems)) == sorted(expected.where for expected in told.case.problems)
    for expected in told.case.problems:
        (problem,) = (problem for problem in told.problems if path_of(problem) == expected.where)
        assert expected.says in str(problem)
        assert problem.found
        assert problem.allowed
        assert problem.fix


def test_a_slip_is_told_with_the_line_of_its_key_or_of_the_section_that_lacks_it(told: Told) -> None:
    lines = told.case.text.splitlines()
    for problem in told.problems:
        line = line_of(problem)
        names = [part for part in path_of(problem).split(".") if not part.isdigit()]
        if line is None:
            # A section that is not in the file at all has no line, and a file that is no YAML has no paths.
            assert not re.search(rf"^  (elab:)?{names[0]}:", told.case.text, re.MULTILINE) or names[0] == "Pulumi"
        else:
            named_there = [name for name in names if name in lines[line - 1]]
            assert named_there or lines[line - 1].lstrip().startswith("- "), (problem, lines[line - 1])


def test_a_plan_of_it_exits_with_the_message_alone_and_registers_nothing(told: Told) -> None:
    assert told.code == BAD_SETTINGS
    assert not told.printed
    assert told.errors.count("\n    fix: ") == len(told.case.problems)
    assert "Traceback" not in told.errors
    assert "hunter2" not in told.errors
    assert "build" not in told.left


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
