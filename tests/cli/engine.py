"""The real Pulumi CLI, driven with a program that runs in this process; it never reaches a cluster."""

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pulumi import automation

from lab.labkit import settings as lab

_INSTALL = "there is no pulumi: run `lab/lab build --engine` first (about 4 minutes), or put the official CLI on PATH"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a preview ended: ``ok`` is whether the CLI's exit status was 0; ``said`` is all that it printed.

    ``registered`` holds the type tokens of all resources that reached the engine.
    """

    ok: bool
    said: str
    registered: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A CLI with a state backend of its own below ``home``."""

    home: Path
    command: automation.PulumiCommand

    def workspace(self, project_dir: Path) -> automation.LocalWorkspaceOptions:
        """Where and how the CLI runs for a project; secrets are encrypted with a passphrase of the test's own."""
        state = self.home / "state"
        state.mkdir(exist_ok=True)
        return automation.LocalWorkspaceOptions(
            work_dir=str(project_dir),
            pulumi_command=self.command,
            env_vars={
                "PULUMI_BACKEND_URL": f"file://{state}",
                "PULUMI_CONFIG_PASSPHRASE": "of the tests",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            },
        )

    def create(self, project_dir: Path, stack: str, project: str) -> automation.Stack:
        """Make a stack. The CLI writes its salt to the stack's file, and all values anew as it has read them."""
        options = self.workspace(project_dir)
        return automation.create_stack(stack, project_name=project, program=lambda: None, opts=options)

    def preview(self, project_dir: Path, stack: str, project: str, program: Callable[[], None]) -> Outcome:
        """Run a preview of a stack that exists."""
        said: list[str] = []
        registered: set[str] = set()

        def note(event: automation.EngineEvent) -> None:
            if event.resource_pre_event:
                registered.add(event.resource_pre_event.metadata.type)

        options = self.workspace(project_dir)
        try:
            selected = automation.select_stack(stack, project_name=project, program=program, opts=options)
            with _working_directory():
                selected.preview(on_output=said.append, on_error=said.append, on_event=note, color="never")
            ok = True
        except automation.errors.CommandError as error:
            said.append(str(error))
            ok = False
        return Outcome(ok=ok, said="\n".join(said), registered=frozenset(registered))


def engine(home: Path) -> Engine:
    """The CLI that the lab built, or the one on PATH.

    Raises:
        RuntimeError: there is none; the message says how to get one.
    """
    built = lab.BIN / "pulumi"
    found = str(built) if built.exists() else shutil.which("pulumi")
    if not found:
        raise RuntimeError(_INSTALL)
    # The Automation API looks for the program in ROOT/bin.
    link = home / "root/bin/pulumi"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(found)
    return Engine(home=home, command=automation.PulumiCommand(root=str(home / "root")))


@contextmanager
def _working_directory() -> Generator[None]:
    """A program may change the directory of its process, as the lab's runner does."""
    before = Path.cwd()
    try:
        yield
    finally:
        os.chdir(before)
