"""Stack files with one slip each, by the CLI's route: a preview by the real engine says the same as a plan."""

from pathlib import Path

import pytest
import yaml
from pulumi import automation

from lab.engine.run import program_of, settings_of
from tests.cli.engine import Engine, Outcome, engine
from tests.faulty.cases import GOOD, ROOT, STACK, Case, cases, write

pytestmark = pytest.mark.e2e

PROJECT = "elab"
FAKE = ("v1:AAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA", "v1:AAAA:BBBB")
"""What stands for ciphertext in the cases."""


class Project:
    """A project directory beside the repository, whose program is the repository's; its stack exists already."""

    def __init__(self, home: Path) -> None:
        self.engine: Engine = engine(home)
        self.folder = home / "project"
        self.folder.mkdir()
        self.write("config: {}\n")
        stack = self.engine.create(self.folder, STACK, PROJECT)
        stack.set_config(f"{PROJECT}:ldap_bind_password", automation.ConfigValue("of the tests", secret=True))
        written = yaml.safe_load((self.folder / f"Pulumi.{STACK}.yaml").read_text())
        self.salt = written["encryptionsalt"]
        self.ciphertext = written["config"][f"{PROJECT}:ldap_bind_password"]["secure"]

    def write(self, text: str) -> None:
        """Replace the stack's file."""
        write(self.folder, text)
        with (self.folder / "Pulumi.yaml").open("a") as file:
            file.write(f"main: {ROOT}\n")

    def preview(self, text: str) -> Outcome:
        """Preview the stack with this file."""
        for fake in FAKE:
            text = text.replace(fake, self.ciphertext)
        # At the end, so that lines are counted as in the case.
        self.write(f"{text}encryptionsalt: {self.salt}\n")
        program = program_of(self.folder, settings_of(self.folder))
        return self.engine.preview(self.folder, STACK, PROJECT, program)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("cli"))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_preview_of_a_slip_fails_with_its_message_and_registers_nothing(case: Case, project: Project) -> None:
    outcome = project.preview(case.text)
    assert not outcome.ok
    assert outcome.registered <= {"pulumi:pulumi:Stack"}
    assert "pulumi:providers" not in outcome.said
    assert "Traceback" not in outcome.said
    assert "hunter2" not in outcome.said
    if case.cli:
        assert case.cli in outcome.said
        return
    assert outcome.said.partition("stdout:")[0].count("\n        fix: ") == len(case.problems)
    for expected in case.problems:
        assert expected.where in outcome.said
        assert expected.says in outcome.said


def test_a_preview_without_a_slip_gets_past_the_settings(project: Project) -> None:
    outcome = project.preview(GOOD.read_text())
    assert "problem" not in outcome.said
    # Where its plugin is missing, the first resource fails at once; it was asked for all the same.
    assert "pulumi:providers:kubernetes" in outcome.said
