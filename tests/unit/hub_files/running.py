"""The real JupyterHub, set up by the real configuration as far as its web server: no cluster, no network."""

import asyncio
import json
import logging
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elab_pod import ServerPod
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Server
from jupyterhub.utils import utcnow

from .conftest import FILES, SECRETS

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: none
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
"""
"""KubeSpawner wants one; nothing listens there."""


@asynccontextmanager
async def hub(values: dict[str, Any], folder: Path) -> AsyncGenerator[JupyterHub]:
    """A hub with this values file."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        file = folder / "values.json"
        file.write_text(json.dumps(values))
        patch.setenv("ELAB_VALUES", str(file))
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(KUBECONFIG)
        patch.setattr("kubernetes_asyncio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
        patch.setenv("KUBECONFIG", str(kubeconfig))
        # What failed in one hub's event loop is no answer in the next one's.
        patch.setattr(ServerPod, "attempts", {})
        # No cluster answers here, and a hub that starts waits so long for what it says of each server that ran.
        app = JupyterHub(config_file=str(FILES / "hub/jupyterhub_config.py"), init_spawners_timeout=1)
        await app.initialize([])
        try:
            yield app
        finally:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            app.db.close()
            # Each hub leaves a logger, and pytest takes up all of those three times a test.
            loggers = logging.getLogger().manager.loggerDict
            for name in [each for each in loggers if each.startswith("jupyter_events.logger.")]:
                del loggers[name]


def person(app: JupyterHub, name: str, **options: str) -> Any:  # noqa: ANN401 (the hub's objects have no types)
    """Somebody with a server that is about to start; their choice is `options`."""
    found = orm.User.find(app.db, name)
    if found is None:
        found = orm.User(name=name)
        app.db.add(found)
        app.db.commit()
    user = app.users[found]
    user.spawners.clear()
    spawner = user.spawner
    address = orm.Server(base_url=f"/user/{name}/")
    app.db.add(address)
    app.db.commit()
    spawner.server = Server(orm_server=address)
    spawner.orm_spawner.started = utcnow(with_tz=False)
    spawner.api_token = "the-servers-token"
    spawner.user_options = options
    return user


@dataclass(frozen=True, kw_only=True)
class Running:
    """A hub that several tests ask, and its event loop."""

    app: JupyterHub
    loop: asyncio.AbstractEventLoop

    def manifests(self, name: str = "alice", **options: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Pod and claim of somebody who chose this."""
        return self.loop.run_until_complete(manifests(self.app, name, **options))


@contextmanager
def waiting(values: dict[str, Any], folder: Path) -> Generator[Running]:
    """A hub that waits for tests to ask it."""
    loop = asyncio.new_event_loop()
    context = hub(values, folder)
    app = loop.run_until_complete(context.__aenter__())
    yield Running(app=app, loop=loop)
    loop.run_until_complete(context.__aexit__(None, None, None))
    loop.close()


async def manifests(app: JupyterHub, name: str = "alice", **options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pod and claim that the real KubeSpawner would create, as the API server gets them."""
    spawner = person(app, name, **options).spawner
    await spawner.load_user_options()
    plain = spawner.api.api_client.sanitize_for_serialization
    return plain(await spawner.get_pod_manifest()), plain(spawner.get_pvc_manifest())
