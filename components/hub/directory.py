"""Settings of the corporate directory: who may log in, who administers, and how it is asked."""

import re
from collections.abc import Iterator
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from ldap3.core.exceptions import LDAPInvalidFilterError
from ldap3.operation.search import parse_filter
from pydantic import Field, field_validator

from components.network_settings import pem
from stackfile.problems import Problem
from stackfile.quantities import Duration
from stackfile.references import Cidr, Dn, Name, in_one_line, parts_of
from stackfile.scalars import Scalar
from stackfile.section import Section


class LdapUrl(Scalar):
    """An LDAP server: ``ldap://host[:port]`` or ``ldaps://host[:port]``."""

    allowed: ClassVar[str] = "ldap://host[:port] or ldaps://host[:port]"
    example: ClassVar[str] = "ldaps://ldap1.example.org"

    @classmethod
    def check(cls, text: str) -> None:
        parts = parts_of(text)
        if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError
        if parts.username or parts.password:
            raise ValueError("take the password out of the address; set it as the secret elab:ldap_bind_password")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("write a port from 1 to 65535") from None

    @property
    def host(self) -> str:
        """The server's name or address."""
        return urlsplit(self).hostname or ""

    @property
    def port(self) -> int:
        """The server's port: 389 for ldap and 636 for ldaps unless the address names one."""
        return urlsplit(self).port or (636 if self.encrypted else 389)

    @property
    def encrypted(self) -> bool:
        """Whether the connection is TLS from its first byte."""
        return urlsplit(self).scheme == "ldaps"


class LdapFilter(Scalar):
    """A search filter (RFC 4515) with ``{username}`` or ``{dn}`` where the person's goes, escaped."""

    allowed: ClassVar[str] = "an LDAP filter in parentheses, with {username} or {dn} where the person's goes"
    example: ClassVar[str] = "(uid={username})"

    @classmethod
    def check(cls, text: str) -> None:
        if set(re.findall(r"\{(\w*)\}", text)) - {"username", "dn"}:
            raise ValueError("only {username} and {dn} are filled in")
        if "{" not in text:
            raise ValueError("say by {username} or {dn} whom it is about: without, it finds the same for everybody")
        in_one_line(text)
        try:
            parse_filter(re.sub(r"\{\w+\}", "x", text), None, False, False, None, False)
        except LDAPInvalidFilterError:
            raise ValueError from None


class PersonFilter(LdapFilter):
    """A filter that finds one person by their login name; their DN is not known yet."""

    allowed: ClassVar[str] = "an LDAP filter in parentheses, with {username} where the login name goes"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if "{dn}" in text or "{username}" not in text:
            raise ValueError("use {username}, and not {dn}, which is what this filter is to find")


class AttributeName(Scalar):
    """The name of an LDAP attribute (RFC 4512), which stands in filters as it is."""

    allowed: ClassVar[str] = "the name of an LDAP attribute: letters, digits and hyphens, beginning with a letter"
    example: ClassVar[str] = "uid"
    pattern: ClassVar[str | None] = r"^[A-Za-z][A-Za-z0-9-]*$"


class People(Section):
    """How a login name becomes an entry of the directory."""

    base: Dn
    """Below this entry people are looked for."""
    filter: PersonFilter = PersonFilter("(uid={username})")
    """Finds exactly one entry for a login name; `(sAMAccountName={username})` in Active Directory."""
    username_attribute: AttributeName = AttributeName("uid")
    """The attribute with the name that the platform knows the person by."""


class Groups(Section):
    """Which groups of the directory may do what."""

    base: Dn
    """Below this entry groups are looked for."""
    filter: LdapFilter = LdapFilter("(|(member={dn})(uniqueMember={dn})(memberUid={username}))")
    """Finds the groups that a person is in."""
    allowed: tuple[Dn, ...] = Field(min_length=1)
    """Members of these groups may log in; nobody else."""
    admins: tuple[Dn, ...] = ()
    """Members of these groups administer the hub; they need not be in `allowed` too."""


class DirectorySettings(Section):
    """The corporate directory."""

    servers: tuple[LdapUrl, ...] = Field(min_length=1)
    """Asked in this order; the next one answers when one is down or slow."""
    tls: Literal["verified", "unencrypted"] = "verified"
    """`verified`: StartTLS on ldap://, TLS on ldaps://, certificate and name checked. Prod wants nothing less."""
    ca_certificates: str | None = None
    """PEM text of the authorities that sign the servers' certificates; none: those that the hub's image trusts."""
    bind_dn: Dn | None = None
    """The account that looks people and groups up, its password `elab:ldap_bind_password`; none: anonymous."""
    cidrs: tuple[Cidr, ...] = ()
    """The servers' addresses, for the hub's network policy; none: any address at their ports."""
    namespace: Name | None = None
    """The servers' namespace, where they run in this cluster; then `cidrs` is not used."""
    people: People
    groups: Groups
    connect_timeout: Duration = Duration("3s")
    """How long one server may take to accept a connection."""
    receive_timeout: Duration = Duration("5s")
    """How long one server may take for an answer."""
    refresh: Duration = Duration("5m")
    """How often a person's groups are looked up again; a leaver loses session and server within three times this."""

    @field_validator("ca_certificates")
    @classmethod
    def _is_pem(cls, text: str | None) -> str | None:
        return pem(text)

    def problems(self) -> Iterator[Problem]:
        if self.refresh.seconds > 300:
            yield Problem(
                where="refresh",
                found=self.refresh,
                allowed="at most 5m, since leavers are to be out within 15 minutes",
                fix='set refresh to "5m" or less',
            )
        asked = [(server.host.lower(), server.port) for server in self.servers]
        for index, server in enumerate(self.servers):
            if asked[index] in asked[:index]:
                yield Problem(
                    where=f"servers.{index}",
                    found=f'"{server}", which stands there already',
                    allowed="every server once: a second try at one that is down only makes people wait",
                    fix="remove it, or name another server",
                )
        if self.tls == "unencrypted" and any(server.encrypted for server in self.servers):
            yield Problem(
                where="tls",
                found="unencrypted, with an ldaps:// server",
                allowed="verified, where a server is ldaps://",
                fix="set tls to verified, or write ldap:// for a test directory without TLS",
            )
