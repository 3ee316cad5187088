"""Who gets in, and what the others are told."""

import pytest

from tests.e2e.cluster import kubectl
from tests.e2e.people import logs
from tests.e2e.person import Person
from tests.e2e.platform import Platform


def test_alice_logs_in_and_out_again(platform: Platform) -> None:
    alice = platform.person("alice").log_in()
    assert alice.model()["name"] == "alice"
    alice.request("GET", "/hub/logout")
    assert not alice.is_in()


def test_the_password_travels_by_tls_only(platform: Platform) -> None:
    # The directory's servers refuse a password in clear, so that a login is proof; their logs say it too.
    platform.person("alice").log_in()
    assert "TLS established" in logs(platform.directory, seconds=20)
    assert platform.directory.passwords["alice"] not in kubectl("-n", platform.hub, "logs", "deploy/hub")


def test_a_name_in_capitals_is_the_same_person(platform: Platform) -> None:
    shouting = Person(platform.url, "alice", platform.directory.passwords["alice"])
    assert shouting.login("ALICE", shouting.password)[0] == 200
    assert shouting.model()["name"] == "alice"


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "not hers"), ("nobody-knows-me", "whatever"), ("alice", ""), ("*", "*"), ("alice)(uid=*", "x")],
    ids=["wrong password", "unknown person", "no password", "a wildcard", "a filter"],
)
def test_wrong_names_and_passwords_are_refused_alike(platform: Platform, name: str, password: str) -> None:
    stranger = platform.person("alice")
    status, text, _ = stranger.login(name, password)
    assert status == 403
    assert "Invalid username or password" in text
    assert 'name="password"' in text
    assert not stranger.is_in()


def test_a_person_outside_the_groups_is_told_so(platform: Platform) -> None:
    eve = platform.person("eve")
    status, text, _ = eve.login("eve", eve.password)
    assert status == 403
    assert "in none of the groups that may use this platform" in text
    assert "Traceback" not in text
    assert not eve.is_in()
