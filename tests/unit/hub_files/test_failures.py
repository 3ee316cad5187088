"""Why a server did not start, from the words of Kubernetes as they were recorded."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import elab_spawner
import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError
from elab_failures import CLUSTER, CRASH, DISK, FULL, IMAGE, NODE, SpawnError, explain_pod, explain_refusal, hopeless
from kubernetes_asyncio.client.rest import ApiException
from prometheus_client import REGISTRY

from .running import hub, person

RECORDED = Path(__file__).parent


def refusal(status: int, message: str) -> ApiException:
    error = ApiException(status=status, reason="Forbidden")
    error.body = json.dumps({"message": message}).encode()
    return error


def pending(**status: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"metadata": {"name": "jupyter-alice", "uid": "1"}, "status": {"phase": "Pending", **status}}


@pytest.mark.parametrize(
    "case", json.loads((RECORDED / "events.json").read_text()), ids=lambda case: case["words"][:50]
)
def test_an_event_is_explained(case: dict[str, str]) -> None:
    reason, _, message = case["words"].partition(" ")
    event = {"reason": reason, "message": message}
    assert explain_pod(pending(), [event])[0].reason == case["reason"]


@pytest.mark.parametrize(
    "case", json.loads((RECORDED / "refusals.json").read_text()), ids=lambda case: case["message"][:50]
)
def test_a_refusal_is_explained(case: dict[str, Any]) -> None:
    assert explain_refusal(refusal(case["status"], case["message"])).reason == case["reason"]


def test_a_pods_present_trouble_beats_an_older_event() -> None:
    waiting = {"name": "notebook", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling"}}}
    event = {"reason": "FailedScheduling", "message": "0/1 nodes are available: 1 Insufficient cpu."}
    assert explain_pod(pending(containerStatuses=[waiting]), [event])[0] is IMAGE


def test_a_person_reads_nothing_of_clusters_and_an_operator_the_clusters_own_words() -> None:
    words = "0/3 nodes are available: 3 Insufficient memory."
    explanation, said = explain_pod(pending(), [{"reason": "FailedScheduling", "message": words}])
    error = SpawnError(explanation, said)
    assert words in error.operator
    assert words not in str(error.log_message)
    assert words not in error.jupyterhub_message
    assert not any(word in error.jupyterhub_message for word in ("node", "pod", "quota", "Kubernetes"))


def test_only_what_cannot_get_better_ends_a_start_early() -> None:
    assert hopeless(pending()) is None
    assert hopeless(pending(conditions=[{"type": "PodScheduled", "status": "False", "message": "full"}])) is None
    failed = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    assert hopeless({"metadata": {}, "status": failed}) is NODE
    assert hopeless({"metadata": {}, "status": {"phase": "Failed", "reason": "OutOfcpu"}}) is FULL
    assert hopeless({"metadata": {"deletionTimestamp": "now"}, "status": {"phase": "Running"}}) is NODE
    again = {"name": "notebook", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    assert hopeless(pending(containerStatuses=[again])) is CRASH


class Cluster:
    """An API that refuses pods, or takes them and shows what the test says of them."""

    def __init__(self, error: Exception | None = None, pod: dict[str, Any] | None = None, failures: int = 99) -> None:
        self.error, self.pod, self.failures = error, pod, failures
        self.asked: list[str] = []

    async def create_namespaced_persistent_volume_claim(self, **_: Any) -> None:  # noqa: ANN401
        self.asked.append("claim")

    async def create_namespaced_pod(self, *_: Any) -> None:  # noqa: ANN401
        self.asked.append("pod")
        if self.error and self.asked.count("pod") <= self.failures:
            raise self.error


class Reflector:
    def __init__(self, pods: dict[str, Any]) -> None:
        self.pods, self.events, self.watch_task = pods, [], None
        self.first_load_future: asyncio.Future[None] = asyncio.Future()


async def start(app: Any, cluster: Cluster, **settings: Any) -> str:  # noqa: ANN401
    """Start alice's server on a cluster of the test's making."""
    spawner = person(app, "alice").spawner

    async def watching(replace: bool = False) -> None:
        return None

    spawner._start_watching_pods = spawner._start_watching_events = watching
    pods = {f"{spawner.namespace}/{spawner.pod_name}": cluster.pod} if cluster.pod else {}
    for kind in ("pods", "events"):
        type(spawner).reflectors[spawner._get_reflector_key(kind)] = Reflector(pods)
    spawner.api = cluster
    spawner.set_trait("k8s_api_request_timeout", 1)
    for name, value in settings.items():
        setattr(spawner, name, value)
    return await spawner._start()


def count(reason: str) -> float:
    return REGISTRY.get_sample_value("elab_spawn_failures_total", {"reason": reason}) or 0


def test_ten_refusals_by_quota_are_told_and_counted_and_never_end_the_hub(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[None] = []
    monkeypatch.setattr(elab_spawner, "_end", lambda: ended.append(None))
    monkeypatch.setattr(elab_spawner, "GRACE", 0)

    async def check() -> None:
        async with hub(values, tmp_path) as app:
            before = count("full")
            for _ in range(10):
                with pytest.raises(SpawnError) as error:
                    await start(app, Cluster(refusal(403, "exceeded quota: users")))
                assert "full" in error.value.jupyterhub_message
            assert count("full") == before + 10
            await asyncio.sleep(0.05)
            assert ended == []

    asyncio.run(check())


def test_a_hub_that_cannot_reach_its_cluster_any_more_ends_to_be_started_afresh(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[None] = []
    monkeypatch.setattr(elab_spawner, "_end", lambda: ended.append(None))
    monkeypatch.setattr(elab_spawner, "GRACE", 0)

    async def check() -> None:
        async with hub(values, tmp_path) as app:
            for _ in range(elab_spawner.HUB_FAULTS):
                assert ended == []
                with pytest.raises(SpawnError):
                    await start(app, Cluster(refusal(401, "Unauthorized")))
            await asyncio.sleep(0.05)
            assert ended == [None]

    asyncio.run(check())


@pytest.mark.parametrize("lost", [TimeoutError(), ServerDisconnectedError()], ids=["too long", "cut off"])
def test_a_request_without_an_answer_is_made_again(values: dict[str, Any], tmp_path: Path, lost: Exception) -> None:
    async def check() -> None:
        async with hub(values, tmp_path) as app:
            cluster = Cluster(lost, pod={"metadata": {"deletionTimestamp": "now"}, "status": {}}, failures=2)
            with pytest.raises(SpawnError) as error:
                await start(app, cluster)
            assert error.value.explanation is NODE
            assert cluster.asked == ["claim", "pod", "pod", "pod"]

    asyncio.run(check())


def test_a_claim_whose_request_was_cut_off_is_asked_for_again(values: dict[str, Any], tmp_path: Path) -> None:
    class Ending(Cluster):
        async def create_namespaced_persistent_volume_claim(self, **options: Any) -> None:  # noqa: ANN401
            await super().create_namespaced_persistent_volume_claim(**options)
            if self.asked == ["claim"]:
                raise ServerDisconnectedError

    async def check() -> None:
        async with hub(values, tmp_path) as app:
            cluster = Ending(pod={"metadata": {"deletionTimestamp": "now"}, "status": {}})
            with pytest.raises(SpawnError):
                await start(app, cluster)
            assert cluster.asked == ["claim", "claim", "pod"]

    asyncio.run(check())


@pytest.mark.parametrize("lost", [ServerDisconnectedError(), ClientPayloadError()], ids=["cut off", "half an answer"])
def test_an_api_server_that_ends_connections_is_explained_as_one_that_gives_no_answer(
    values: dict[str, Any], tmp_path: Path, lost: Exception
) -> None:
    async def check() -> None:
        async with hub(values, tmp_path) as app:
            with pytest.raises(SpawnError) as error:
                await start(app, Cluster(lost))
            assert error.value.explanation is CLUSTER

    asyncio.run(check())


def test_a_pod_that_finds_no_room_is_explained_when_its_time_is_over(values: dict[str, Any], tmp_path: Path) -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}

    async def check() -> None:
        async with hub(values, tmp_path) as app:
            with pytest.raises(SpawnError) as error:
                await start(app, Cluster(pod=pending(conditions=[condition])), pod_timeout=0)
            assert error.value.explanation is FULL

    asyncio.run(check())


def test_a_new_claim_is_made_before_the_pod_and_a_known_one_beside_it(values: dict[str, Any], tmp_path: Path) -> None:
    async def check() -> None:
        async with hub(values, tmp_path) as app:
            for known, order in ((False, ["claim", "pod"]), (True, ["pod", "claim"])):
                cluster = Cluster(pod={"metadata": {"deletionTimestamp": "now"}, "status": {}})
                with pytest.raises(SpawnError):
                    await start(app, cluster, _pvc_exists=known)
                await asyncio.sleep(0)
                assert cluster.asked == order

    asyncio.run(check())


def test_no_token_of_a_server_reaches_the_log(
    values: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    async def check() -> None:
        async with hub(values, tmp_path) as app:
            with pytest.raises(SpawnError):
                await start(app, Cluster(refusal(422, "is invalid")))

    asyncio.run(check())
    said = caplog.text + "".join(capfd.readouterr())
    assert "has no server" in said
    assert "the-servers-token" not in said


def test_a_disk_that_is_held_elsewhere_is_no_reason_to_give_up_at_once() -> None:
    event = {"reason": "FailedAttachVolume", "message": "Multi-Attach error for volume"}
    assert explain_pod(pending(), [event])[0] is DISK
    assert hopeless(pending()) is None
