"""What providers would answer: deterministic outputs and ids for each kind of resource that elab registers."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .recording import KUBERNETES


class UnknownProviderError(Exception):
    """The program registered a resource for which the recorder has no answer."""


def outputs_of(type_token: str, name: str, urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id, and what the provider adds to a resource's inputs. Raises UnknownProviderError for an unknown type.

    Every value follows from the URN alone, so two runs of one program agree, and two resources never share a "secret".
    """
    if type_token.startswith("pulumi:providers:"):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, urn)), {}
    if type_token.startswith(KUBERNETES):
        return _kubernetes(name, urn, inputs)
    try:
        return _OTHERS[type_token](urn, inputs)
    except KeyError:
        raise UnknownProviderError(
            f"planning has no fake outputs for {type_token} ({name}): add the type to planning/fakes.py"
        ) from None


def _bytes(urn: str, length: int) -> bytes:
    return hashlib.shake_256(urn.encode()).digest(length)


def _kubernetes(name: str, urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    metadata = dict(inputs.get("metadata") or {})
    if "name" not in metadata and "generateName" not in metadata:
        # The provider's own naming: the logical name and a random suffix.
        metadata["name"] = f"{name}-{_bytes(urn, 4).hex()}"
    object_name = metadata.get("name") or f"{metadata['generateName']}{_bytes(urn, 3).hex()}"
    namespace = metadata.get("namespace")
    identity = f"{namespace}/{object_name}" if isinstance(namespace, str) else str(object_name)
    return identity, {"metadata": metadata}


def _random_bytes(urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    value = _bytes(urn, int(inputs["length"]))
    return "none", {"base64": base64.b64encode(value).decode(), "hex": value.hex()}


def _random_password(urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    length = int(inputs["length"])
    text = base64.b32encode(_bytes(urn, length)).decode()[:length]
    return "none", {"result": text, "bcryptHash": f"$2a$10${_bytes(urn, 27).hex()[:53]}"}


def _random_string(urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    text = _random_password(urn, inputs)[1]["result"].lower()
    return text, {"result": text}


def _random_id(urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    value = _bytes(urn, int(inputs["byteLength"]))
    url = base64.urlsafe_b64encode(value).decode().rstrip("=")
    prefix = inputs.get("prefix") or ""
    return url, {
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(value).decode(),
        "hex": prefix + value.hex(),
        "dec": prefix + str(int.from_bytes(value, "big")),
    }


def _random_uuid(urn: str, _inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    value = str(uuid.UUID(bytes=_bytes(urn, 16), version=4))
    return value, {"result": value}


def _docker_image(urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    digest = f"sha256:{_bytes(urn, 32).hex()}"
    tags = inputs.get("tags") or []
    return digest, {"digest": digest, "ref": f"{tags[0]}@{digest}" if tags else digest, "contextHash": digest[7:39]}


def _pem(kind: str, urn: str) -> str:
    """Text of PEM's form, with nothing in it that would open a door."""
    return f"-----BEGIN {kind}-----\n{base64.b64encode(_bytes(urn, 48)).decode()}\n-----END {kind}-----\n"


def _tls_key(urn: str, _inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    key, public = _pem("PRIVATE KEY", urn), _pem("PUBLIC KEY", urn)
    return _bytes(urn, 20).hex(), {"privateKeyPem": key, "privateKeyPemPkcs8": key, "publicKeyPem": public}


def _tls_request(urn: str, _inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return _bytes(urn, 20).hex(), {"certRequestPem": _pem("CERTIFICATE REQUEST", urn)}


def _tls_certificate(urn: str, _inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return str(int.from_bytes(_bytes(urn, 16))), {"certPem": _pem("CERTIFICATE", urn), "readyForRenewal": False}


_OTHERS: Mapping[str, Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]]]] = {
    "random:index/randomBytes:RandomBytes": _random_bytes,
    "random:index/randomId:RandomId": _random_id,
    "random:index/randomPassword:RandomPassword": _random_password,
    "random:index/randomString:RandomString": _random_string,
    "random:index/randomUuid:RandomUuid": _random_uuid,
    "docker-build:index:Image": _docker_image,
    "tls:index/privateKey:PrivateKey": _tls_key,
    "tls:index/certRequest:CertRequest": _tls_request,
    "tls:index/selfSignedCert:SelfSignedCert": _tls_certificate,
    "tls:index/locallySignedCert:LocallySignedCert": _tls_certificate,
}
