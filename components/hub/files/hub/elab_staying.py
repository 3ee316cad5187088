"""Staying in for as long as one belongs: what logging in by the directory and by another hub have in common."""

import asyncio
import time
from abc import abstractmethod
from typing import Any

import elab_known_servers
from elab_directory import FAILURES, AmbiguousEntryError, DirectoryUnavailableError
from elab_leavers import Leavers
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from tornado.web import RequestHandler
from traitlets.config import Config

PAUSE = 30.0
"""Seconds after an outage in which people who are in are not looked up again."""
FRESH = 10.0
"""Seconds for which an answer serves again: a login is followed at once by a start."""

Model = dict[str, Any]
"""What JupyterHub keeps of a person: name, groups, state."""


class StayingIn(Authenticator):
    """Looks up who asks for something, and puts out who left; an outage changes nothing."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 (traitlets' signature)
        super().__init__(**kwargs)
        self._outage = -PAUSE
        if isinstance(self.parent, JupyterHub):
            self.leavers = Leavers(self.parent, self.auth_refresh_age, self.look_again)
            self._watch = asyncio.ensure_future(self.leavers.watch())
            elab_known_servers.tell_of(self.parent)

    @abstractmethod
    async def ask(self, user: Any, age: float) -> Model | None:  # noqa: ANN401 (jupyterhub.user.User has no types)
        """Who somebody is now, None for a leaver; an answer up to `age` seconds old will do.

        Raises DirectoryUnavailableError.
        """

    async def refresh_user(
        self,
        user: Any,  # noqa: ANN401
        handler: RequestHandler | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> bool | Model:
        """Look up who asks for something: False for a leaver, whom a sweep puts out; an outage changes nothing."""
        try:
            model = await self.look_again(user, age=FRESH)
        except DirectoryUnavailableError:
            return True
        if model is None:
            return self.leavers.suspect(user)
        return True if {group.name for group in user.groups} == set(model["groups"]) else model

    async def look_again(self, user: Any, *, age: float = 0.0) -> Model | None:  # noqa: ANN401
        """The person whom the hub knows, None for a leaver; an answer up to `age` seconds old will do.

        Raises DirectoryUnavailableError, and for a while after an outage without asking.
        """
        if time.monotonic() - self._outage < PAUSE:
            raise DirectoryUnavailableError("it gave no answer a moment ago")
        try:
            return await self.ask(user, age)
        except DirectoryUnavailableError as error:
            # What is said of one person alone says nothing of the answers about others.
            if not isinstance(error, AmbiguousEntryError):
                self._outage = time.monotonic()
            FAILURES.labels(during="refresh").inc()
            self.log.error("No answer about %s that counts; whoever is in stays in: %s", user.name, error)
            raise


def configure(c: Config, refresh: int) -> None:
    """Groups follow every login, and everybody with a server is looked up again every `refresh` seconds."""
    c.Authenticator.manage_groups = True
    c.Authenticator.auth_refresh_age = refresh
    c.Authenticator.refresh_pre_spawn = True
