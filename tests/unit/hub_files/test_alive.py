"""A proxy that ends TLS itself starts anew for a renewed certificate, and for nothing that it could not start with."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.harness.pairs import certificate, new_key, pem

from .conftest import FILES, NODE

RENEWED = "the certificate was renewed since the proxy started"


@dataclass
class Proxy:
    """What listens where the proxy does, and the folder of its Secret."""

    folder: Path
    server: ThreadingHTTPServer
    status: int = 200

    def put(self, cert: bytes | None, key: bytes) -> None:
        """What the kubelet does when the Secret has changed."""
        if cert is None:
            (self.folder / "tls.crt").unlink()
        else:
            (self.folder / "tls.crt").write_bytes(cert)
        (self.folder / "tls.key").write_bytes(key)

    def probe(self) -> tuple[int, str]:
        """The script's exit code and reason."""
        return probed(self.server.server_port, self.folder)


def probed(port: int, folder: Path) -> tuple[int, str]:
    command = [str(NODE), str(FILES / "proxy/alive.js"), str(port), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert not done.stdout
    return done.returncode, done.stderr.strip()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(made.status if self.path == "/_chp_healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    key = new_key()
    made = Proxy(folder=tmp_path, server=ThreadingHTTPServer(("127.0.0.1", 0), Handler))
    made.put(certificate(key), pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    made.server.socket = context.wrap_socket(made.server.socket, server_side=True)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_proxy_that_serves_what_its_secret_holds_lives_on(proxy: Proxy) -> None:
    assert proxy.probe() == (0, "")


def test_a_renewed_certificate_ends_it_whether_the_key_is_new_or_not(proxy: Proxy) -> None:
    key, old = new_key(), serialization.load_pem_private_key((proxy.folder / "tls.key").read_bytes(), None)
    assert isinstance(old, ec.EllipticCurvePrivateKey)
    for renewed in (key, old):
        # The authority's certificate behind the server's own, as most files have it.
        proxy.put(certificate(renewed) + certificate(new_key()), pem(renewed))
        assert proxy.probe() == (1, RENEWED)


def test_a_new_pair_that_no_proxy_could_start_with_ends_nothing(proxy: Proxy) -> None:
    key, weak = new_key(), rsa.generate_private_key(public_exponent=65537, key_size=1024)
    whole = certificate(key)
    pairs = {
        "another's key": (whole, pem(new_key())),
        "half a certificate": (whole[: len(whole) // 2], pem(key)),
        "half a key": (whole, pem(key)[:60]),
        "half a chain": (whole + whole[: len(whole) // 2], pem(key)),
        "no certificate": (None, pem(key)),
        "an empty file": (b"", pem(key)),
        "a key too weak": (certificate(weak), pem(weak)),
    }
    for name, (cert, private) in pairs.items():
        proxy.put(b"", b"")
        proxy.put(cert, private)
        assert proxy.probe() == (0, ""), name


@pytest.mark.parametrize("days", [(-90, -1), (1, 90)], ids=["expired", "not yet valid"])
def test_a_certificate_that_browsers_would_refuse_today_takes_nothings_place(
    proxy: Proxy, days: tuple[int, int]
) -> None:
    key = new_key()
    proxy.put(certificate(key, days), pem(key))
    assert proxy.probe() == (0, "")


def test_a_proxy_in_ill_health_ends(proxy: Proxy) -> None:
    proxy.status = 503
    assert proxy.probe() == (1, "health: status 503")


def test_a_proxy_that_is_not_there_ends(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        code, reason = probed(taken.getsockname()[1], tmp_path)
    assert code == 1
    assert "ECONNREFUSED" in reason
