"""Certificates for servers on loopback, each of an authority made for it."""

import datetime
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """An authority, and a server's certificate of it."""

    authority: Path
    """Its certificate, as a PEM file."""
    server: ssl.SSLContext
    ends: datetime.datetime
    """The end of the server's certificate."""


def certificates(folder: Path, name: str = "ca", days: int = 100, address: str = "127.0.0.1") -> Certificates:
    """Files `<name>.crt` and `<name>-server.pem`, the latter for the address and localhost."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    keys = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def begun(subject: x509.Name, key: ec.EllipticCurvePrivateKey, end: datetime.datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(end)
        )

    ends = now + datetime.timedelta(days=days)
    whole = x509.BasicConstraints(ca=True, path_length=0)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    root = begun(issuer, keys[0], now + datetime.timedelta(days=2 * days)).add_extension(whole, critical=True)
    root = root.add_extension(usage, critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    root = root.add_extension(identifier, critical=False).sign(keys[0], hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)), x509.DNSName("localhost")])
    of_root = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
    leaf = begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elasticsearch")]), keys[1], ends)
    leaf = leaf.add_extension(names, critical=False).add_extension(of_root, critical=False)
    shown = leaf.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority, server = folder / f"{name}.crt", folder / f"{name}-server.pem"
    authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    server.write_bytes(private + shown)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return Certificates(authority=authority, server=context, ends=ends)
