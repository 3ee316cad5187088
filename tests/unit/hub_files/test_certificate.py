"""When the address' certificate expires is told as its file has it at that moment, and never guessed."""

from __future__ import annotations

import datetime
import math
import socket
import ssl
import threading
from collections.abc import Iterator
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
    values["hub"]["certificate"] = {"secret": "jupyter-tls", "file": str(file), "served": None}
    for days in (10, 100):
        file.write_bytes(certificate(days))
        configure(values)
        told = REGISTRY.get_sample_value(METRIC, {"secret": "jupyter-tls"})
        assert told == (NOW + datetime.timedelta(days=days)).timestamp()
    elab_certificate.EXPIRY.clear()


@pytest.fixture
def old_is_served(tmp_path: Path) -> Iterator[str]:
    """A proxy that shows the certificate with which it started, and its address."""
    key = pairs.new_key()
    (tmp_path / "old.pem").write_bytes(pairs.pem(key) + pairs.certificate(key, (-1, 5), NOW))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "old.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def show() -> None:
            plain, _ = listening.accept()
            with context.wrap_socket(plain, server_side=True):
                pass

        thread = threading.Thread(target=show)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_an_old_one_that_is_served_on_is_told_of_whatever_the_secret_holds(old_is_served: str, tmp_path: Path) -> None:
    """As where the new one's key does not fit: no browser ever sees it, and its time ended the alert."""
    served = elab_certificate.Served(old_is_served)
    file = tmp_path / "tls.crt"
    file.write_bytes(certificate(90))
    assert elab_certificate.earlier(file, served) == elab_certificate.expiry(file), "nobody has looked yet"
    served.look()
    assert elab_certificate.earlier(file, served) == (NOW + datetime.timedelta(days=5)).timestamp()
    file.write_bytes(certificate(2))
    assert elab_certificate.earlier(file, served) == elab_certificate.expiry(file)
    file.unlink()
    assert math.isnan(elab_certificate.earlier(file, served))


def test_a_proxy_that_is_away_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "tls.crt"
    file.write_bytes(certificate(90))
    with socket.create_server(("127.0.0.1", 0)) as once:
        served = elab_certificate.Served(f"127.0.0.1:{once.getsockname()[1]}")
    served.look()
    assert elab_certificate.earlier(file, served) == elab_certificate.expiry(file)


def test_what_is_served_is_looked_at_beside_the_hubs_own_thread(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    monkeypatch.setattr(elab_certificate.Served, "watch", lambda _: looked.set())
    values["hub"]["certificate"] = {"secret": "jupyter-tls", "file": "/nonexistent", "served": "proxy:80"}
    configure(values)
    assert looked.wait(5)
    elab_certificate.EXPIRY.clear()


def test_a_proxy_that_shows_what_cannot_be_read_does_not_end_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "get_server_certificate", lambda *_, **__: "no certificate")
    served = elab_certificate.Served("127.0.0.1:80")
    served.look()
    assert served.expires == math.inf
