"""Logging in at another hub, the home of several: whoever is in there comes in here without a second password.

This hub asks no directory. Home does, and says by its API who still belongs: `elab_places` is its side.
"""

import json
import os
import time
from typing import Any
from urllib.parse import quote

import elab_staying
from elab_directory import FAILURES, AmbiguousEntryError, DirectoryUnavailableError
from elab_places import CHOOSE, PEOPLE, UNCLEAR, client_id
from elab_roles import OPERATORS
from elab_staying import Model, StayingIn
from elab_values import Values
from oauthenticator.generic import GenericOAuthenticator
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.web import HTTPError, RequestHandler
from traitlets import Set, Unicode
from traitlets.config import Config

UNREACHABLE = (
    "The hub that checks names and passwords can't be reached from here at the moment. Try again in a few minutes; "
    "people who are in can go on working."
)
PATIENCE = 8.0
"""Seconds that home may take for an answer: it asks the directory meanwhile."""


class HomeAuthenticator(StayingIn, GenericOAuthenticator):
    """GenericOAuthenticator that asks home again who belongs, and keeps no token of anybody."""

    home_url = Unicode(help="The address of the hub where people log in.").tag(config=True)
    operators = Set(Unicode(), help="Names that administer this hub besides home's operators.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 (traitlets' signature)
        super().__init__(**kwargs)
        self._seen: dict[str, tuple[float, Model | None]] = {}

    async def authenticate(self, handler: RequestHandler, data: Any = None, **kwargs: Any) -> Model | None:  # noqa: ANN401
        """Who comes from home; HTTPError 503 with a sentence for the page where home gives no answer."""
        try:
            return await super().authenticate(handler, data, **kwargs)
        except (HTTPClientError, OSError) as error:
            FAILURES.labels(during="login").inc()
            self.log.error("Nobody can come in: home gives no answer: %s", error)
            raise HTTPError(503, UNREACHABLE) from error

    async def update_auth_model(self, auth_model: Model) -> Model:
        """What home says of somebody who has just logged in there, without their token."""
        groups = auth_model["auth_state"][self.user_auth_state_key].get("groups", [])
        return self._model(auth_model["name"], operates=OPERATORS in groups)

    async def _apply_managed_groups(self, auth_model: Model) -> Model:
        return auth_model

    async def ask(self, user: Any, age: float) -> Model | None:  # noqa: ANN401 (jupyterhub.user.User has no types)
        """What home says of somebody now; anything but a plain answer, or UNCLEAR, is an outage."""
        seen = self._seen.get(user.name)
        if seen is not None and time.monotonic() - seen[0] < age:
            return seen[1]
        request = HTTPRequest(
            f"{self.home_url}/hub{PEOPLE}{quote(user.name, safe='')}",
            headers={"Authorization": f"token {self.client_secret}"},
            request_timeout=PATIENCE,
            follow_redirects=False,
            **self.http_request_kwargs,
        )
        try:
            response = await AsyncHTTPClient().fetch(request)
            answer = json.loads(response.body)
            belongs, operates = bool(answer["belongs"]), bool(answer["operator"])
        except Exception as error:
            if isinstance(error, HTTPClientError) and error.code == UNCLEAR:
                raise AmbiguousEntryError("home never saw them, or finds the directory unclear about them") from error
            raise DirectoryUnavailableError(f"home: {type(error).__name__}: {error}") from error
        model = self._model(user.name, operates=operates) if belongs else None
        self._seen[user.name] = (time.monotonic(), model)
        return model

    def _model(self, name: str, *, operates: bool) -> Model:
        # JupyterHub's admins may open people's servers: nobody is one.
        groups = [OPERATORS] if operates or name in self.operators else []
        return {"name": name, "admin": False, "groups": groups, "auth_state": None}


def configure(c: Config, values: Values) -> None:
    """Send people to home, and ask it again about everybody with a server every `refresh` seconds."""
    settings = values["home"]
    assert settings is not None, "a hub with a home knows it"
    home = os.environ["ELAB_HOME_URL"].rstrip("/")
    c.JupyterHub.authenticator_class = HomeAuthenticator
    a = c.HomeAuthenticator
    a.home_url = home
    a.client_id = client_id(settings["place"])
    a.client_secret = os.environ["ELAB_HOME_SECRET"]
    a.authorize_url = f"{home}/hub/api/oauth2/authorize"
    a.token_url = f"{home}/hub/api/oauth2/token"
    a.userdata_url = f"{home}/hub/api/user"
    a.username_claim = "name"
    a.oauth_callback_url = f"{values['hub']['public_url']}/hub/oauth_callback"
    # Who shares a machine means both when they log out of one.
    a.logout_redirect_url = f"{home}/hub/logout"
    a.http_request_kwargs = {"ca_certs": settings["ca_file"]} if settings["ca_file"] else {}
    a.operators = {name.lower() for name in values["hub"]["admin_users"]}
    # Home has let in whoever comes from there, for this place.
    a.allow_all = True
    a.auto_login = True
    elab_staying.configure(c, settings["refresh"])
    c.JupyterHub.template_vars = {**c.JupyterHub.template_vars, "places_url": f"{home}{CHOOSE}"}
