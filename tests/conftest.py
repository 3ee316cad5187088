"""What every test gets: an event loop and a Pulumi runtime of its own, and the option that renews golden files."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Generator

import pulumi
import pytest

from stackfile.jsonschemas import jsonschema_without_iris
from tests.harness.shared import FOLDER

NEEDS = {
    "unit/hub": "jupyterhub",
    "unit/hub_files": "jupyterhub",
    "unit/logging": "elasticsearch",
    "unit/operate": "cryptography",
}
"""Tests that run programs of requirements-dev.txt, and which."""
_MISSING = {place: package for place, package in NEEDS.items() if not importlib.util.find_spec(package)}
collect_ignore = list(_MISSING)


# Modules are loaded to stay, too.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """Where there are workers, what one has made is there for the others."""
    if getattr(config.option, "numprocesses", None):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="elab-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(FOLDER)))


def pytest_sessionstart() -> None:
    """Load jsonschema as the plan does, before KubeSpawner's packages load it with a grammar that takes a second."""
    jsonschema_without_iris()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and which install step brings it; and why something had to be run again."""
    for place, package in _MISSING.items():
        terminalreporter.line(f"NOT RUN: tests/{place} needs {package}: pip install -r requirements-dev.txt")
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"run again: {report.nodeid} ({report.when})")
        terminalreporter.line(report.longreprtext[-3000:])


def pytest_collection_finish() -> None:
    """What collecting has made stays to the end, and so does nearly all that tests leave.

    A recording leaves some 2 MB of cycles, and to free them took a fifth of its time: four workers end with 2 GiB
    between them. What grows far beyond that is looked through all the same.
    """
    gc.freeze()
    gc.set_threshold(10_000_000, 20, 20)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """The process ends: neither pytest nor Python needs to look through all of it once more."""
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --update-golden` writes what the golden tests would compare."""
    parser.addoption("--update-golden", action="store_true", help="write tests/stacks/golden anew instead of comparing")


@pytest.fixture(autouse=True)
def own_runtime() -> Generator[None]:
    """Outputs, transformations and configuration of one test never reach the next."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.settings.reset_options()
    pulumi.runtime.set_all_config({}, [])
    yield
    loop.close()
    asyncio.set_event_loop(None)
