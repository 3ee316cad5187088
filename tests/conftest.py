"""What every test gets: an event loop and a Pulumi runtime of its own, and the option that renews golden files."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import pulumi
import pytest


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
