"""KubeSpawner that sees at once when a server is ready, and says why one is not."""

import asyncio
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ServerDisconnectedError
from elab_failures import (
    CHOICE,
    CLUSTER,
    FAILURES,
    IMAGE,
    NODE,
    SLOW,
    SpawnError,
    explain_pod,
    explain_refusal,
    hopeless,
    refusal_message,
)
from elab_pod import ServerPod
from jupyterhub.utils import maybe_future, url_path_join
from kubernetes_asyncio.client.rest import ApiException
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from traitlets import Dict, Float, Integer

LOOK = 0.05
"""Seconds between two looks at what the reflector last saw of a pod; no request is made for it."""
PROBE = 0.03
"""Seconds between two connections to a server that is starting; one that is refused costs the hub a third of a ms."""
CONNECT = 0.25
"""Seconds for one connection: what a network drops, not refuses, would be tried again by the kernel after one."""
ATTEMPTS = 4
"""Requests to make one thing, each with KubeSpawner's time-out of three seconds."""
UNSEEN = 15.0
"""Seconds after which a pod that was made and is not seen shows that the reflector has lost touch."""
HUB_FAULTS = 5
"""Starts in a row that failed by the hub's own fault, after which it ends, so that Kubernetes starts it afresh."""
GRACE = 2.0
"""Seconds in which the hub answers its last requests before it ends."""
IMAGE_PATIENCE = 90.0
"""Seconds for which an image that can't be pulled is tried again: registries have moments of weakness."""

_hub_faults = 0


class Choice(Dict):
    """What a person asked for; where that is no mapping, an option that nothing offers.

    JupyterHub keeps whatever the API is given before it looks at it. A list would be refused whenever this person's
    spawner is made, which happens when the hub starts too: it would not start any more.
    """

    def validate(self, obj: Any, value: Any) -> Any:  # noqa: ANN401 (traitlets' signature)
        """The mapping, or one that is refused as a choice."""
        return super().validate(obj, value if isinstance(value, dict) else {"": value})


