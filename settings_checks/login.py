"""Contradictions about where people log in and where their servers may run, each with the way out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.hub.places import HomeLogin, Place
from components.hub.profiles import repeated
from stackfile.problems import Problem
from stackfile.references import Dn

if TYPE_CHECKING:
    from settings import Settings


def problems(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between login, places, directory and the address."""
    if isinstance(settings.login, HomeLogin):
        yield from _home(settings, settings.login)
    elif settings.directory is None:
        yield Problem(
            where="directory",
            found="nothing",
            allowed="the corporate directory, by which people log in",
            fix="set directory, or set login to {kind: home, …} where people log in at another stack",
        )
    else:
        yield from _places(settings.places, str(settings.entry.host), settings.directory.groups.allowed)
        yield from _unencrypted(settings)


def names_itself(settings: "Settings", project: str, stack: str) -> Iterator[Problem]:
    """A home that is the stack itself; the settings don't know which stack they are of."""
    named = settings.login.stack if isinstance(settings.login, HomeLogin) else None
    if named is not None and (named.project, named.stack) == (project, stack):
        yield Problem(
            where="login.stack",
            found=f'"{named}", which is this stack',
            allowed="another stack, the home: nobody could log in at a hub that sends people to itself",
            fix="name the home stack, or set login to {kind: directory}",
        )


def _places(places: tuple[Place, ...], host: str, allowed: tuple[Dn, ...]) -> Iterator[Problem]:
    yield from repeated("places", "name", [str(place.name) for place in places])
    yield from repeated("places", "url", [str(place.url or "(none: this stack)") for place in places])
    for index, place in enumerate(places):
        where = f"places.{index}"
        for key, groups in (("groups", place.groups), ("default_for", place.default_for)):
            for at, group in enumerate(groups):
                if group not in allowed:
                    yield Problem(
                        where=f"{where}.{key}.{at}",
                        found=f'"{group}"',
                        allowed=f"groups as directory.groups.allowed writes them: {'; '.join(allowed)}",
                        fix="add it to directory.groups.allowed, since nobody else can log in",
                    )
        if place.url is not None and place.url.host == host:
            yield Problem(
                where=f"{where}.url",
                found=f'"{place.url}", which is at entry.host',
                allowed="a host of the place's own: browsers would send one hub's cookies to the other",
                fix="name the place's own host, or remove url if this stack is meant",
            )


def _unencrypted(settings: "Settings") -> Iterator[Problem]:
    for index, place in enumerate(settings.places):
        if settings.is_prod and place.url is not None and not place.url.encrypted:
            yield Problem(
                where=f"places.{index}.url",
                found=f'"{place.url}"',
                allowed="https, since environment is prod and what opens a session passes there",
                fix="write https://, and see that the place's entry has TLS",
            )


def _home(settings: "Settings", login: HomeLogin) -> Iterator[Problem]:
    if login.url is not None and login.url.host == settings.entry.host:
        yield Problem(
            where="login.url",
            found=f'"{login.url}", which is at entry.host',
            allowed="another stack's address: nobody could log in at a hub that sends people to itself",
            fix="name the home stack's address, or set login to {kind: directory}",
        )
    if settings.is_prod and login.url is not None and not login.url.encrypted:
        yield Problem(
            where="login.url",
            found=f'"{login.url}"',
            allowed="https, since environment is prod and this place's key passes there",
            fix="write https://",
        )
    if settings.places:
        yield Problem(
            where="places",
            found="places, with login.kind home",
            allowed="places in the home stack alone, which leads people there",
            fix="move them to the home stack, or set login to {kind: directory}",
        )
    if settings.directory is not None and not (settings.monitoring.enabled and settings.monitoring.grafana.enabled):
        yield Problem(
            where="directory",
            found="a directory, with login.kind home",
            allowed="none where nothing asks it: the home stack's hub does",
            fix="remove directory, and the secret elab:ldap_bind_password",
        )
