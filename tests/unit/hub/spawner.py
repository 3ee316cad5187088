"""The real JupyterHub configuration and the real KubeSpawner, for a stack's values."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.objects import Hub, Server
from kubernetes_asyncio.client import ApiClient
from traitlets.config.loader import Config, PyFileConfigLoader

from components.hub.places import others, secret_variable
from components.hub.values import ValuesArgs, hub_values

CONFIGURATION = Path(__file__).parents[3] / "components/hub/files/hub/jupyterhub_config.py"
IMAGE = "registry.example.org/notebook:1"
SECRETS = {
    "CONFIGPROXY_AUTH_TOKEN": "a" * 32,
    "JPY_COOKIE_SECRET": "00" * 32,
    "JUPYTERHUB_CRYPT_KEY": "00" * 32,
    "ELAB_TOKEN_CULLER": "b" * 32,
    "ELAB_TOKEN_METRICS": "c" * 32,
    "ELAB_LDAP_BIND_PASSWORD": "d" * 32,
    "ELAB_DATABASE_URL": "sqlite://",
    "ELAB_HOME_URL": "https://home.example.org",
    "ELAB_HOME_SECRET": "e" * 32,
}


def configuration(args: ValuesArgs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """What JupyterHub reads of the configuration file, with these values."""
    values = folder / "values.json"
    values.write_text(json.dumps(hub_values(args)))
    places = {secret_variable(place): "f" * 32 for place in others(args.places)}
    for name, value in {**SECRETS, **places, "ELAB_VALUES": str(values), "ELAB_NOTEBOOK_IMAGE": IMAGE}.items():
        monkeypatch.setenv(name, value)
    return PyFileConfigLoader(str(CONFIGURATION)).load_config()


def objects(config: Config, person: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The pod and the claim that KubeSpawner makes for a person, as they are sent to Kubernetes."""
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda *_args, **_kwargs: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda *_args, **_kwargs: None)

    async def made() -> tuple[Any, Any]:
        user = SimpleNamespace(
            name=person, escaped_name=person, id=1, url=f"/user/{person}/", admin=False, groups=[], server=Server()
        )
        spawner = config.JupyterHub.spawner_class(
            config=config, hub=Hub(ip="0.0.0.0"), user=user, _mock=True, api_token="token", oauth_client_id="client"
        )
        spawner.user_options = options
        await spawner.load_user_options()
        async with ApiClient() as client:
            pod, claim = await spawner.get_pod_manifest(), spawner.get_pvc_manifest()
            return client.sanitize_for_serialization(pod), client.sanitize_for_serialization(claim)

    return asyncio.run(made())
