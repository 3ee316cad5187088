"""Names, images, addresses and LDAP names: text that points at something, checked before anything is changed."""

import ipaddress
import re
from pathlib import PurePosixPath
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from stackfile.scalars import Scalar

LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
"""Of RFC 1123, its length aside."""
_LABEL_LENGTH = 63
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
"""Labels with dots between them: a DNS name."""
_COMPONENT = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
"""Of a repository's path: github.com/distribution/reference v0.6.0."""
_AVA = r"""[A-Za-z][A-Za-z0-9-]*=(?![ #])( *([^ "+,;<>\\]|\\([0-9A-Fa-f]{2}|[ "#+,;<=>\\])))+"""
"""Of a DN (RFC 4514), one attribute and its value. Not by ldap3, which refuses `cn=C#` and `cn=a=b`: a group is to be
written as the directory spells it."""


def _as_label(text: str) -> str:
    """The label that a text was most likely meant to be; empty if nothing of it is left, or if it is an address, which
    may hold a password."""
    return "" if re.search(r"[:/?@=]", text) else re.sub(r"[^a-z0-9]+", "-", text.lower())[:63].strip("-")


class Name(Scalar):
    """The name of a Kubernetes object: an RFC 1123 label."""

    allowed: ClassVar[str] = "1 to 63 lower-case letters, digits and hyphens, a letter or digit at both ends"
    example: ClassVar[str] = "small"
    pattern: ClassVar[str | None] = rf"^{LABEL}$"

    @classmethod
    def check(cls, text: str) -> None:
        mended = _as_label(text)
        if mended and mended != text:
            raise ValueError(f'write for example "{mended}"')
        if not re.fullmatch(LABEL, text) or len(text) > 63:
            raise ValueError


class InstanceName(Scalar):
    """The name of one elab in its cluster; it starts every namespace and cluster-wide name."""

    allowed: ClassVar[str] = "1 to 20 lower-case letters, digits and hyphens, beginning with a letter"
    example: ClassVar[str] = "elab"
    pattern: ClassVar[str | None] = r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"


class HostName(Scalar):
    """A DNS name, without scheme, port or path."""

    allowed: ClassVar[str] = "a DNS name without scheme, port or path"
    example: ClassVar[str] = "jupyter.example.org"
    pattern: ClassVar[str | None] = rf"^{SUBDOMAIN}$"

    @classmethod
    def check(cls, text: str) -> None:
        if "://" in text:
            raise ValueError(f'write the name alone: "{parts_of(text).hostname}"')
        if text != text.lower() and re.fullmatch(cls.pattern or "", text.lower()):
            raise ValueError(f'write it in lower case: "{text.lower()}"')
        if not re.fullmatch(cls.pattern or "", text) or len(text) > 253:
            raise ValueError
        if any(len(label) > _LABEL_LENGTH for label in text.split(".")):
            raise ValueError(f"write at most {_LABEL_LENGTH} characters between two dots: no DNS holds a longer name")


class DoorName(HostName):
    """The name by which a door that leads to several services tells which is meant: an address names none."""

    allowed: ClassVar[str] = "a DNS name without scheme, port or path; no address, which Ingress and certificate refuse"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if re.fullmatch(r"[0-9.]+", text):
            raise ValueError(f'write the name that leads to {text}, for example "{cls.example}"')


class Image(Scalar):
    """A container image of a fixed version: ``registry/repository:tag``, with or without ``@sha256:…``."""

    allowed: ClassVar[str] = "registry/repository:tag or registry/repository[:tag]@sha256:<64 hex digits>; never latest"
    example: ClassVar[str] = "quay.io/jupyterhub/k8s-hub:4.4.0"
    _form: ClassVar[re.Pattern[str]] = re.compile(
        rf"(?P<repository>(?P<registry>{SUBDOMAIN}(:[0-9]+)?)/{_COMPONENT}(/{_COMPONENT})*)"
        r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
    )

    @classmethod
    def check(cls, text: str) -> None:
        found = cls._form.fullmatch(text)
        if not found or not ("." in found["registry"] or ":" in found["registry"] or found["registry"] == "localhost"):
            raise ValueError(f'name the registry too, for example "{cls.example}"')
        if found["tag"] == "latest":
            raise ValueError("name the version instead of latest, so that every node runs the same")
        if not found["tag"] and not found["digest"]:
            raise ValueError("add the version as a tag or a digest")

    @classmethod
    def takes_below(cls, prefix: str) -> bool:
        """Whether images can be named below a registry, or a prefix of repositories."""
        try:
            cls.check(f"{prefix}/image:1")
        except ValueError:
            return False
        return True

    def _part(self, name: str) -> str | None:
        found = self._form.fullmatch(self)
        return found[name] if found else None

    @property
    def repository(self) -> str:
        """The reference without tag and digest."""
        return self._part("repository") or str(self)

    @property
    def tag(self) -> str | None:
        """The version's name, if one is given."""
        return self._part("tag")

    @property
    def digest(self) -> str | None:
        """``sha256:…``, if the reference is pinned by content."""
        return self._part("digest")


def parts_of(address: str) -> SplitResult:
    """An address taken apart. ValueError without a sentence: urllib's own does not say what to write."""
    try:
        return urlsplit(address)
    except ValueError:
        raise ValueError from None


