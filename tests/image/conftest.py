"""Marks what builds images (root, buildah, the lab's base) and what mirrors them (`make registries`)."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run by `make e2e`, which says how long things take."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("e2e")