class Server(ServerPod):
    """One person's server: a pod of the users' namespace and a claim that outlives it."""

    user_options = Choice(help="What the person chose, or the API was given for them.")
    pod_timeout = Integer(600, help="Seconds until the pod has to run.").tag(config=True)
    answer_timeout = Float(120, help="Seconds until a running pod's server has to answer.").tag(config=True)

    async def load_user_options(self) -> None:
        """Take the person's choice; only what the settings offer can be chosen, by the API too."""
        # An extra configuration file may have put a function here, or profiles without slugs.
        listed = self.profile_list(self) if callable(self.profile_list) else self.profile_list
        profiles = self._get_initialized_profile_list(await maybe_future(listed))
        options = {key: value for key, value in (self.user_options or {}).items() if value}
        slug = options.pop("profile", None)
        profile = next((each for each in profiles if each["slug"] == slug or (not slug and each.get("default"))), None)
        offered = profile.get("profile_options", {}) if profile else {}
        chosen = all(key in offered and value in list(offered[key]["choices"]) for key, value in options.items())
        if profile is None or not chosen:
            if self.options_form:
                raise SpawnError(CHOICE, f"asked for {self.user_options!r}")
            # Where no list is shown, JupyterHub asks for what was chosen last time, which may be offered no more.
            self.log.warning("%s asked for %r, and gets all there is", self._log_name, self.user_options)
            self.user_options = {}
        await super().load_user_options()

    async def get_url(self) -> str:
        """Where the server is; a hub that starts again asks, and waits on for a pod that was starting when it ended."""
        await self.look_on()
        pod = self.pod_reflector.pods.get(f"{self.namespace}/{self.pod_name}")
        if pod is None or self.is_pod_running(pod):
            # poll(), which comes first, has written a running pod's address down.
            return await super().get_url()
        self.log.info("%s was starting when the hub ended; waiting on", self._log_name)
        try:
            return await self._ready()
        except SpawnError as error:
            self._note(error)
            with suppress(TimeoutError):
                await self.stop(now=True)
            # An error would leave the server in doubt for good. JupyterHub is to see soon that nobody answers; then it
            # drops this object.
            self.http_timeout = 1
            return await super().get_url()

    def _note(self, error: SpawnError) -> None:
        FAILURES.labels(reason=error.explanation.reason).inc()
        self.log.error("%s has no server: %s", self._log_name, error.operator)

    async def _start(self) -> str:
        """Start the server and return its address; SpawnError says why not."""
        global _hub_faults
        self.may_have_pod = False
        try:
            url = await self._bring_up()
        except SpawnError as error:
            self._note(error)
            _hub_faults = _hub_faults + 1 if error.explanation is CLUSTER else 0
            if _hub_faults >= HUB_FAULTS:
                self.log.critical(
                    "%s starts in a row failed by the hub's fault; ending, to be started afresh", _hub_faults
                )
                asyncio.get_running_loop().call_later(GRACE, _end)
            raise
        _hub_faults = 0
        return url

    async def _bring_up(self) -> str:
        await self.load_user_options()
        try:
            await self.look_on()
            events = self.events
            if events:
                self._last_event = events[-1]["metadata"]["uid"]
            await self._make_claim()
            pod = await self.get_pod_manifest()
            if self.modify_pod_hook:
                pod = await maybe_future(self.modify_pod_hook(self, pod))
            await self._make_pod(pod)
            if self.after_pod_created_hook:
                await maybe_future(self.after_pod_created_hook(self, pod))
        except ApiException as error:
            raise SpawnError(explain_refusal(error), refusal_message(error)) from error
        except (OSError, ClientError) as error:
            raise SpawnError(CLUSTER, f"{type(error).__name__}: {error}") from error
        return await self._ready()

    async def _make_claim(self) -> None:
        """See to the claim: before the pod when it is new, else beside it, since the scheduler need not wait."""
        request = self._request_claim()
        if self._pvc_exists:
            self._claim_check = asyncio.ensure_future(request)
            self._claim_check.add_done_callback(self._claim_checked)
        else:
            await request
            self._pvc_exists = True

    async def _request_claim(self) -> None:
        claim = self.get_pvc_manifest()
        for _ in range(ATTEMPTS):
            with suppress(ServerDisconnectedError):
                if await self._make_create_pvc_request(claim, self.k8s_api_request_timeout):
                    return
        raise TimeoutError("the claim could not be made")

    def _claim_checked(self, check: "asyncio.Future[None]") -> None:
        if not check.cancelled() and check.exception():
            self.log.warning("Could not check that the claim %s is there: %s", self.pvc_name, check.exception())

    async def _make_pod(self, pod: Any) -> None:  # noqa: ANN401 (kubernetes_asyncio has no types)
        """Create the pod; one of this name that is left from before goes first."""
        for attempt in range(ATTEMPTS):
            self.may_have_pod = True
            try:
                create = self.api.create_namespaced_pod(self.namespace, pod)
                await asyncio.wait_for(create, self.k8s_api_request_timeout)
                return
            except (TimeoutError, ServerDisconnectedError):
                # The latter is no OSError: an API server that ends closed the connection, and aiohttp repeats no POST.
                continue
            except ApiException as error:
                if error.status != 409:
                    # A request before this one may have made it and filled the quota that refuses this one.
                    self.may_have_pod = attempt > 0 or error.status >= 500
                    raise
                await self.stop(now=True)
        raise TimeoutError("the pod could not be made")

    async def _ready(self) -> str:
        """Wait until the server answers, asking it as soon as its pod has an address."""
        key = f"{self.namespace}/{self.pod_name}"
        begun = time.monotonic()
        seen = False
        running: float | None = None
        trouble: float | None = None
        while True:
            now = time.monotonic()
            with suppress(Exception):
                # Until a watch that gave up is replaced it shows the past.
                await self._start_watching_pods()
            pod = self.pod_reflector.pods.get(key)
            if pod is None:
                if seen:
                    raise SpawnError(NODE, f"the pod {key} was deleted while it started")
                if now - begun > UNSEEN:
                    with suppress(Exception):
                        await self._start_watching_pods(replace=True)
                    raise SpawnError(CLUSTER, f"the pod {key} was made and never seen")
            else:
                seen = True
                lost = hopeless(pod)
                if lost:
                    raise SpawnError(lost, explain_pod(pod, self.events)[1])
                if pod["status"].get("podIP"):
                    url = self._get_pod_url(pod)
                    if await self._answers(url):
                        self.pod_id = pod["metadata"]["uid"]
                        return url
                    running = running or (now if self.is_pod_running(pod) else None)
                if running and now - running > self.answer_timeout:
                    raise SpawnError(SLOW, f"no answer within {self.answer_timeout:.0f} s of running")
                # The pod's own state alone: sorting all the events there are is no work for every look.
                why, words = explain_pod(pod, [])
                trouble = (trouble or now) if why is IMAGE else None
                if trouble and now - trouble > IMAGE_PATIENCE:
                    raise SpawnError(why, words)
            if running is None and now - begun > self.pod_timeout:
                raise SpawnError(*explain_pod(pod, self.events))
            await asyncio.sleep(PROBE if running else LOOK)

    async def _answers(self, url: str) -> bool:
        """Whether the server answers, whatever it says."""
        if not await listens(url):
            return False
        try:
            # A redirection is an answer. What runs there is the person's: it may not lead the hub elsewhere.
            await AsyncHTTPClient().fetch(
                url_path_join(url, self.server.base_url, "api"),
                request_timeout=2,
                connect_timeout=1,
                follow_redirects=False,
            )
        except HTTPClientError as error:
            return error.code < 500
        except OSError:
            return False
        return True


async def listens(url: str) -> bool:
    """Whether something accepts connections there."""
    address = urlsplit(url)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address.hostname, address.port), CONNECT)
    except OSError:
        return False
    writer.close()
    return True


def _end() -> None:
    raise SystemExit(1)
