"""The schema that editors use, against the models, the committed stacks and slips that an editor can see."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from settings import SECRETS, Settings
from stackfile.project import load_project
from stackfile.schema import FILE, MODELINE, stack_schema, text
from tests.faulty.cases import GOOD

ROOT = FILE.parent.parent
STACKS = sorted(ROOT.glob("Pulumi.*.yaml"))
SCHEMA = stack_schema()
EDITOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_committed_schema_is_that_of_the_models() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run python -m stackfile.schema"


def test_the_schema_is_one() -> None:
    EDITOR.check_schema(SCHEMA)


@pytest.mark.parametrize("file", [GOOD, *STACKS], ids=lambda file: file.name)
def test_stacks_that_elab_takes_are_right_to_an_editor_too(file: Path) -> None:
    EDITOR.validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.name)
def test_stacks_tell_the_editor_their_schema(file: Path) -> None:
    assert MODELINE in file.read_text().splitlines()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("elab:environment", "production"),
        ("elab:hubb", {}),
        ("elab:hub", {"colour": "red"}),
        ("elab:pools", {}),
        ("elab:ldap_bind_password", "in clear"),
        ("elab:culling", {"timeout": "an hour"}),
    ],
)
def test_slips_are_marked_while_they_are_typed(key: str, value: object) -> None:
    stack: dict[str, Any] = yaml.safe_load(GOOD.read_text())
    stack["config"][key] = value
    with pytest.raises(jsonschema.ValidationError):
        EDITOR.validate(stack)


def test_the_project_declares_every_key_with_a_meaning() -> None:
    """Without types, and empty by default, which is unset: else the CLI would stop before elab can speak."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert set(declared) == {*Settings.model_fields, *SECRETS}
    for name, declaration in declared.items():
        expected = {"description", "default"} | ({"secret"} if name in SECRETS else set())
        assert set(declaration) == expected, name
        assert declaration["default"] == "", name
        assert declaration["description"].strip(), name
    assert {key.removeprefix("elab:") for key in load_project(ROOT).secret_keys} == set(SECRETS)
