"""The loader against the record of what the real CLI hands to a program (tests/cli/conversions.py makes it)."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackfile.loader import PLACEHOLDER, StackFile, load_stack
from stackfile.problems import StackError
from tests.cli.conversions import RECORD, project_text, scalars_case, stack_text

_RECORD = json.loads(RECORD.read_text())
SCALARS, FILES = _RECORD["scalars"], _RECORD["files"]


def loaded(folder: Path, case: dict[str, Any]) -> StackFile:
    """The loader's reading of a case."""
    (folder / "Pulumi.yaml").write_text(project_text(case), encoding="utf-8")
    (folder / "Pulumi.case.yaml").write_text(stack_text(case), encoding="utf-8", newline="")
    return load_stack(folder, "case")


@pytest.mark.parametrize("case", SCALARS, ids=lambda case: repr(case["text"]))
def test_a_value_is_read_as_the_cli_reads_it_or_refused_where_it_stands(case: dict[str, Any], tmp_path: Path) -> None:
    file = scalars_case([case["text"]])
    if case["elab"] == "taken":
        assert loaded(tmp_path, file).config == {"elab:alone0": case["alone"], "elab:inside0": case["inside"]}
        return
    with pytest.raises(StackError) as error:
        loaded(tmp_path, file)
    assert error.value.problems[0].where == "Pulumi.case.yaml:2 alone0"
    # null is a value inside an object, and none of its own.
    inside = [problem.where for problem in error.value.problems[1:]]
    assert inside == ([] if case["text"] == "null" else ["Pulumi.case.yaml:4 inside0.key"])


@pytest.mark.parametrize("case", SCALARS, ids=lambda case: repr(case["text"]))
def test_no_unquoted_value_is_taken_that_readers_of_yaml_read_differently(case: dict[str, Any]) -> None:
    node = yaml.compose(f"key: {case['text']}")
    value = node.value[0][1]
    if case["elab"] == "taken" and isinstance(value, yaml.ScalarNode) and value.style is None:
        # Python's reader is one of YAML 1.1, the CLI's one of YAML 1.2: both must see the text that stands there.
        plain = yaml.safe_load(f"key: {case['text']}")["key"]
        assert case["alone"] == value.value
        assert json.loads(case["inside"]) == {"key": plain}


@pytest.mark.parametrize("case", FILES, ids=lambda case: case["what"])
def test_a_file_is_read_as_the_cli_reads_it_or_refused(case: dict[str, Any], tmp_path: Path) -> None:
    if case["elab"] == "taken":
        found, recorded = loaded(tmp_path, case), case["pulumi"]
        assert found.config == {
            key: text.replace("{decrypted}", PLACEHOLDER) for key, text in recorded["config"].items()
        }
        assert found.secret_keys == frozenset(recorded["secrets"])
        return
    with pytest.raises(StackError) as error:
        loaded(tmp_path, case)
    problems = error.value.problems
    assert len(problems) == 1, str(error.value)
    assert problems[0].where.startswith(("Pulumi.case.yaml:", "Pulumi.yaml:"))
    assert problems[0].fix


def test_the_loader_refuses_whatever_the_cli_refuses() -> None:
    refused_by_the_cli = [case for case in FILES if case["pulumi"] is None]
    assert refused_by_the_cli
    assert {case["elab"] for case in refused_by_the_cli} == {"refused"}
