"""Logging in by the corporate directory."""

import asyncio
import functools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import elab_places
import elab_staying
from elab_directory import (
    FAILURES,
    AmbiguousEntryError,
    Directory,
    DirectoryUnavailableError,
    Person,
    WrongPasswordError,
)
from elab_places import Places
from elab_roles import OPERATORS
from elab_staying import Model, StayingIn
from elab_values import Values
from jupyterhub.app import JupyterHub
from ldapauthenticator import LDAPAuthenticator
from tornado.web import HTTPError, RequestHandler
from traitlets import Instance, Set, Unicode
from traitlets.config import Config

NOT_ALLOWED = (
    "Your name and password are right, but your account is in none of the groups that may use this platform. "
    "Ask the people who run it to add you."
)
UNREACHABLE = (
    "The directory that checks names and passwords can't be reached at the moment. Try again in a few minutes; "
    "people who are logged in can go on working."
)

TWICE = (
    "The directory has two entries for this name, or an unclear one, so nobody can be let in by it. "
    "Ask the people who run the directory to leave one."
)

T = TypeVar("T")


class DirectoryAuthenticator(StayingIn, LDAPAuthenticator):
    """LDAPAuthenticator with a pool of servers, time-outs, threads, groups by one search, and leavers.

    Of its parent's options those about names and cookies remain; the connection is `elab_directory`'s.
    """

    directory = Instance(Directory, help="The directory that is asked.").tag(config=True)
    operators = Set(Unicode(), help="Names that administer the hub besides the directory's groups.").tag(config=True)
    places = Instance(Places, help="Where servers of people may run, if there are several places.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 (traitlets' signature)
        super().__init__(**kwargs)
        # Threads of its own: a directory that hangs must not use up those that resolve names for the whole hub.
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="directory")
        self._seen: dict[str, tuple[float, Person | None]] = {}

    def get_handlers(self, app: JupyterHub) -> list[tuple[Any, ...]]:
        """Pages of the login, and of the places."""
        return [*super().get_handlers(app), *elab_places.handlers(self.places)]

    async def authenticate(self, handler: RequestHandler, data: dict[str, str]) -> Model | None:  # noqa: ARG002
        """The person with this name and password, None if wrong; HTTPError 403 or 503 with a sentence for the page."""
        login = data["username"]
        if not login or not data.get("password"):
            return None
        try:
            person = await self._in_thread(self.directory.log_in, login, data["password"])
        except WrongPasswordError:
            return None
        except AmbiguousEntryError as error:
            # No outage, of which an alert tells: the directory answers, and others get in.
            self.log.warning("Login of %r refused: %s", login, error)
            raise HTTPError(403, TWICE) from error
        except DirectoryUnavailableError as error:
            FAILURES.labels(during="login").inc()
            self.log.error("Nobody can log in: the directory gives no answer: %s", error)
            raise HTTPError(503, UNREACHABLE) from error
        if person is None:
            return None
        if not self._belongs(person):
            self.log.warning("Login of %r refused: in none of the allowed groups", person.name)
            raise HTTPError(403, NOT_ALLOWED)
        self._seen[login] = (time.monotonic(), person)
        return self._model(person, login)

    async def check_allowed(self, username: str, auth_model: Model | None) -> bool:  # noqa: ARG002
        """Whom `authenticate` lets through is in an allowed group."""
        return auth_model is not None

    async def ask(self, user: Any, age: float) -> Model | None:  # noqa: ANN401 (jupyterhub.user.User has no types)
        """What the directory says of somebody now."""
        login = await self._login_of(user)
        person = await self._look_up(login, user.name, age)
        if person is None or person.name != user.name or not self._belongs(person):
            return None
        return self._model(person, login)

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:  # noqa: ANN401, ARG002
        """Nobody gets a server here whose servers run elsewhere."""
        self.places.check_here({group.name for group in user.groups})

    async def _login_of(self, user: Any) -> str | None:  # noqa: ANN401
        """What somebody typed; None where nothing is remembered of it, or a new crypt key makes it unreadable."""
        state = await user.get_auth_state() or {}
        return state.get("login")

    async def _look_up(self, login: str | None, name: str, age: float) -> Person | None:
        if login is None:
            return await self._in_thread(self.directory.look_up_name, name)
        seen = self._seen.get(login)
        if seen is not None and time.monotonic() - seen[0] < age:
            return seen[1]
        person = await self._in_thread(self.directory.look_up, login)
        self._seen[login] = (time.monotonic(), person)
        return person

    async def _in_thread(self, ask: Callable[..., T], *args: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(ask, *args))

    def _belongs(self, person: Person) -> bool:
        return bool(person.groups)

    def _model(self, person: Person, login: str | None) -> Model:
        groups = self.directory.settings["groups"]
        operates = person.name in self.operators or not person.groups.isdisjoint(groups["admins"])
        return {
            "name": person.name,
            # JupyterHub's admins may open people's servers: nobody is one.
            "admin": False,
            "groups": [*([OPERATORS] if operates else []), *self.places.groups_of(person.groups)],
            "auth_state": {"login": login} if login is not None else None,
        }


def configure(c: Config, values: Values) -> None:
    """Log people in by the directory, and look everybody with a server up again every `refresh` seconds."""
    settings = values["directory"]
    assert settings is not None, "a hub without a home asks the directory"
    c.JupyterHub.authenticator_class = DirectoryAuthenticator
    directory = Directory(settings=settings, password=os.environ.get("ELAB_LDAP_BIND_PASSWORD", ""))
    c.DirectoryAuthenticator.directory = directory
    c.DirectoryAuthenticator.places = Places(values["places"])
    c.DirectoryAuthenticator.operators = {name.lower() for name in values["hub"]["admin_users"]}
    # JupyterHub warns where no rule lets anyone in; these are the rule.
    c.DirectoryAuthenticator.allowed_groups = settings["groups"]["allowed"]
    c.Authenticator.enable_auth_state = True
    elab_staying.configure(c, settings["refresh"])
