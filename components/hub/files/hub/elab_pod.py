"""A server's pod on a cluster that gives no answer for a while: none is taken for gone, or left behind, by mistake."""

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from kubernetes_asyncio.client import V1DeleteOptions
from kubespawner import KubeSpawner
from kubespawner.reflector import ResourceReflector

AGAIN = 2.0
"""Seconds until a cluster that gave no answer is asked again."""
LONGEST = 30.0
"""Seconds to which that grows while a pod is to be deleted."""
PATIENCE = 60.0
"""Seconds for which a pod may outlast its grace period before it is taken for lost with its node."""
PACE = 0.2
"""Seconds between two looks at whether a pod is gone; no request is made for it."""

Key = tuple[str, str, str | None]
"""KubeSpawner's, of a reflector."""


class ServerPod(KubeSpawner):
    """KubeSpawner whose view of the cluster heals itself, and whose pods end for certain."""

    may_have_pod = True
    """Whether a server that JupyterHub began to start may have a pod: a start knows of none before it asks for one."""

    attempts: ClassVar[dict[Key, "asyncio.Task[ResourceReflector]"]] = {}
    """What loads a reflector just now, or failed to a moment ago, by the reflector's key."""

    async def _start_reflector(
        self,
        kind: str,
        reflector_class: type[ResourceReflector],
        replace: bool = False,
        **kwargs: Any,  # noqa: ANN401 (KubeSpawner's)
    ) -> ResourceReflector:
        """A reflector that lives and has loaded; raises what kept a new one from it, and leaves the old in its place.

        KubeSpawner puts a new one in place first: until it has loaded, or for good where it can't, nobody would have a
        pod. And it asks nothing of one that gave up, which shows the past for ever.
        """
        key = self._get_reflector_key(kind)
        found = self.reflectors.get(key)
        if found and not replace and found.watch_task and not found.watch_task.done():
            return found
        attempt = self.attempts.get(key)
        if attempt is None:
            reflector = reflector_class(parent=self, namespace=self.namespace, **kwargs)
            attempt = self.attempts[key] = asyncio.ensure_future(self._load(key, reflector))
            attempt.add_done_callback(partial(self._loaded, key))
        return await asyncio.shield(attempt)

    async def _load(self, key: Key, reflector: ResourceReflector) -> ResourceReflector:
        await reflector.start()
        before, self.reflectors[key] = self.reflectors.get(key), reflector
        if before:
            await before.stop()
        return reflector

    def _loaded(self, key: Key, attempt: "asyncio.Task[ResourceReflector]") -> None:
        failed = attempt.cancelled() or attempt.exception()
        # All servers ask; what one was told is the answer for all for a while.
        asyncio.get_running_loop().call_later(AGAIN if failed else 0, self.attempts.pop, key, None)

    async def look_on(self) -> None:
        """See pods and events; raises what keeps the hub from it."""
        await asyncio.gather(self._start_watching_pods(), self._start_watching_events())

    async def poll(self) -> int | None:
        """None while the server runs or nothing can be said of it, else how it ended.

        JupyterHub takes a server for gone if asking fails when the hub starts. Its pod would run on, unknown to the hub
        and never culled, until its person starts another, which ends this one and the work in it. So a hub that starts
        waits until the cluster has told it of pods and events.
        """
        if self._stop_pending:
            # JupyterHub asks for no end of what is gone, and a watch may not show yet what runs, or no more.
            return None if self.may_have_pod and self.orm_spawner.started else 1
        while True:
            try:
                if self._check_pending:
                    await self.look_on()
                return await super().poll()
            except Exception as error:
                self.log.error("Whether %s runs is not known, and asked again: %s", self._log_name, error)
                if not self._check_pending:
                    return None
            await asyncio.sleep(AGAIN)

    async def stop(self, now: bool = False) -> None:
        """End the pod, at once or with time to save; returns when it is gone.

        JupyterHub forgets the server however this ends. So it does not end before the cluster has taken the deletion,
        for as long as it takes: the person reads that the server stops. TimeoutError: it has, and the pod is there yet.
        """
        grace = 0 if now else self.delete_grace_period
        await self._delete(grace)
        if await self._gone(grace + PATIENCE):
            return
        # Its node is lost: nobody there says that the pod has ended, and until somebody does its person can't start.
        # This deletes the record alone; the container may run on. What guards its disk is not this record: the cluster
        # attaches a ReadWriteOnce volume elsewhere when the node has let go of it, or six minutes later if the node is
        # not ready, and then the storage has to bar it, as clouds' disks and RBD do.
        self.log.warning("The pod %s outlasts its end; its record is deleted", self.pod_name)
        await self._delete(0)
        with suppress(Exception):
            # Or the watch has lost touch, and would show the pod for ever.
            await self._start_watching_pods(replace=True)
        if not await self._gone(PATIENCE):
            raise TimeoutError(f"the pod {self.pod_name} was deleted and is there yet")

    async def _delete(self, grace: int) -> None:
        """Ask for the pod's end until the cluster has taken it, or has no such pod."""
        pause = AGAIN
        cancelled: asyncio.CancelledError | None = None
        while True:
            try:
                if await self._asked(grace):
                    break
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST)
            except asyncio.CancelledError as error:
                # A hub that is told to end cancels all there is, and would forget the server. Killed a little later it
                # does not, and the next one finds the server and its pod.
                if not self._stop_pending:
                    raise
                cancelled = error
        if cancelled:
            raise cancelled

    async def _asked(self, grace: int) -> bool:
        """Whether the cluster took it; KubeSpawner raises where it did not, but for a time-out."""
        options = V1DeleteOptions(grace_period_seconds=grace)
        try:
            return await self._make_delete_pod_request(self.pod_name, options, grace, self.k8s_api_request_timeout)
        except Exception as error:
            self.log.error("The pod %s could not be deleted; asking again: %s", self.pod_name, error)
            return False

    async def _gone(self, patience: float) -> bool:
        """Wait until the pod is gone, and say whether it is, after so many seconds at most."""
        until = time.monotonic() + patience
        while True:
            with suppress(Exception):
                await self._start_watching_pods()
                if f"{self.namespace}/{self.pod_name}" not in self.pod_reflector.pods:
                    return True
            if time.monotonic() > until:
                return False
            await asyncio.sleep(PACE)
