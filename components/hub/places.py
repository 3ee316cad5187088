"""Several clouds behind one login: the places where servers may run, and the hub where people of this one log in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import pulumi
from pydantic import Field

from components.connections import Addresses, Connection, Peer, tcp
from stackfile.ports import PortNumber
from stackfile.problems import Problem
from stackfile.quantities import Duration
from stackfile.references import Cidr, Dn, Name, Url
from stackfile.scalars import Scalar
from stackfile.section import Section

PLACE_SECRETS = "place_secrets"
"""The output by which a home stack gives each place's hub its key."""
REFRESH_LIMIT = 300
"""Seconds: leavers are to be out within 15 minutes, which is three times this."""


class StackName(Scalar):
    """Another Pulumi stack, as StackReference takes it."""

    allowed: ClassVar[str] = "organization/project/stack"
    example: ClassVar[str] = "organization/elab/prod"
    pattern: ClassVar[str | None] = r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$"

    @classmethod
    def check(cls, text: str) -> None:
        if not re.fullmatch(cls.pattern or "", text):
            raise ValueError("`pulumi stack ls --all` shows it; organization stands for a backend of your own")

    @property
    def project(self) -> str:
        """The project's name."""
        return self.split("/")[1]

    @property
    def stack(self) -> str:
        """The stack's name within its project."""
        return self.split("/")[2]


class HubUrl(Url):
    """The one address of another elab."""

    allowed: ClassVar[str] = "http:// or https:// and a host, without path"
    example: ClassVar[str] = "https://jupyter-aws.example.org"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        parts = urlsplit(text)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(f'write the address alone: "{parts.scheme}://{parts.netloc}"')

    @property
    def host(self) -> str:
        """The host, by which browsers keep cookies apart."""
        return urlsplit(self).hostname or ""

    @property
    def encrypted(self) -> bool:
        """Whether it is https."""
        return urlsplit(self).scheme == "https"


class Place(Section):
    """A cloud where people's servers may run, with an elab of its own."""

    name: Name
    """Short, and for good: the place's own stack calls itself by it."""
    title: str = Field(min_length=1, max_length=80)
    """What people choose by."""
    description: str = Field(default="", max_length=300)
    """What is there that is not elsewhere."""
    url: HubUrl | None = None
    """The one address of the place's own stack; none: this stack is the place."""
    groups: tuple[Dn, ...] = ()
    """Groups, of `directory.groups.allowed`, that may use it; none: everybody who may log in."""
    default_for: tuple[Dn, ...] = ()
    """Groups, of those that may use it, whose members are led there at once; they can still choose another place."""

    def problems(self) -> Iterator[Problem]:
        for index, group in enumerate(self.default_for):
            if self.groups and group not in self.groups:
                yield Problem(
                    where=f"default_for.{index}",
                    found=f'"{group}"',
                    allowed=f"groups that may use {self.name}: {'; '.join(self.groups)}",
                    fix="add it to the place's groups, or remove it here",
                )


class DirectoryLogin(Section):
    """People log in here, by the corporate directory."""

    kind: Literal["directory"] = "directory"


class HomeLogin(Section):
    """People log in at another stack's hub, which asks the directory; this stack is one of its `places`."""

    kind: Literal["home"]
    place: Name
    """The name of this stack's entry in home's `places`."""
    stack: StackName | None = None
    """The home stack: its address and this place's key are its outputs."""
    url: HubUrl | None = None
    """Home's address, where its stack lies in another backend; the key is then the secret `elab:home_client_secret`."""
    cidrs: tuple[Cidr, ...] = ()
    """Home's addresses as seen from here, for the hub's network policy; none: any address at its port."""
    port: PortNumber | None = None
    """The port of home's address; none: that of `url`, or 443."""
    refresh: Duration = Duration("5m")
    """How often home is asked again about everybody; a leaver loses session and server within three times this."""

    def problems(self) -> Iterator[Problem]:
        if (self.stack is None) == (self.url is None):
            yield Problem(
                where="stack",
                found="neither stack nor url" if self.stack is None else "both stack and url",
                allowed="one of them: stack where its state lies in the same backend, url otherwise",
                fix=f'set stack to for example "{StackName.example}"' if self.stack is None else "remove one",
            )
        if self.refresh.seconds > REFRESH_LIMIT:
            yield Problem(
                where="refresh",
                found=self.refresh,
                allowed="at most 5m, since leavers are to be out within 15 minutes",
                fix='set refresh to "5m" or less',
            )

    @property
    def home_port(self) -> int:
        """Where home listens."""
        return self.port or (self.url.port if self.url else 443)


LoginSettings = Annotated[DirectoryLogin | HomeLogin, Field(discriminator="kind")]
AnyLogin = DirectoryLogin | HomeLogin


@dataclass(frozen=True, kw_only=True)
class Home:
    """The hub where people log in, as its own stack tells."""

    url: pulumi.Input[str]
    secret: pulumi.Input[str]
    """This place's key there."""


def others(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Places that are other stacks, each with a key by which its hub speaks to this one."""
    return tuple(place for place in places if place.url is not None)


def secret_variable(place: Place) -> str:
    """The variable by which the hub reads a place's key."""
    return f"ELAB_PLACE_SECRET_{place.name.replace('-', '_').upper()}"


def places_values(places: tuple[Place, ...]) -> list[dict[str, Any]]:
    """The places' part of the values file."""
    return [
        {
            "name": str(place.name),
            "title": place.title,
            "description": place.description,
            "url": str(place.url) if place.url else None,
            "groups": list(place.groups),
            "default_for": list(place.default_for),
            "secret_variable": secret_variable(place) if place.url else None,
        }
        for place in places
    ]


def home_values(login: AnyLogin, ca_file: str | None) -> dict[str, Any] | None:
    """Home's part of the values file."""
    if isinstance(login, DirectoryLogin):
        return None
    return {"place": str(login.place), "ca_file": ca_file, "refresh": login.refresh.seconds}


def to_home(hub: Peer, login: AnyLogin) -> Iterator[Connection]:
    """A hub whose people log in elsewhere asks there who they are."""
    if isinstance(login, HomeLogin):
        anywhere = (Cidr("0.0.0.0/0"), Cidr("::/0"))
        target = Addresses(cidrs=login.cidrs or anywhere)
        yield Connection(source=hub, target=target, ports=tcp(login.home_port), why="the hub where people log in")
