"""The project's own committed stacks, planned once for all tests."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

from planning import homes
from planning.commits import stacks_in
from planning.plan import Plan, make
from planning.recorder import record
from planning.recording import Recording
from stack import unfinished_allowed
from stackfile.loader import load_stack
from tests.harness.shared import shared

PROJECT = Path(__file__).parents[2]
STACKS = stacks_in(PROJECT)


@functools.cache
def plan(stack: str) -> Plan:
    """The plan of a committed stack."""
    return shared(f"the plan of {stack}", lambda: make(PROJECT, stack))


def recorded(stack: str, changes: Mapping[str, object]) -> Recording:
    """A committed stack with some top-level values replaced (objects as plain data), recorded."""
    file = load_stack(PROJECT, stack)
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    config = {**file.config, **{f"{file.project}:{key}": text for key, text in texts.items()}}
    with unfinished_allowed():
        return record(
            PROJECT / "__main__.py",
            project=file.project,
            stack=stack,
            config=config,
            secret_keys=file.secret_keys,
            references=homes.references(config, file.project),
        )
