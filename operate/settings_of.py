"""A stack's settings, looked at before anything is started: the CLI would say less, and later."""

from pathlib import Path

from operate import rig
from operate.steps import OperationError
from settings import SECRETS, Settings, read
from stackfile.configuration import configured
from stackfile.loader import load_stack
from stackfile.problems import StackError


def settings_of(stack: str, folder: Path | None = None) -> Settings:
    """The settings of a stack of this project, or of the lab's copy of it in another folder.

    Raises:
        OperationError: with every problem of its file, each with its line.
    """
    try:
        file = load_stack(folder or rig.ROOT, stack)
        return configured(read, file.config, project=file.project, secrets=SECRETS, file=file)
    except StackError as error:
        raise OperationError(str(error)) from None
