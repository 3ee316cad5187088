"""What the loader says when there is nothing to read, and what it never says."""

from pathlib import Path

import pytest

from stackfile.loader import load_stack
from stackfile.problems import Problem, StackError

PROJECT = """
name: elab
runtime: python
config:
  password: {description: d, secret: true, default: ""}
"""
GOOD = """\
config:
  elab:instance: lab
  elab:hub:
    # a comment
    resources:
      memory: 2Gi
    names: [a, b]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_text(GOOD)
    (tmp_path / "Pulumi.prod.yaml").write_text(GOOD)
    return tmp_path


def refusal(folder: Path, stack: str) -> str:
    with pytest.raises(StackError) as error:
        load_stack(folder, stack)
    return str(error.value)


def test_an_unknown_stack_is_answered_with_those_there_are(folder: Path) -> None:
    assert "dev, prod" in refusal(folder, "qa")


def test_a_stack_name_never_leads_out_of_the_project(folder: Path) -> None:
    (folder.parent / "Pulumi.out.yaml").write_text(GOOD)
    assert 'the stack name "/../../Pulumi.out"' in refusal(folder, "/../../Pulumi.out")


@pytest.mark.parametrize("project", ["runtime: python\n", "name: [a]\n", "[]\n", "", None])
def test_a_project_without_a_name_is_refused(folder: Path, project: str | None) -> None:
    if project is None:
        (folder / "Pulumi.yaml").unlink()
    else:
        (folder / "Pulumi.yaml").write_text(project)
    assert "Pulumi.yaml" in refusal(folder, "dev")


@pytest.mark.parametrize("content", [b"config:\n  elab:a: \xff\n", b"config:\n  elab:a: \x00\n", b"", b"- a\n"])
def test_bytes_that_are_no_stack_file_are_refused_in_words(folder: Path, content: bytes) -> None:
    (folder / "Pulumi.dev.yaml").write_bytes(content)
    assert "Pulumi.dev.yaml" in refusal(folder, "dev")


def test_a_file_that_multiplies_itself_is_refused_at_once(folder: Path) -> None:
    levels = "".join(f"  elab:a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    (folder / "Pulumi.dev.yaml").write_text(f"config:\n  elab:a0: &a0 [x]\n{levels}")
    assert "more than a stack can need" in refusal(folder, "dev")


@pytest.mark.parametrize("depth", [60, 1500, 200_000])
def test_a_file_of_many_levels_is_refused(folder: Path, depth: int) -> None:
    (folder / "Pulumi.dev.yaml").write_text(f"config:\n  elab:a: {'[' * depth}x{']' * depth}\n")
    assert "Pulumi.dev.yaml" in refusal(folder, "dev")


def test_a_folder_in_place_of_the_file_is_refused(folder: Path) -> None:
    (folder / "Pulumi.qa.yaml").mkdir()
    assert "no such file" in refusal(folder, "qa")


def test_a_secret_in_clear_is_refused_without_being_shown(folder: Path) -> None:
    (folder / "Pulumi.dev.yaml").write_text(GOOD + "  elab:password: hunter2\n")
    message = refusal(folder, "dev")
    assert "Pulumi.dev.yaml:8 password" in message
    assert "pulumi config set --secret elab:password" in message
    assert "hunter2" not in message


def test_every_problem_is_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    (folder / "Pulumi.dev.yaml").write_text(GOOD + "  elab:a: yes\n  elab:b: 0123\n  kubernetes:context: x\n")
    with pytest.raises(StackError) as error:
        load_stack(folder, "dev")
    assert [problem.where for problem in error.value.problems] == [
        "Pulumi.dev.yaml:8 a",
        "Pulumi.dev.yaml:9 b",
        "Pulumi.dev.yaml:10 kubernetes:context",
    ]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("hub.resources.memory", "Pulumi.dev.yaml:6 hub.resources.memory"),
        ("hub.names.1", "Pulumi.dev.yaml:7 hub.names.1"),
        ("hub.resources.cpu", "Pulumi.dev.yaml:5 hub.resources.cpu"),
        ("hub", "Pulumi.dev.yaml:3 hub"),
        ("cloud.kind", "cloud.kind"),
    ],
)
def test_a_problem_of_the_settings_is_located_at_its_line_or_at_its_parent(folder: Path, path: str, where: str) -> None:
    problem = Problem(where=path, found="f", allowed="a", fix="x")
    located = load_stack(folder, "dev").located(StackError([problem]))
    assert located.problems[0] == Problem(where=where, found="f", allowed="a", fix="x")
