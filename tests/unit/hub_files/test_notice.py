"""The warning before a server reaches its maximum age, in the interface itself."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from elab_activity import end

from .conftest import FILES, NODE

FOLDER = FILES / "notebook/labextensions/elab-notice"
NOTIFY = "apputils:notify"


def said(config: dict[str, str], *commands: str) -> list[dict[str, object]]:
    """What a page with this configuration shows."""
    entry = json.loads((FOLDER / "package.json").read_text())["jupyterlab"]["_build"]["load"]
    script = str(Path(__file__).with_name("notice.js"))
    command = [str(NODE), script, str(FOLDER / entry), json.dumps(config), json.dumps(commands)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)


def test_there_is_nothing_to_say_where_no_maximum_age_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELAB_MAX_AGE", "0")
    assert end(time.time()) == {}


@pytest.mark.parametrize(("commands", "kind"), [((NOTIFY,), "warning"), ((), "alert")], ids=["lab 4", "lab 3"])
def test_a_person_is_warned_once_and_in_time_in_any_version(
    monkeypatch: pytest.MonkeyPatch, commands: tuple[str, ...], kind: str
) -> None:
    monkeypatch.setenv("ELAB_MAX_AGE", "7200")
    monkeypatch.setenv("ELAB_WARNING", "1800")
    [notice] = said(end(time.time()), *commands)
    assert notice["type"] == kind
    assert "maximum age" in str(notice["message"])
    after = notice["after"]
    assert isinstance(after, int)
    assert abs(after - 5400 * 1000) < 30_000


def test_who_opens_the_page_late_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELAB_MAX_AGE", "7200")
    monkeypatch.setenv("ELAB_WARNING", "1800")
    [notice] = said(end(time.time() - 6000), NOTIFY)
    assert notice["after"] == 0


def test_a_page_without_an_end_says_nothing() -> None:
    assert said({}, NOTIFY) == []
