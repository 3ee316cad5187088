"""A directory that hangs, that is gone, and that no longer knows somebody."""

import html
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from operate.directory import Directory
from tests.e2e import people as directory_people
from tests.e2e.cluster import exists, kubectl, until
from tests.e2e.platform import Platform

_SILENT = Path(__file__).parent / "manifests/silent.yaml"
_SERVICE = "directory"
_RECEIVE = 2.0
"""Seconds for which the hub waits for an answer, as stacks/e2e.yaml sets it."""


@pytest.fixture
def hung(people: Directory) -> Iterator[None]:
    """The first server's address leads to one that accepts connections and says nothing."""

    def lead_to(app: str) -> None:
        patch = f'{{"spec":{{"selector":{{"app":"{app}"}}}}}}'
        kubectl("-n", people.namespace, "patch", "service", _SERVICE, "-p", patch)

    kubectl("apply", "-f", str(_SILENT))
    kubectl("-n", people.namespace, "wait", "pod/silent", "--for=condition=Ready", "--timeout=60s", seconds=70)
    lead_to("silent")
    time.sleep(1)  # kube-proxy's turn
    yield
    lead_to(_SERVICE)
    kubectl("delete", "-f", str(_SILENT))


def test_a_server_that_hangs_freezes_nothing_and_the_second_one_answers(platform: Platform, hung: None) -> None:
    visitor, delays, over = platform.person("bob"), [], threading.Event()

    def visit() -> None:
        while not over.is_set():
            began = time.monotonic()
            assert visitor.request("GET", "/hub/login")[0] == 200
            delays.append(time.monotonic() - began)

    alice = platform.person("alice")
    with ThreadPoolExecutor(1) as pool:
        visits = pool.submit(visit)
        began = time.monotonic()
        try:
            alice.log_in()
        finally:
            first = time.monotonic() - began
            over.set()
        visits.result()
    assert first >= _RECEIVE, "the first server must have been asked"
    # While the hub waited for the silent server, everybody else's pages came.
    assert len(delays) > 3
    assert max(delays) < _RECEIVE / 2, f"a page took {max(delays):.1f} s"
    # And it is not asked first again.
    began = time.monotonic()
    platform.person("bob").log_in()
    assert time.monotonic() - began < _RECEIVE


def test_a_person_who_leaves_the_group_loses_session_token_and_server_but_not_the_disk(
    platform: Platform, people: Directory
) -> None:
    bob = platform.person("bob").log_in().at_work()
    alice = platform.person("alice").log_in().at_work()
    bob.write("mine.txt", "his work")
    directory_people.leave_group(people, "bob")
    try:
        # The stack looks people up every 5 s; nobody has to ask for anything.
        until("the end of his server", lambda: platform.pod("bob") is None, 60)
        assert not bob.is_in()
        assert not bob.reaches_server()
        assert bob.login("bob", bob.password)[0] == 403
        assert alice.is_in()
        assert alice.reaches_server()
        assert exists("pvc", "claim-bob", platform.users)
    finally:
        directory_people.join_group(people, "bob")
    # The hub may remember for ten seconds what the directory said.
    until("bob may come in again", lambda: bob.login("bob", bob.password)[0] == 200, 30, every=1)
    assert bob.start().read("mine.txt") == "his work"
    bob.stop()


def test_an_outage_of_the_directory_locks_nobody_out(platform: Platform, people: Directory) -> None:
    alice = platform.person("alice").log_in().at_work()
    directory_people.outage(people)
    try:
        bob = platform.person("bob")
        status, text, _ = bob.login("bob", bob.password)
        assert status == 503
        assert "can't be reached at the moment" in html.unescape(text)
        # Three times as long as the stack takes to look somebody up again.
        for _ in range(5):
            time.sleep(3)
            assert alice.is_in()
            assert alice.reaches_server()
        alice.stop()
        alice.start()
    finally:
        directory_people.back(people)
    until("login works again", lambda: bob.login("bob", bob.password)[0] == 200, 60, every=1)
