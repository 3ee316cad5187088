"""Settings of the committed stacks, for tests of what is below a whole program."""

from __future__ import annotations

from pathlib import Path

from settings import SECRETS, Settings, read
from stackfile.configuration import plain_data
from stackfile.loader import load_stack

ROOT = Path(__file__).parents[2]


def settings_of(stack: str, **changes: object) -> Settings:
    """A committed stack's settings, some top-level values replaced by plain data."""
    file = load_stack(ROOT, stack)
    return read({**plain_data(file.config, file.project, SECRETS), **changes})
