"""Leavers: whoever the directory no longer knows, or no allowed group holds, loses server, tokens and sessions.

Only a sweep puts people out, since only there a few who left can be told from a directory that lost its mind.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from elab_directory import FAILURES, AmbiguousEntryError, DirectoryUnavailableError
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError

LEFT = Counter("elab_leavers", "People put out because they left the directory or its groups")
MANY = 5
"""So many leavers at once, if they are also more than half of those looked up, are believed at the second look only."""


class Leavers:
    """Looks everybody with a running server up again and again, and puts out who left."""

    def __init__(self, hub: JupyterHub, refresh: float, look_again: Callable[[Any], Awaitable[object | None]]) -> None:
        """`refresh`: seconds between two sweeps. `look_again`: who a user of the hub is, None for a leaver."""
        self.hub = hub
        self.refresh = refresh
        self._look_again = look_again
        self._suspects: dict[str, Any] = {}
        self._doubted: float | None = None
        self._wake = asyncio.Event()
        self._stopping: set[asyncio.Future[None]] = set()

    def suspect(self, user: Any) -> bool:  # noqa: ANN401 (jupyterhub.user.User has no types)
        """Whether somebody may go on who asks for something and seems to have left; a sweep decides at once.

        They may while so many seem to have left that the directory is doubted.
        """
        if self._doubted is not None:
            return True
        self._suspects[user.name] = user
        self._wake.set()
        return False

    async def watch(self) -> None:
        """Sweep for as long as the hub runs."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self.refresh)
            self._wake.clear()
            try:
                await self.sweep()
            except Exception as error:
                # Otherwise nobody would be put out until the hub is restarted.
                self._survive(error, "A sweep for leavers broke off; the next one begins in %s seconds", self.refresh)

    async def sweep(self) -> None:
        """Look up everybody with a running server, and who is suspected; put out those who left, if that is credible.

        People without a server are looked up when they ask for something.
        """
        begun = time.monotonic()
        active = {user.name: user for user in self.hub.users.values() if user.active}
        suspects, self._suspects = self._suspects, {}
        looked, gone = 0, []
        for name, user in {**suspects, **active}.items():
            try:
                person = await self._look_again(user)
            except AmbiguousEntryError:
                continue
            except DirectoryUnavailableError:
                # The others would wait for nothing; what was found before still counts, unless it was doubted.
                if self._doubted is not None:
                    return
                break
            except Exception as error:
                self._survive(error, "Could not look %s up again", name)
                continue
            looked += 1
            if person is None:
                gone.append((name, user))
        if self._credible(begun, looked, len(gone)):
            for name, user in gone:
                try:
                    self._put_out(user)
                except Exception as error:
                    self._survive(error, "Could not put %s out; the next sweep tries again", name)

    def _survive(self, error: Exception, words: str, *about: object) -> None:
        """Log what went wrong, and leave a database session that answers again when the database does.

        After a failure it refuses everything until it is rolled back; by then it has forgotten even people's names.
        """
        self.hub.log.error(words, *about, exc_info=error)
        if isinstance(error, SQLAlchemyError):
            with suppress(SQLAlchemyError):
                self.hub.db.rollback()

    def _credible(self, begun: float, looked: int, gone: int) -> bool:
        if gone < MANY or 2 * gone <= looked:
            self._doubted = None
            return True
        if self._doubted is None:
            self._doubted = begun
            FAILURES.labels(during="sweep").inc()
            self.hub.log.error(
                "%d of %d people seem to have left at once, so the directory is doubted and nobody put out. If it says "
                "so again in %d seconds, they are: unless they did leave, see to the directory, its replicas and the "
                "rights of the bind account",
                *(gone, looked, self.refresh),
            )
            return False
        if begun - self._doubted < self.refresh:
            return False
        self.hub.log.warning("The directory says it again: %d of %d people left", gone, looked)
        self._doubted = None
        return True

    def _put_out(self, user: Any) -> None:  # noqa: ANN401
        """End a person's sessions and tokens at once, and their servers soon; their disk stays."""
        LEFT.inc()
        self.hub.log.warning("%s is a leaver: ending sessions, tokens and servers; the disk stays", user.name)
        # Every cookie holds this id.
        user.orm_user.cookie_id = orm.new_token()
        for token in list(user.api_tokens):
            self.hub.db.delete(token)
        self.hub.db.commit()
        # No sweep waits for pods to go; the set keeps the task from being collected.
        task = asyncio.ensure_future(self._stop_servers(user))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop_servers(self, user: Any) -> None:  # noqa: ANN401
        for name, spawner in list(user.spawners.items()):
            if spawner.active and not spawner.pending:
                try:
                    await self.hub.proxy.delete_user(user, name)
                    await user.stop(name)
                except Exception:
                    self.hub.log.exception(
                        "The server of the leaver %s did not stop; each sweep tries again while it counts as running",
                        user.name,
                    )
