"""Leavers: whoever the directory no longer knows, or no allowed group holds, loses server, tokens and sessions."""

import asyncio
from typing import Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from prometheus_client import Counter

LEFT = Counter("elab_leavers", "People put out because they left the directory or its groups")

_stopping: set[asyncio.Future[None]] = set()


def put_out(hub: JupyterHub, user: Any) -> None:  # noqa: ANN401 (jupyterhub.user.User has no types)
    """End a person's sessions and tokens at once, and their servers soon; their disk stays."""
    LEFT.inc()
    hub.log.warning("%s is a leaver: ending sessions, tokens and servers; the disk stays", user.name)
    # Every cookie holds this id.
    user.orm_user.cookie_id = orm.new_token()
    for token in list(user.api_tokens):
        hub.db.delete(token)
    hub.db.commit()
    # No request waits for pods to go; the set keeps the task from being collected.
    task = asyncio.ensure_future(_stop_servers(hub, user))
    _stopping.add(task)
    task.add_done_callback(_stopping.discard)


async def _stop_servers(hub: JupyterHub, user: Any) -> None:  # noqa: ANN401
    for name, spawner in list(user.spawners.items()):
        if spawner.active and not spawner.pending:
            try:
                await hub.proxy.delete_user(user, name)
                await user.stop(name)
            except Exception:
                hub.log.exception("The server of the leaver %s did not stop; the next sweep tries again", user.name)


async def sweep(hub: JupyterHub) -> None:
    """Look everybody with a running server up again; people without one are looked up when they ask for something."""
    for user in [user for user in hub.users.values() if user.active]:
        try:
            await hub.authenticator.refresh_user(user)
        except Exception:
            hub.log.exception("Could not look %s up again", user.name)


async def watch(hub: JupyterHub, seconds: float) -> None:
    """Sweep for as long as the hub runs."""
    while True:
        await asyncio.sleep(seconds)
        await sweep(hub)
