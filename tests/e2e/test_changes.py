"""A change of settings rolls what it concerns and nothing else; keys stay what they are."""

import pytest

from tests.e2e.cluster import exists, found, kubectl, one, until
from tests.e2e.person import Person
from tests.e2e.platform import Platform

_PARTS = ("hub", "proxy", "user-scheduler")


@pytest.fixture
def alice(platform: Platform) -> Person:
    return platform.person("alice").log_in().at_work()


def _pods(platform: Platform) -> dict[str, str]:
    """Which pod each part of the platform is."""
    return {part: platform.the_pod_of(part)["metadata"]["uid"] for part in _PARTS}


def _rolled(platform: Platform, before: dict[str, str]) -> set[str]:
    return {part for part, uid in _pods(platform).items() if uid != before[part]}


def _secrets(platform: Platform) -> dict[str, dict[str, str]]:
    return {secret["metadata"]["name"]: secret["data"] for secret in found("secrets", platform.hub)}


def test_an_announcement_rolls_the_hub_alone_and_the_keys_stay(platform: Platform, alice: Person) -> None:
    pods, secrets, server = _pods(platform), _secrets(platform), platform.uid("alice")
    steps = platform.up(hub={"announcement": "Maintenance on Friday at noon."})
    assert {step["op"] for step in steps} == {"update"}
    assert {step["urn"].rpartition("::")[2] for step in steps} == {"hub-hub-hub-values", "hub-hub-deployment"}
    assert _rolled(platform, pods) == {"hub"}
    assert secrets
    assert _secrets(platform) == secrets
    until("the hub's page", alice.is_in, 30)
    assert "Maintenance on Friday at noon." in platform.person("bob").request("GET", "/hub/login")[1]
    assert platform.uid("alice") == server
    assert alice.reaches_server()


def test_a_larger_proxy_rolls_the_proxy_alone(platform: Platform, alice: Person) -> None:
    pods = _pods(platform)
    platform.up(
        proxy={"resources": {"cpu": {"request": "50m", "limit": "1"}, "memory": {"request": "96Mi", "limit": "512Mi"}}}
    )
    assert _rolled(platform, pods) == {"proxy"}
    until("the way to her server", alice.reaches_server, 30)


def test_a_larger_disk_for_new_people_touches_no_pod_of_the_platform_but_the_hub(platform: Platform) -> None:
    pods = _pods(platform)
    platform.up(users={"home": {"size": "2Gi"}})
    assert _rolled(platform, pods) == {"hub"}
    ada = platform.person("ada").log_in().start()
    assert one("pvc", "claim-ada", platform.users)["status"]["capacity"] == {"storage": "2Gi"}
    ada.stop()


def test_deleting_a_claim_deletes_its_volume_here(platform: Platform) -> None:
    bob = platform.person("bob").log_in().at_work()
    volume = one("pvc", "claim-bob", platform.users)["spec"]["volumeName"]
    bob.stop()
    kubectl("-n", platform.users, "delete", "pvc", "claim-bob")
    until("the end of the volume", lambda: not exists("pv", volume), 30)
    # The next start makes an empty one.
    bob.start()
    assert one("pvc", "claim-bob", platform.users)["spec"]["volumeName"] != volume
    bob.stop()
