"""Whatever the Kubernetes API does meanwhile, no running server is forgotten, and none that was stopped runs on."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import elab_pod
import elab_spawner
import pytest
from elab_failures import CLUSTER, NODE, SpawnError
from jupyterhub.app import JupyterHub
from kubernetes_asyncio.client.rest import ApiException

from .api_server import ApiServer, gave_up, pod, serving
from .running import hub, person

OUTAGE = ConnectionRefusedError("nobody listens")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times that a test can wait for."""
    for name, seconds in {"AGAIN": 0.05, "LONGEST": 0.05, "PATIENCE": 0.2, "PACE": 0.01}.items():
        monkeypatch.setattr(elab_pod, name, seconds)
    monkeypatch.setattr(elab_spawner, "UNSEEN", 0.1)


@pytest.fixture
def with_api(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[ApiServer, Callable[[JupyterHub], Awaitable[None]]], None]:
    """Runs a check in a hub that asks this API server."""

    def run(api: ApiServer, check: Callable[[JupyterHub], Awaitable[None]]) -> None:
        async def within() -> None:
            async with hub(values, tmp_path) as app:
                await check(app)

        serving(monkeypatch, api)
        asyncio.run(within())

    return run


def test_a_hub_that_starts_before_its_cluster_answers_forgets_no_server(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values["hub"]["db_url"] = f"sqlite:///{tmp_path}/hub.sqlite"
    api = ApiServer(pod("jupyter-alice", phase="Pending"))
    serving(monkeypatch, api)

    async def check() -> None:
        async with hub(values, tmp_path) as app:
            user = person(app, "alice")
            user.spawner.orm_spawner.state = {"pod_name": user.spawner.pod_name}
            app.db.commit()
        api.error = OUTAGE
        async with hub(values, tmp_path) as app:
            spawner = app.users["alice"].spawner
            assert spawner.pending == "check"
            assert spawner.server is not None
            assert spawner.pod_reflector is None
            api.error = None
            assert await asyncio.wait_for(spawner.poll(), 5) is None

    asyncio.run(check())


def test_a_start_during_an_outage_has_the_hub_forget_nobody(with_api: Callable[..., None]) -> None:
    api = ApiServer(pod("jupyter-alice"), pod("jupyter-bob"))

    async def check(app: JupyterHub) -> None:
        alice, bob, carol = (person(app, name).spawner for name in ("alice", "bob", "carol"))
        assert [await alice.poll(), await bob.poll(), await carol.poll()] == [None, None, 1]
        api.error = OUTAGE
        gave_up(alice)
        await asyncio.sleep(0)
        with pytest.raises(SpawnError) as error:
            await carol._start()
        assert error.value.explanation is CLUSTER
        assert [await alice.poll(), await bob.poll()] == [None, None]
        assert alice.server is not None
        # It is over, and bob's node was replaced meanwhile; nobody has started anything since.
        del api.pods["jupyter-bob"]
        api.error = None
        await asyncio.sleep(2 * elab_pod.AGAIN)
        assert [await alice.poll(), await bob.poll()] == [None, 1]

    with_api(api, check)


def test_in_an_outage_one_asks_for_all(with_api: Callable[..., None]) -> None:
    api = ApiServer()
    api.error = OUTAGE

    async def check(app: JupyterHub) -> None:
        spawners = [person(app, f"person{number}").spawner for number in range(20)]
        assert await asyncio.gather(*(each.poll() for each in spawners)) == [None] * 20
        assert [await each.poll() for each in spawners] == [None] * 20
        assert api.lists == 1

    with_api(api, check)


def test_a_start_goes_on_while_the_pods_are_listed_anew(with_api: Callable[..., None]) -> None:
    api = ApiServer(pod("jupyter-alice", phase="Pending", podIP=None))

    async def check(app: JupyterHub) -> None:
        alice, bob = (person(app, name).spawner for name in ("alice", "bob"))
        await alice.look_on()
        starting = asyncio.ensure_future(alice._ready())
        await asyncio.sleep(0.1)
        api.slow = 0.3
        before = alice.pod_reflector
        await bob._start_watching_pods(replace=True)
        assert alice.pod_reflector is not before
        assert not starting.done()
        starting.cancel()

    with_api(api, check)


def test_a_start_sees_what_becomes_of_its_pod_after_an_outage(with_api: Callable[..., None]) -> None:
    api = ApiServer(pod("jupyter-alice", phase="Pending", podIP=None))

    async def check(app: JupyterHub) -> None:
        alice = person(app, "alice").spawner
        await alice.look_on()
        starting = asyncio.ensure_future(alice._ready())
        await asyncio.sleep(0.1)
        api.error = OUTAGE
        gave_up(alice)
        api.pods.clear()
        await asyncio.sleep(0.1)
        assert not starting.done()
        api.error = None
        with pytest.raises(SpawnError) as error:
            await asyncio.wait_for(starting, 2)
        assert error.value.explanation is NODE

    with_api(api, check)


@pytest.mark.parametrize(
    "refusal", [ApiException(status=500), ApiException(status=429), OUTAGE], ids=["fails", "is busy", "is away"]
)
def test_a_stop_asks_until_the_cluster_has_taken_it(with_api: Callable[..., None], refusal: Exception) -> None:
    api = ApiServer(pod("jupyter-alice"))
    api.refusals = [refusal]

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        await user.stop("")
        assert api.deletions == [10, 10]
        assert api.pods == {}
        assert not user.active

    with_api(api, check)


def test_what_a_watch_does_not_show_is_stopped_all_the_same(with_api: Callable[..., None]) -> None:
    api = ApiServer()

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        assert await user.spawner.poll() == 1
        api.pods["jupyter-alice"] = pod("jupyter-alice")
        await user.stop("")
        assert api.pods == {}

    with_api(api, check)


def test_a_hub_that_ends_while_a_deletion_is_refused_remembers_the_server(with_api: Callable[..., None]) -> None:
    api = ApiServer(pod("jupyter-alice"))

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        assert await user.spawner.poll() is None
        api.error = OUTAGE
        stopping = asyncio.ensure_future(user.stop(""))
        for _ in range(2):
            await asyncio.sleep(0.1)
            # As JupyterHub does to all tasks when it is told to end.
            stopping.cancel()
        await asyncio.sleep(0.1)
        assert not stopping.done()
        assert user.spawner.orm_spawner.server is not None
        api.error = None
        with pytest.raises(asyncio.CancelledError):
            await stopping
        assert api.pods == {}

    with_api(api, check)


def test_a_pod_whose_node_is_lost_locks_nobody_out_for_long(with_api: Callable[..., None]) -> None:
    api = ApiServer(pod("jupyter-alice"))
    api.lost = True

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        user.spawner.delete_grace_period = 1
        await asyncio.wait_for(user.stop(""), 5)
        assert api.deletions == [1, 0]
        assert api.pods == {}

    with_api(api, check)


def test_a_pod_that_is_gone_and_still_shown_ends_a_stop(with_api: Callable[..., None]) -> None:
    api = ApiServer(pod("jupyter-alice"))

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        await user.spawner.look_on()
        api.pods.clear()
        await user.spawner.stop(now=True)
        assert api.deletions == [0, 0]
        assert user.spawner.pod_reflector.pods == {}

    with_api(api, check)


class Creating(ApiServer):
    """An API server that gives these answers where a pod is to be made, and none to anything from then on."""

    def __init__(self, answers: list[Exception | None], made: bool) -> None:
        super().__init__()
        self.answers, self.made = answers, made

    async def create_namespaced_pod(self, _namespace: str, _manifest: Any) -> None:  # noqa: ANN401
        if self.made:
            self.pods["jupyter-alice"] = pod("jupyter-alice", phase="Pending")
        self.error = OUTAGE
        answer = self.answers.pop(0)
        if answer:
            raise answer


def quota() -> ApiException:
    error = ApiException(status=403)
    error.body = b'{"message": "exceeded quota: users"}'
    return error


@pytest.mark.parametrize(
    ("answers", "reason"),
    [([None], "cluster"), ([TimeoutError()] * elab_spawner.ATTEMPTS, "cluster"), ([TimeoutError(), quota()], "full")],
    ids=["made and not seen", "no answer", "no answer, and what was made fills the quota"],
)
def test_a_start_that_fails_leaves_no_pod_that_it_may_have_made(
    with_api: Callable[..., None], answers: list[Exception | None], reason: str
) -> None:
    api = Creating(answers, made=True)

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        with pytest.raises(SpawnError) as error:
            await user.spawner._start()
        assert error.value.explanation.reason == reason
        stopping = asyncio.ensure_future(user.stop(""))
        await asyncio.sleep(0.1)
        assert not stopping.done()
        api.error = None
        await stopping
        assert api.pods == {}

    with_api(api, check)


@pytest.mark.parametrize("refuses", [True, False], ids=["the pod was refused", "nobody answered"])
def test_a_start_that_made_nothing_has_nothing_to_end_and_nobody_waits(
    with_api: Callable[..., None], refuses: bool
) -> None:
    api = Creating([quota()], made=False)
    api.error = None if refuses else OUTAGE

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        with pytest.raises(SpawnError):
            await user.spawner._start()
        await ends_at_once(user, api)

    with_api(api, check)


def test_a_start_that_was_not_allowed_has_nothing_to_end_and_nobody_waits(with_api: Callable[..., None]) -> None:
    api = ApiServer()
    api.error = OUTAGE

    async def check(app: JupyterHub) -> None:
        user = person(app, "alice")
        user.spawner.orm_spawner.started = None
        await ends_at_once(user, api)

    with_api(api, check)


async def ends_at_once(user: Any, api: ApiServer) -> None:  # noqa: ANN401
    """A stop in an outage that has nothing to wait for."""
    done, _ = await asyncio.wait({asyncio.ensure_future(user.stop(""))}, timeout=0.5)
    # What goes on is not to keep the hub of the test.
    api.error = None
    assert done
    assert api.deletions == []