class Url(Scalar):
    """An http or https address without user name, password or query."""

    allowed: ClassVar[str] = "an http:// or https:// address, without a password or a query in it"
    example: ClassVar[str] = "https://proxy.example.org:3128"

    @classmethod
    def check(cls, text: str) -> None:
        parts = parts_of(text)
        if parts.username or parts.password:
            raise ValueError("take the user name and password out of the address; they would be shown in clear")
        if parts.query or parts.fragment:
            raise ValueError("take the query out of the address; what stands there would be shown in clear")
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
            raise ValueError
        try:
            usable = parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("write a port from 1 to 65535, or none")

    @property
    def port(self) -> int:
        """The port that it names, or its scheme's own."""
        parts = urlsplit(self)
        return parts.port or (443 if parts.scheme == "https" else 80)


def in_one_line(text: str) -> None:
    """Raise ValueError for control characters and separators of lines: nobody writes them, and what is made of the
    text would be read as something else."""
    if not text.isprintable():
        raise ValueError("write it in one line, without tabs or other control characters")


class Dn(Scalar):
    """A distinguished name of an LDAP directory (RFC 4514)."""

    allowed: ClassVar[str] = "a distinguished name: attribute=value pairs separated by commas"
    example: ClassVar[str] = "ou=people,dc=example,dc=org"

    @classmethod
    def check(cls, text: str) -> None:
        in_one_line(text)
        if not re.fullmatch(f"{_AVA}([,+]{_AVA})*", text):
            raise ValueError(
                f'write for example "{cls.example}": no spaces around commas, and a backslash before each of '
                'these that belongs to a name: , + " ; < > and a # or space at its edge'
            )


class Cidr(Scalar):
    """A range of IPv4 or IPv6 addresses."""

    allowed: ClassVar[str] = "an IPv4 or IPv6 range in CIDR form, its host bits zero"
    example: ClassVar[str] = "10.20.0.0/16"

    @classmethod
    def check(cls, text: str) -> None:
        if "/" not in text:
            raise ValueError(f'add the prefix length: "{text}/32" for one IPv4 address')
        try:
            ipaddress.ip_network(text)
        except ValueError:
            try:
                mended = ipaddress.ip_network(text, strict=False)
            except ValueError:
                raise ValueError(f'write for example "{cls.example}"') from None
            raise ValueError(f'clear the host bits: "{mended}"') from None

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The range as an object that can be compared."""
        return ipaddress.ip_network(self)

    def overlaps(self, other: "Cidr") -> bool:
        """Whether some address is in both ranges."""
        mine, others = self.network, other.network
        return mine.version == others.version and mine.overlaps(others)

    def within(self, other: "Cidr") -> bool:
        """Whether the other range holds all of this one."""
        mine, others = self.network, other.network
        return self.overlaps(other) and mine.prefixlen >= others.prefixlen


class EnvName(Scalar):
    """The name of an environment variable."""

    allowed: ClassVar[str] = "letters, digits and underscores, not beginning with a digit"
    example: ClassVar[str] = "COURSE_DATA"
    pattern: ClassVar[str | None] = r"^[A-Za-z_][A-Za-z0-9_]*$"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if text.startswith(("JUPYTERHUB_", "KUBERNETES_", "ELAB_")) or text == "JUPYTER_CONFIG_PATH":
            raise ValueError(
                "JUPYTERHUB_…, KUBERNETES_…, ELAB_… and JUPYTER_CONFIG_PATH are the platform's; choose another"
            )


class AbsolutePath(Scalar):
    """A path inside a container, at which a volume can be mounted."""

    allowed: ClassVar[str] = (
        "an absolute path below /, as it is shortest: without . or .. or a slash to spare, or a colon"
    )
    example: ClassVar[str] = "/srv/data"

    @classmethod
    def check(cls, text: str) -> None:
        # Kubernetes takes a colon for the end of the path, and `//` and a slash at the end for another path.
        if not text.startswith("/") or ".." in text.split("/") or ":" in text:
            raise ValueError
        if str(PurePosixPath("/", *text.split("/"))) != text:
            raise ValueError(f'write it as "{PurePosixPath("/", *text.split("/"))}"')
        if text == "/":
            raise ValueError(f'name a folder below it, for example "{cls.example}": nothing of the image would be left')

    def holds(self, other: str) -> bool:
        """Whether the other path is this one, or below it."""
        return PurePosixPath(other).is_relative_to(self)


_LONGEST_POOL = 63 - 20 - len("-")


class PoolName(Scalar):
    """The name of a node pool.

    With what stands before it, it is the value of labels, which have 63 characters at most: `placeholder-`, `puller-`,
    and, the longest, an instance's name of 20 and a hyphen: so its Karpenter NodePool is called, which its nodes name.
    """

    allowed: ClassVar[str] = (
        f"1 to {_LONGEST_POOL} lower-case letters, digits and hyphens, a letter or digit at both ends: labels of 63 at "
        "most are made of it"
    )
    example: ClassVar[str] = "general"
    pattern: ClassVar[str | None] = rf"^[a-z0-9]([a-z0-9-]{{0,{_LONGEST_POOL - 2}}}[a-z0-9])?$"


class ObjectName(Scalar):
    """The name of a Secret, a class or another object that was made by its owner: an RFC 1123 subdomain."""

    allowed: ClassVar[str] = "1 to 253 lower-case letters, digits, hyphens and dots, a letter or digit beside each dot"
    example: ClassVar[str] = "jupyter-tls"
    pattern: ClassVar[str | None] = rf"^{SUBDOMAIN}$"

    @classmethod
    def check(cls, text: str) -> None:
        mended = ".".join(filter(None, map(_as_label, text.split("."))))
        if mended and not re.fullmatch(cls.pattern or "", text):
            raise ValueError(f'write for example "{mended}"')
        super().check(text)
        if len(text) > 253:
            raise ValueError


class StorageClassName(ObjectName):
    """The name of a StorageClass."""

    example: ClassVar[str] = "ceph-rbd"
