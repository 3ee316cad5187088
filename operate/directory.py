"""The lab's corporate directory: two LDAP servers with TLS, a few people, and passwords made for this machine."""

import base64
import json
import secrets
import string
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.labkit import files
from operate import rig
from operate.steps import OperationError

NAMESPACE = "lab-directory"
SERVERS = ("directory", "directory-2")
_MANIFESTS = Path(__file__).parent / "manifests"
_KEPT = rig.HOME / "directory.json"
_VALID = timedelta(days=3650)

ACCOUNTS = {
    "alice": "may log in",
    "bob": "may log in",
    "ada": "administers the hub",
    "eve": "is in the directory, but in no allowed group",
}
"""The people, and what each may do."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """What stays the same from one `up` to the next."""

    passwords: dict[str, str] = field(repr=False)
    """By login name; `elab` is the account that looks people up."""
    ca: str
    certificate: str
    key: str = field(repr=False)
    namespace: str = NAMESPACE
    """Where its servers run; the certificate names them there."""


def kept() -> Directory:
    """The directory of this machine, made the first time and readable by its owner alone.

    Raises:
        OperationError: it is there, and can't be read.
    """
    if not _KEPT.exists():
        files.keep(_KEPT, json.dumps(asdict(new())), 0o600)
    try:
        return Directory(**json.loads(_KEPT.read_text()))
    except (ValueError, TypeError) as error:
        raise OperationError(
            f"the accounts of the lab's directory can't be read from {_KEPT}\n"
            f"found: {error}\n"
            "allowed: what an earlier `make up` wrote there\n"
            f"fix: rm {_KEPT}; `make up` then makes new passwords"
        ) from None


def start(directory: Directory) -> None:
    """Bring the servers up, with these people."""
    rig.kubectl("apply", "-f", "-", text=_manifest(SERVERS[0], directory.namespace))
    rig.kubectl("apply", "-f", "-", text=_secret(directory))
    for server in SERVERS:
        rig.kubectl("apply", "-f", "-", text=_manifest(server, directory.namespace))
    for server in SERVERS:
        rig.kubectl("-n", directory.namespace, "rollout", "status", f"deployment/{server}", "--timeout=120s")


def stop(namespace: str = NAMESPACE) -> None:
    """Take the servers away; passwords and certificates stay for the next `up`."""
    rig.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait")


def _manifest(server: str, namespace: str) -> str:
    text = (_MANIFESTS / "directory.yaml").read_text()
    return string.Template(text).substitute(NAMESPACE=namespace, SERVER=server)


def people(directory: Directory) -> str:
    """The directory's content."""
    passwords = {f"{name.upper()}_PASSWORD": password for name, password in directory.passwords.items()}
    return string.Template((_MANIFESTS / "people.ldif").read_text()).substitute(passwords)


def _secret(directory: Directory) -> str:
    content = {
        "directory.ldif": people(directory),
        "tls.crt": directory.certificate,
        "tls.key": directory.key,
        "ca.crt": directory.ca,
    }
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in content.items()}
    metadata = {"name": "directory", "namespace": directory.namespace}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})


def new(namespace: str = NAMESPACE) -> Directory:
    """A directory with passwords and certificates of its own."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab directory authority")])
    ca = _certificate(authority, authority, authority_key, authority_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(f"{server}.{namespace}.svc") for server in SERVERS]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVERS[0])])
    certificate = _certificate(subject, authority, key, authority_key).add_extension(
        x509.SubjectAlternativeName(names), critical=False
    )
    plain = serialization.NoEncryption()
    return Directory(
        passwords={name: secrets.token_urlsafe(12) for name in ("elab", *ACCOUNTS)},
        ca=_pem(ca.sign(authority_key, hashes.SHA256())),
        certificate=_pem(certificate.sign(authority_key, hashes.SHA256())),
        key=key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode(),
        namespace=namespace,
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
