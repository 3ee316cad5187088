"""Several places where servers may run, each with a hub of its own, behind one login: this hub's side of it.

Each other hub is an OAuth client of this one, which alone asks the directory: `elab_home` is the other side.
"""

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import elab_values
from elab_directory import AmbiguousEntryError, DirectoryUnavailableError
from elab_roles import OPERATORS
from elab_staying import FRESH, StayingIn
from elab_values import Values
from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado.web import HTTPError, authenticated
from traitlets.config import Config

CHOOSE = "/hub/places"
"""The page with the places of whoever looks."""
LEAD = "/hub/place"
"""Leads to the only place, or to that of somebody's group, and else to the page."""
PEOPLE = "/api/places/people/"
"""Below this the other hubs ask about people."""
UNCLEAR = 409
"""The status that says: about this person nothing can be told, which says nothing of the answers about others."""

NOT_HERE = "Your servers don't run here. Choose one of your places: the page Places shows them."


def service(place: str) -> str:
    """What the hub of a place is called here."""
    return f"place-{place}"


def client_id(place: str) -> str:
    """What the hub of a place calls itself when somebody is to log in; JupyterHub wants this beginning."""
    return f"service-{service(place)}"


def group(place: str) -> str:
    """The hub's group of those who may use a place; membership follows the directory."""
    return f"elab-place-{place}"


def leading(place: str) -> str:
    """The hub's group of those who are led to a place at once."""
    return f"elab-led-to-{place}"


@dataclass(frozen=True)
class Places:
    """The places, in their order; none where there is this hub alone."""

    all: list[elab_values.Place]

    def groups_of(self, directory_groups: Collection[str]) -> list[str]:
        """The hub's groups of somebody who is in these groups of the directory."""
        mine = set(directory_groups)
        usable = [place for place in self.all if not place["groups"] or mine & set(place["groups"])]
        led = next((place for place in usable if mine & set(place["default_for"])), None)
        return [*(group(place["name"]) for place in usable), *([leading(led["name"])] if led else [])]

    def of(self, groups: Collection[str]) -> list[elab_values.Place]:
        """The places of somebody who is in these groups of the hub."""
        return [place for place in self.all if group(place["name"]) in groups]

    def led_to(self, groups: Collection[str]) -> elab_values.Place | None:
        """Where somebody is led without being asked; None: they choose."""
        usable = self.of(groups)
        if len(usable) == 1:
            return usable[0]
        return next((place for place in usable if leading(place["name"]) in groups), None)

    def check_here(self, groups: Collection[str]) -> None:
        """HTTPError 403 for somebody who may have servers, but not at this hub."""
        if self.all and not any(place["url"] is None for place in self.of(groups)):
            raise HTTPError(403, NOT_HERE)


class PlacesHandler(BaseHandler):
    """What both pages need."""

    def initialize(self, places: Places) -> None:
        """Told by the routing table."""
        self.places = places

    @property
    def groups(self) -> set[str]:
        """The hub's groups of whoever looks."""
        return {one.name for one in self.current_user.groups}

    def address(self, place: elab_values.Place) -> str:
        """Where a place begins: its hub leads on to the server."""
        return f"{place['url'].rstrip('/')}/hub/" if place["url"] else url_path_join(self.hub.base_url, "spawn")


class ChooseHandler(PlacesHandler):
    """The page on which a person chooses."""

    @authenticated
    async def get(self) -> None:
        """Every place of this person's."""
        shown = [{**place, "address": self.address(place)} for place in self.places.of(self.groups)]
        self.finish(await self.render_template("places.html", places=shown))


class LeadHandler(PlacesHandler):
    """Where everybody arrives."""

    @authenticated
    def get(self) -> None:
        """Lead to the place, or to the page where it is chosen."""
        place = self.places.led_to(self.groups)
        self.redirect(self.address(place) if place else CHOOSE)


class PeopleHandler(APIHandler):
    """Tells the hub of a place whether somebody still belongs there.

    By the hub's key, not by the person's token: a token that expired is not a person who left.
    """

    async def get(self, name: str) -> None:  # ty: ignore[incompatible-mutable-override]
        """`belongs`, and whether they are an operator; UNCLEAR or, of anybody, 503 where that can't be said."""
        asking, authenticator = self.current_user, self.authenticator
        assert isinstance(authenticator, StayingIn)
        if not isinstance(asking, orm.Service) or not asking.name.startswith(service("")):
            raise HTTPError(403, "This is for the hubs of other places.")
        user = self.find_user(name)
        if user is None:
            # Nobody is deleted here: whom this hub doesn't know, its database has lost.
            raise HTTPError(UNCLEAR, "This hub has never seen them.")
        try:
            model = await authenticator.look_again(user, age=FRESH)
        except AmbiguousEntryError as error:
            raise HTTPError(UNCLEAR, "The directory is unclear about them.") from error
        except DirectoryUnavailableError as error:
            raise HTTPError(503, "The directory gives no answer.") from error
        if model is None and authenticator.leavers.suspect(user):
            raise HTTPError(503, "The directory is doubted.")
        groups = model["groups"] if model else []
        belongs = group(asking.name.removeprefix(service(""))) in groups
        self.write(json.dumps({"belongs": belongs, "operator": belongs and OPERATORS in groups}))


def handlers(places: Places) -> list[tuple[Any, ...]]:
    """What is served for them, below the hub's prefix; nothing where there is this hub alone."""
    if not places.all:
        return []
    told = {"places": places}
    return [("/places", ChooseHandler, told), ("/place", LeadHandler, told), (f"{PEOPLE}([^/]+)", PeopleHandler)]


def configure(c: Config, values: Values) -> None:
    """Make the hubs of other places clients of this one, and let each person into those that are theirs."""
    if not values["places"]:
        return
    for place in values["places"]:
        name, variable = place["name"], place["secret_variable"]
        if not place["url"] or not variable:
            continue
        client = {
            "name": service(name),
            "api_token": os.environ[variable],
            "oauth_client_id": client_id(name),
            "oauth_redirect_uri": f"{place['url'].rstrip('/')}/hub/oauth_callback",
            # The institution's own: nobody need agree to be known there.
            "oauth_no_confirm": True,
            "display": False,
        }
        role = {"name": group(name), "scopes": [f"access:services!service={service(name)}"], "groups": [group(name)]}
        c.JupyterHub.services = [*c.JupyterHub.services, client]
        c.JupyterHub.load_roles = [*c.JupyterHub.load_roles, role]
    c.JupyterHub.default_url = LEAD
    c.JupyterHub.template_vars = {**c.JupyterHub.template_vars, "places_url": CHOOSE}
