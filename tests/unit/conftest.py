"""What the unit tests need of their process."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_public_authorities() -> Generator[None]:
    """Nothing here speaks to the world, and every client of the real programs reads 140 certificates to be able to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", os.devnull)
        patch.setenv("SSL_CERT_DIR", os.devnull)
        yield
