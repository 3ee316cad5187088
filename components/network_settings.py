"""Settings of the institution's network: registries, the corporate proxy, and the authorities it trusts."""

import ssl
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from stackfile.problems import Problem
from stackfile.references import Cidr, Image, ObjectName, Url
from stackfile.scalars import Scalar, refusal
from stackfile.section import Section


class Digest(Scalar):
    """A content address."""

    allowed: ClassVar[str] = "sha256: and 64 hexadecimal digits"
    example: ClassVar[str] = "sha256:" + "0" * 64
    pattern: ClassVar[str | None] = r"^sha256:[0-9a-f]{64}$"

    @classmethod
    def check(cls, text: str) -> None:
        hexadecimal = text.removeprefix("sha256:")
        if len(hexadecimal) != 64 or not text.startswith("sha256:") or set(hexadecimal) - set("0123456789abcdef"):
            raise ValueError("ask for it: skopeo inspect --format '{{.Digest}}' docker://<image>")


class ImagesSettings(Section):
    """Where images come from, and exactly which."""

    digests: dict[Image, Digest] = {}
    """The digest of each image that is named by tag; all of them are needed in prod."""
    mirrors: dict[str, str] = {}
    """For an institution without internet: registry or repository prefix, and what takes its place."""
    pull_secrets: tuple[ObjectName, ...] = ()
    """Secrets of type dockerconfigjson, in each namespace that pulls; made by their owner."""
    pull_policy: Literal["IfNotPresent", "Always"] = "IfNotPresent"

    def problems(self) -> Iterator[Problem]:
        for index, name in enumerate(self.pull_secrets):
            if name in self.pull_secrets[:index]:
                yield Problem(
                    where=f"pull_secrets.{index}",
                    found=f'"{name}", which stands there already',
                    allowed="every Secret once: the API server takes no pod that names one twice",
                    fix="remove it, or name another one",
                )
        for prefix, mirror in self.mirrors.items():
            if not Image.takes_below(prefix):
                yield Problem(
                    where=f"mirrors.{prefix}",
                    found=f'the key "{prefix}", which begins no image\'s name',
                    allowed="a registry's host, and a prefix of repositories if need be, in lower case",
                    fix="write it as images have it, without scheme, tag or a slash at the end: docker.io, or "
                    "quay.io/jupyterhub",
                )
            if not Image.takes_below(mirror):
                yield Problem(
                    where=f"mirrors.{prefix}",
                    found=f'"{mirror}"',
                    allowed="a registry's host, and a prefix of repositories if need be, in lower case",
                    fix="write it as registry.example.org or registry.example.org/mirror",
                )

    def reference(self, image: Image) -> str:
        """What the cluster is told to pull: by digest where it is known, from the mirror where there is one."""
        digest = self.digests.get(image)
        named = str(image) if image.digest or not digest else f"{image}@{digest}"
        for prefix in sorted(self.mirrors, key=len, reverse=True):
            if image.repository == prefix or image.repository.startswith(f"{prefix}/"):
                return self.mirrors[prefix] + named[len(prefix) :]
        return named


class NetworkSettings(Section):
    """The institution's network."""

    http_proxy: Url | None = None
    https_proxy: Url | None = None
    no_proxy: tuple[str, ...] = ()
    """Hosts, domains and ranges that are reached directly; the cluster's own are added."""
    proxy_cidrs: tuple[Cidr, ...] = ()
    """Addresses of the corporate proxy, which people's servers and the hub may then reach."""
    ca_certificates: str | None = None
    """The whole bundle that every server and the hub trust, as PEM text; none: the images' own."""

    @field_validator("ca_certificates")
    @classmethod
    def _is_pem(cls, text: str | None) -> str | None:
        return pem(text)

    @property
    def proxy_ports(self) -> tuple[int, ...]:
        """The ports that the corporate proxy listens on."""
        return tuple(sorted({url.port for url in (self.http_proxy, self.https_proxy) if url is not None}))

    def problems(self) -> Iterator[Problem]:
        if (self.http_proxy or self.https_proxy) and not self.proxy_cidrs:
            yield Problem(
                where="proxy_cidrs",
                found="nothing, with a corporate proxy set",
                allowed="the proxy's addresses, since network policies refuse all others",
                fix="list them, for example [10.1.2.3/32]",
            )


def pem(text: str | None) -> str | None:
    """Certificates as PEM text, and nothing that must stay secret.

    Raises:
        PydanticCustomError: with the fix, for a model's validator.
    """
    if text is not None and "PRIVATE KEY" in text:
        raise refusal("certificates only", "take the private key out of the stack file, and replace that key")
    if text is not None and not _is_readable(text):
        fix = (
            "paste the certificates with their BEGIN and END lines, each on a line of its own, below a | behind the key"
        )
        raise refusal("PEM text with at least one certificate, all of which OpenSSL can read", fix)
    return text


def _is_readable(text: str) -> bool:
    """Whether OpenSSL reads the text to its end: a YAML text in > instead of | is one line, which holds none to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # Between certificates anything may stand, in any language.
        context.load_verify_locations(cadata=text.encode("ascii", "replace").decode())
    except (ssl.SSLError, ValueError):
        return False
    return True


class ClusterIdentifier(Scalar):
    """A name of one's own for a cluster."""

    allowed: ClassVar[str] = "a name of 1 to 253 characters without spaces"
    example: ClassVar[str] = "prod"
    pattern: ClassVar[str | None] = r"^\S{1,253}$"


class ClusterSettings(Section):
    """Which cluster, never guessed from the environment."""

    context: str = Field(min_length=1)
    """The kubeconfig's context."""
    kubeconfig: str = "~/.kube/config"
    """The kubeconfig's path."""
    identifier: ClusterIdentifier | None = None
    """A name that stays when address or credentials change; none: the context's. Another one replaces everything."""
