"""Marks what runs a real Filebeat: it is built by `lab/lab build --shippers`, which takes minutes the first time."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run by `make e2e`, which builds it before."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("e2e")
