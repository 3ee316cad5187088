"""What a member's plan says of its home's file, where both lie beside each other, and what it takes for outputs."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from planning import homes
from planning.monitor import UnexpectedReferenceError
from planning.plan import subject
from planning.recorder import record
from tests.faulty.cases import GOOD, STACK, write

TEXT = GOOD.read_text()
MEMBER = TEXT.replace(
    "  elab:pools:", "  elab:login: {kind: home, place: aws, stack: organization/elab/home}\n  elab:pools:"
)
PLACE = '    - {name: %s, title: AWS, url: "%s"}\n'
OWN = "https://jupyter.example.org"


def found(folder: Path, *places: tuple[str, str], member: str = MEMBER) -> list[str]:
    write(folder, member)
    text = "".join(PLACE % place for place in places)
    home = TEXT.replace("jupyter.example.org", "home.example.org")
    if places:
        home = home.replace("  elab:pools:", f"  elab:places:\n{text}  elab:pools:")
    (folder / "Pulumi.home.yaml").write_text(home)
    one = subject(folder, STACK)
    return [f"{told.level}: {told.what}" for told in homes.findings(folder, one.file, one.settings)]


def test_a_home_that_names_the_place_with_its_address_is_what_is_wanted(tmp_path: Path) -> None:
    assert found(tmp_path, ("gcp", "https://gcp.example.org"), ("aws", f"{OWN}/")) == []


@pytest.mark.parametrize("places", [[], [("gcp", "https://gcp.example.org")]], ids=["none", "others"])
def test_a_home_that_does_not_name_the_place_is_an_error(places: list[tuple[str, str]], tmp_path: Path) -> None:
    (told,) = found(tmp_path, *places)
    named = places[0][0] if places else "no place"
    assert told == f'error: found "aws", and stack home names {named}'


def test_a_home_that_leads_to_another_address_is_an_error(tmp_path: Path) -> None:
    (told,) = found(tmp_path, ("aws", "https://elsewhere.example.org"))
    assert told == f"error: stack home leads to https://elsewhere.example.org, and this stack is at {OWN}"


@pytest.mark.parametrize(
    "member",
    [
        MEMBER.replace("organization/elab/home", "organization/other/home"),
        MEMBER.replace("organization/elab/home", "organization/elab/away"),
        TEXT,
    ],
    ids=["another project", "a file elsewhere", "no home"],
)
def test_nothing_is_said_where_no_file_tells(member: str, tmp_path: Path) -> None:
    assert found(tmp_path, member=member) == []


def test_another_stacks_outputs_are_those_that_were_given_and_secret_where_they_hold_secrets() -> None:
    def program() -> None:
        other = pulumi.StackReference("other", stack_name="organization/elab/home")
        pulumi.export("url", other.require_output("url"))
        pulumi.export("keys", other.require_output("place_secrets"))

    given = homes.references({"elab:login": '{"kind": "home", "place": "aws", "stack": "organization/elab/home"}'})
    recording = record(program, references=given)
    assert recording.outputs == {
        "url": "https://home.invalid",
        "keys": {"aws": "the key of aws in organization/elab/home"},
    }
    assert recording.secret_outputs == {"keys"}
    assert "the key of aws in organization/elab/home" in recording.secrets


def test_a_stack_that_nobody_told_of_is_refused() -> None:
    def program() -> None:
        pulumi.StackReference("other", stack_name="organization/elab/home")

    with pytest.raises(UnexpectedReferenceError, match="organization/elab/home"):
        record(program)
