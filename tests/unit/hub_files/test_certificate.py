"""When the address' certificate expires is told as its file has it at that moment, and never guessed."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import elab_certificate
import pytest
from prometheus_client import REGISTRY, generate_latest

from tests.harness import pairs

METRIC = "elab_address_certificate_expiry_timestamp_seconds"
configure: Any = elab_certificate.configure
"""As the configuration file calls it: what JSON holds is typed there."""
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def certificate(days: int) -> bytes:
    """A certificate in PEM that expires so many days from then."""
    return pairs.certificate(pairs.new_key(), (-1, days), NOW)


def days_left(file: Path) -> float:
    return (elab_certificate.expiry(file) - NOW.timestamp()) / 86400


def test_the_first_of_the_chain_to_expire_counts(tmp_path: Path) -> None:
    file = tmp_path / "tls.crt"
    file.write_bytes(certificate(90) + certificate(30) + certificate(900))
    assert days_left(file) == 30


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["absent", "empty", "other"])
def test_of_what_is_no_certificate_nothing_is_told(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "tls.crt"
    if content is not None:
        file.write_bytes(content)
    assert math.isnan(elab_certificate.expiry(file))


def test_a_renewed_one_is_told_without_a_restart_under_the_name_of_its_secret(
    values: dict[str, Any], tmp_path: Path
) -> None:
    configure(values)
    assert f"{METRIC}{{" not in generate_latest(REGISTRY).decode(), "nothing where the stack names none"
    file = tmp_path / "tls.crt"
    values["hub"]["certificate"] = {"secret": "jupyter-tls", "file": str(file)}
    for days in (10, 100):
        file.write_bytes(certificate(days))
        configure(values)
        told = REGISTRY.get_sample_value(METRIC, {"secret": "jupyter-tls"})
        assert told == (NOW + datetime.timedelta(days=days)).timestamp()
    elab_certificate.EXPIRY.clear()
