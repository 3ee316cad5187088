"""What the lab's Pulumi CLI says, taken in."""

from pathlib import Path
from typing import Any

import pytest

from operate import rig
from operate.steps import OperationError


def _saying(monkeypatch: pytest.MonkeyPatch, text: str) -> dict[str, Any]:
    monkeypatch.setattr(rig, "output", lambda command, **_: text)
    return rig.pulumi_json(Path(), "local", "stack", "export")


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_state_that_is_just_being_written_is_no_state(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert _saying(monkeypatch, text) == {}


def test_what_is_no_json_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperationError, match=r"`pulumi stack export` gave no answer; wait for other commands on local"):
        _saying(monkeypatch, "error: the stack is currently locked")
