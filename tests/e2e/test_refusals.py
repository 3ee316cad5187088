"""A server that can't start: a clear page for the person, and a hub that lives on."""

import html
import json
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.e2e.cluster import kubectl, until
from tests.e2e.person import Person
from tests.e2e.platform import Platform

_REFUSALS = 10
"""JupyterHub's own hubs end after fewer failures in a row."""


@pytest.fixture
def bob(platform: Platform) -> Person:
    person = platform.person("bob").log_in()
    if person.model()["servers"]:
        person.stop()
    return person


@pytest.fixture
def full(platform: Platform, bob: Person) -> Iterator[None]:
    """A quota that has no room for another pod."""
    kubectl("-n", platform.users, "create", "quota", "full", "--hard=count/pods=0")
    used = "{.status.hard}"
    until("the quota", lambda: kubectl("-n", platform.users, "get", "quota", "full", "-o", f"jsonpath={used}"), 20)
    yield
    kubectl("-n", platform.users, "delete", "quota", "full")


def _hub(platform: Platform) -> tuple[str, int]:
    """Which pod the hub is, and how often it has been restarted."""
    pod = platform.the_pod_of("hub")
    return pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]


def _settled(person: Person) -> None:
    until("the end of the attempt", lambda: not person.model()["servers"], 30, every=0.1)


def _page_after_asking(person: Person) -> tuple[int, str]:
    """What the person reads after choosing a server on the hub's page."""
    token = person.xsrf("/hub/")
    person.request("POST", f"/hub/spawn?_xsrf={token}", form={"profile": "small", "_xsrf": token})
    _settled(person)
    status, text, _ = person.request("GET", f"/hub/spawn-pending/{person.name}")
    return status, html.unescape(text)


def test_ten_refusals_by_quota_give_a_clear_page_and_no_restart(platform: Platform, bob: Person, full: None) -> None:
    hub = _hub(platform)
    for _ in range(_REFUSALS):
        assert bob.ask_for_server()[0] in (201, 202, 503)
        _settled(bob)
    status, text = _page_after_asking(bob)
    assert status >= 500 or status == 200
    assert "The platform is full at the moment. Try again in a few minutes." in text
    assert "Traceback" not in text
    assert "exceeded quota" not in text
    # Whoever works goes on, and others still get in.
    platform.person("alice").log_in()
    assert _hub(platform) == hub
    log = kubectl("-n", platform.hub, "logs", "deploy/hub", "--since=60s")
    assert "exceeded quota: full" in log, "the operator is told which quota it was"


def test_a_profile_that_does_not_exist_is_refused_in_words(bob: Person) -> None:
    status, text, _ = bob.ask_for_server("enormous")
    assert status == 503
    assert "This choice of server does not exist" in json.loads(text)["message"]
    _settled(bob)


def test_an_image_that_can_not_be_pulled_gives_a_clear_page(platform: Platform, doomed: Future[str]) -> None:
    assert "The software for your server can't be fetched." in doomed.result(timeout=160)
    assert platform.pod("ada") is None
    ada = platform.person("ada").log_in().start()
    ada.stop()
