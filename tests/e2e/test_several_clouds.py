"""Two stacks in one cluster play two clouds: people log in at the home's hub, and have their servers at the place's."""

from urllib.parse import parse_qs, urlsplit

import pytest

from operate.steps import OperationError
from tests.e2e import people
from tests.e2e.cluster import exists, kubectl, maybe, roll_out, until
from tests.e2e.person import Person
from tests.e2e.platform import Platform
from tests.e2e.reach import reached


def came_in(home: Platform, place: Platform, name: str) -> Person:
    """Somebody who followed a bookmark into the place, and logged in at home on the way."""
    there = place.person(name)
    status, _, url = there.request("GET", "/hub/home")
    assert (status, url.startswith(f"{home.url}/hub/login")) == (200, True), (status, url)
    (target,) = parse_qs(urlsplit(url).query)["next"]
    form = home.person(name, there.cookies)
    status, text, url = form.login(name, form.password, then=target)
    assert (status, url) == (200, f"{place.url}/hub/home"), (status, url, text[-500:])
    return there


def test_who_logged_in_at_home_has_a_server_in_the_other_cloud_and_none_at_home(
    home: Platform, place: Platform
) -> None:
    alice = came_in(home, place, "alice")
    alice.start().write("cloud.txt", "made there")
    assert place.pod("alice") is not None
    assert exists("pvc", "claim-alice", place.users)
    assert home.pod("alice") is None
    # Another browser tab, another day: home still knows her, so no form comes between.
    later = place.person("alice", home.person("alice").log_in().cookies)
    assert later.is_in()
    assert later.open().read("cloud.txt") == "made there"


def test_people_choose_their_place_at_home_and_some_are_led_there(home: Platform, place: Platform) -> None:
    bob = home.person("bob").log_in()
    status, page, _ = bob.request("GET", "/hub/places")
    assert status == 200
    assert "Our own cluster" in page
    assert f"{place.url}/" in page
    # Her group has the cloud for its default.
    ada = home.person("ada")
    status, _, url = ada.login("ada", ada.password)
    assert (status, url.startswith(place.url)) == (200, True), (status, url)


def test_who_may_not_log_in_at_home_comes_into_no_cloud(home: Platform, place: Platform) -> None:
    there = place.person("eve")
    there.request("GET", "/hub/home")
    form = home.person("eve", there.cookies)
    status, text, _ = form.login("eve", form.password)
    assert status == 403
    assert "in none of the groups that may use this platform" in text
    assert not there.is_in()


def test_the_places_hub_reaches_home_and_no_directory(home: Platform, place: Platform) -> None:
    addresses = [
        (home.host, home.port),
        (f"directory.{home.directory.namespace}.svc", 1389),
        (f"hub.{home.hub}.svc", 8081),
    ]
    assert list(reached(place.hub, "deployment/hub", *addresses).values()) == [True, False, False]
    assert maybe("secret", "hub-ldap-bind", place.hub) is None


def test_while_home_is_away_people_at_the_place_work_on_and_start_servers(home: Platform, place: Platform) -> None:
    bob = came_in(home, place, "bob").at_work()
    kubectl("-n", home.hub, "scale", "deployment/hub", "--replicas=0")
    try:
        until("the end of home's hub", lambda: home.person("ada").request("GET", "/hub/login")[0] != 200, 60)
        # Three times as long as the place takes to ask home again.
        until("home's silence to be noticed", lambda: "home" in _hub_log(place), 30)
        assert bob.is_in()
        bob.stop()
        bob.start()
    finally:
        kubectl("-n", home.hub, "scale", "deployment/hub", "--replicas=1")
        roll_out(home.hub, "hub")
    until("home's login page", lambda: home.person("ada").request("GET", "/hub/login")[0] == 200, 60)
    assert bob.reaches_server()


def test_a_leaver_loses_session_and_server_at_the_place_and_keeps_the_disk(home: Platform, place: Platform) -> None:
    bob = came_in(home, place, "bob").at_work()
    alice = came_in(home, place, "alice").at_work()
    people.leave_group(home.directory, "bob")
    try:
        until("the end of his server", lambda: place.pod("bob") is None, 60)
        assert not bob.is_in()
        assert alice.reaches_server()
        assert exists("pvc", "claim-bob", place.users)
    finally:
        people.join_group(home.directory, "bob")


def test_a_place_that_home_does_not_name_is_refused_before_anything_changes(
    place: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    before = place.change
    with pytest.raises(OperationError):
        place.up(login={"place": "elsewhere"})
    place.change = before
    said = "".join(capfd.readouterr())
    assert "login.place" in said
    assert "allowed: a place of the home stack: cloud" in said
    place.write()
    # Home's outputs are read each time.
    assert {step["op"] for step in place.pulumi("preview")} == {"read"}


def _hub_log(place: Platform) -> str:
    return kubectl("-n", place.hub, "logs", "deploy/hub", "--since=10s")
