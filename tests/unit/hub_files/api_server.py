"""What KubeSpawner asks of the Kubernetes API, answered by the test: pods and events, lists and watches, deletions."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from elab_spawner import Server
from kubernetes_asyncio.client.rest import ApiException

Watches = list[asyncio.Queue[bytes]]


def pod(name: str, **status: Any) -> dict[str, Any]:  # noqa: ANN401
    """A pod that runs."""
    metadata = {"name": name, "namespace": "elab-users", "uid": name, "resourceVersion": "1"}
    running = {"name": "notebook", "state": {"running": {}}, "ready": True}
    return {
        "metadata": metadata,
        "status": {"phase": "Running", "podIP": "127.0.0.1", "containerStatuses": [running], **status},
    }


class ApiServer:
    """An API server with these pods, which can be down, slow, refuse deletions, or have lost a node."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods = {each["metadata"]["name"]: each for each in pods}
        self.error: Exception | None = None
        """What everything that is asked meets: a cluster that gives no answer."""
        self.refusals: list[Exception] = []
        """What the next deletions meet."""
        self.slow = 0.0
        """Seconds that a list takes."""
        self.lost = False
        """Whether a pod ends only at once, since nobody on its node says that it has ended."""
        self.deletions: list[int] = []
        """Grace periods of deletions that were asked for."""
        self.lists = 0
        """How often all pods were asked for."""
        self._watches: Watches = []

    async def list_namespaced_pod(self, watch: bool = False, **_: Any) -> Any:  # noqa: ANN401
        self.lists += not watch
        return await self._answer(lambda: list(self.pods.values()), self._watches if watch else None)

    async def list_namespaced_event(self, watch: bool = False, **_: Any) -> Any:  # noqa: ANN401
        return await self._answer(list, [] if watch else None)

    async def create_namespaced_persistent_volume_claim(self, **_: Any) -> None:  # noqa: ANN401
        self._meet()

    async def delete_namespaced_pod(self, name: str, grace_period_seconds: int, **_: Any) -> None:  # noqa: ANN401
        self.deletions.append(grace_period_seconds)
        self._meet()
        if self.refusals:
            raise self.refusals.pop(0)
        if name not in self.pods:
            raise ApiException(status=404, reason="Not Found")
        if not self.lost or not grace_period_seconds:
            self._tell("DELETED", self.pods.pop(name))

    def _meet(self) -> None:
        if self.error:
            raise self.error

    def _tell(self, what: str, about: dict[str, Any]) -> None:
        for each in self._watches:
            each.put_nowait(json.dumps({"type": what, "object": about}).encode())

    async def _answer(self, found: Callable[[], list[dict[str, Any]]], watches: Watches | None) -> Any:  # noqa: ANN401
        self._meet()
        if watches is None:
            await asyncio.sleep(self.slow)
        return _Response(found(), watches)


class _Response:
    """What aiohttp gives: a list, or lines for as long as something is told."""

    ok = True

    def __init__(self, items: list[dict[str, Any]], watches: Watches | None) -> None:
        self._items, self._lines = items, asyncio.Queue()
        self.content = self
        if watches is not None:
            watches.append(self._lines)

    async def read(self) -> str:
        return json.dumps({"items": self._items, "metadata": {"resourceVersion": "1"}})

    async def readline(self) -> bytes:
        return await self._lines.get()

    def close(self) -> None:
        """Nothing is held."""

    release = close


def serving(monkeypatch: pytest.MonkeyPatch, api: ApiServer) -> None:
    """Have this API server answer whatever spawners and reflectors ask from now on."""
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda *_: api)
    monkeypatch.setattr("kubespawner.reflector.shared_client", lambda *_: api)
    monkeypatch.setattr(Server, "reflectors", {})


def gave_up(spawner: Any) -> None:  # noqa: ANN401
    """Have the watch of pods end, as it does in an outage of 51 seconds."""
    spawner.pod_reflector.watch_task.cancel()
