"""One login for the hubs of several clouds: two real JupyterHubs and a directory on loopback."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from elab_home import HomeAuthenticator
from elab_places import Places, group, leading
from jupyterhub import orm

from .ldap_server import BUSY, Plan
from .test_directory import ADMINS, people
from .test_leavers import crowded, out
from .test_login import RESEARCHERS, authenticator, known
from .two_hubs import KEY, MEMBER_HOST, Browser, Hubs, place, with_hubs

ALLOWED = "cn=Researchers,ou=groups,dc=Example,dc=org"
"""As the values file writes it."""
OPERATING = "cn=admins,ou=groups,dc=example,dc=org"


def leave(plan: Plan) -> None:
    """Take everybody out of the groups that may log in; the groups stay."""
    plan.entries[RESEARCHERS]["member"], plan.entries[ADMINS]["memberUid"] = [], []


def away(hubs: Hubs) -> HomeAuthenticator:
    """The member's authenticator, as if no answer were fresh."""
    found = hubs.member.authenticator
    assert isinstance(found, HomeAuthenticator)
    found._seen.clear()
    found._outage = -1e9
    authenticator(hubs.home)._seen.clear()
    return found


async def came_in(hubs: Hubs, page: str = "/hub/home") -> tuple[Browser, requests.Response]:
    """Alice's browser after a login at home on the way to a page of the member's."""
    browser = Browser()
    return browser, await browser.log_in(await browser.get(f"{hubs.member_url}{page}"), "alice")


def test_who_is_in_at_home_comes_in_at_another_cloud_without_a_second_password(
    values: dict[str, Any], tmp_path: Path
) -> None:
    async def check(hubs: Hubs) -> None:
        browser = Browser()
        page = await browser.get(f"{hubs.member_url}/hub/home?from=a-link")
        assert page.url.startswith(f"{hubs.home_url}/hub/login")
        page = await browser.log_in(page, "alice")
        assert (page.status_code, page.url) == (200, f"{hubs.member_url}/hub/home?from=a-link")
        # Each hub's pages lead back to where places are chosen.
        assert f'href="{hubs.home_url}/hub/places"' in page.text
        alice = orm.User.find(hubs.member.db, "alice")
        assert alice is not None
        assert (alice.admin, [one.name for one in alice.groups]) == (False, ["elab-operators"])
        # In at home, and never at this hub: by a bookmark, no form comes between.
        browser.session.cookies.clear(MEMBER_HOST)
        page = await browser.get(f"{hubs.member_url}/hub/home")
        assert (page.status_code, page.url) == (200, f"{hubs.member_url}/hub/home")

    with_hubs(values, tmp_path, Plan(entries=people()), check)


def test_a_hub_whose_people_log_in_elsewhere_keeps_nobodys_token_and_takes_no_password(
    values: dict[str, Any], tmp_path: Path
) -> None:
    async def check(hubs: Hubs) -> None:
        await came_in(hubs)
        alice = orm.User.find(hubs.member.db, "alice")
        assert alice is not None
        assert alice.encrypted_auth_state is None
        tokens = [token for token in hubs.home.db.query(orm.APIToken) if token.client_id == "service-place-cloud"]
        (token,) = tokens
        assert {scope.split("!")[0] for scope in token.scopes} == {
            "access:services",
            "read:users:name",
            "read:users:groups",
        }
        form = {"username": "alice", "password": "alice-password"}
        answer = await asyncio.to_thread(requests.post, f"{hubs.member_url}/hub/login", data=form, timeout=10)
        assert answer.status_code in (403, 405)

    with_hubs(values, tmp_path, Plan(entries=people()), check)


def test_logging_out_of_one_cloud_logs_out_of_home_too(values: dict[str, Any], tmp_path: Path) -> None:
    async def check(hubs: Hubs) -> None:
        browser, _ = await came_in(hubs)
        await browser.get(f"{hubs.member_url}/hub/logout")
        page = await browser.get(f"{hubs.member_url}/hub/home")
        assert page.url.startswith(f"{hubs.home_url}/hub/login")

    with_hubs(values, tmp_path, Plan(entries=people()), check)


def test_somebody_outside_a_places_groups_is_refused_there_by_home(values: dict[str, Any], tmp_path: Path) -> None:
    plan = Plan(entries=people())
    plan.entries[ADMINS]["memberUid"] = []

    async def check(hubs: Hubs) -> None:
        _, page = await came_in(hubs)
        assert page.status_code == 403
        assert page.url.startswith(hubs.home_url)
        assert orm.User.find(hubs.member.db, "alice") is None

    with_hubs(values, tmp_path, plan, check, place("here", None), groups=[OPERATING])


def test_a_leaver_loses_session_and_tokens_at_every_cloud(values: dict[str, Any], tmp_path: Path) -> None:
    plan = Plan(entries=people())

    async def check(hubs: Hubs) -> None:
        browser, _ = await came_in(hubs)
        user = known(hubs.member)
        stopped: list[str] = []

        async def stop(name: str = "") -> None:
            stopped.append(name)

        async def delete_user(*_: object) -> None:
            return None

        user.stop, hubs.member.proxy.delete_user = stop, delete_user
        await away(hubs).leavers.sweep()
        assert hubs.member.db.query(orm.APIToken).filter_by(user_id=user.orm_user.id).count() == 1
        leave(plan)
        await away(hubs).leavers.sweep()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert stopped == [""]
        assert hubs.member.db.query(orm.APIToken).filter_by(user_id=user.orm_user.id).count() == 0
        # Home heard of it by the question, and its own sweep follows at once.
        async with asyncio.timeout(5):
            while hubs.home.db.query(orm.APIToken).filter_by(client_id="service-place-cloud").count():
                await asyncio.sleep(0.01)
        page = await browser.get(f"{hubs.member_url}/hub/home")
        assert page.url.startswith(f"{hubs.home_url}/hub/login")

    with_hubs(values, tmp_path, plan, check)


def test_who_leaves_a_places_group_is_out_there_and_stays_in_at_home(values: dict[str, Any], tmp_path: Path) -> None:
    plan = Plan(entries=people())

    async def check(hubs: Hubs) -> None:
        await came_in(hubs)
        plan.entries[ADMINS]["memberUid"] = []
        user = known(hubs.member)
        assert await away(hubs).refresh_user(user) is False
        at_home = authenticator(hubs.home)
        alice = orm.User.find(hubs.home.db, "alice")
        at_home._seen.clear()
        assert await at_home.refresh_user(hubs.home.users[alice])

    with_hubs(values, tmp_path, plan, check, groups=[OPERATING])


@pytest.mark.parametrize("fault", ["home is down", "wrong key", "directory is down", "unknown at home", "no such page"])
def test_no_outage_of_home_puts_anybody_out(values: dict[str, Any], tmp_path: Path, fault: str) -> None:
    plan = Plan(entries=people())

    async def check(hubs: Hubs) -> None:
        await came_in(hubs)
        user = known(hubs.member, "mallory" if fault == "unknown at home" else "alice")
        member = away(hubs)
        if fault == "home is down":
            hubs.home_server.stop()
            await hubs.home_server.close_all_connections()
        if fault == "wrong key":
            member.client_secret = "not-the-key"
        if fault == "directory is down":
            plan.search_result = BUSY
        if fault == "no such page":
            member.home_url += "/elsewhere"
        assert await member.refresh_user(user) is True
        # For a while home is not asked again: nobody's request waits for it.
        member.home_url = "http://127.0.0.1:9"
        assert await member.refresh_user(user) is True
        await away(hubs).leavers.sweep()
        assert hubs.member.db.query(orm.APIToken).filter_by(user_id=user.orm_user.id).count() == 1

    with_hubs(values, tmp_path, plan, check)


def test_about_whom_home_can_tell_nothing_keeps_no_leaver_in_at_a_place(values: dict[str, Any], tmp_path: Path) -> None:
    plan, names = crowded(3)
    twice, unknown, leaver = names
    plan.entries[f"uid={twice},ou=old,ou=people,dc=example,dc=org"] = {"uid": [twice]}
    leave(plan)

    async def check(hubs: Hubs) -> None:
        async def nothing(*_: object) -> None:
            return None

        hubs.member.proxy.delete_user = nothing
        hubs.home.db.add_all([orm.User(name=twice), orm.User(name=leaver)])
        hubs.home.db.commit()
        users = [known(hubs.member, name) for name in (twice, unknown, leaver)]
        for user in users:
            user.stop = nothing
        await away(hubs).leavers.sweep()
        assert out(hubs.member, users) == [leaver]

    with_hubs(values, tmp_path, plan, check)


def test_only_the_hubs_of_places_may_ask_about_people_and_each_about_its_own_place(
    values: dict[str, Any], tmp_path: Path
) -> None:
    plan = Plan(entries=people())
    plan.entries[ADMINS]["memberUid"] = []

    async def check(hubs: Hubs) -> None:
        browser, _ = await came_in(hubs)
        url = f"{hubs.home_url}/hub/api/places/people/alice"
        own = hubs.home.users[orm.User.find(hubs.home.db, "alice")].new_api_token()
        answers = {}
        for name, key in {"none": None, "alice": own, "culler": "culler-token-" + "c" * 32}.items():
            headers = {"Authorization": f"token {key}"} if key else {}
            answers[name] = (await asyncio.to_thread(requests.get, url, headers=headers, timeout=10)).status_code
        assert answers == dict.fromkeys(answers, 403)
        assert (await browser.get(url)).status_code == 403
        told = {}
        for name, key in {"cloud": KEY, "closed": "another-closed"}.items():
            headers = {"Authorization": f"token {key}"}
            told[name] = (await asyncio.to_thread(requests.get, url, headers=headers, timeout=10)).json()
        assert told == {
            "cloud": {"belongs": True, "operator": False},
            "closed": {"belongs": False, "operator": False},
        }

    closed = place("closed", "https://closed.example.org", groups=[OPERATING])
    with_hubs(values, tmp_path, plan, check, closed)


def offered(page: requests.Response) -> list[str]:
    """Where the page of places leads."""
    return re.findall(r'list-group-item-action" href="([^"]+)"', page.text)


def test_people_choose_between_their_places_and_see_no_other(values: dict[str, Any], tmp_path: Path) -> None:
    plan = Plan(entries=people())
    plan.entries[ADMINS]["memberUid"] = []

    async def check(hubs: Hubs) -> None:
        browser = Browser()
        page = await browser.log_in(await browser.get(hubs.home_url), "alice")
        assert page.url == f"{hubs.home_url}/hub/places"
        assert offered(page) == ["/hub/spawn", f"{hubs.member_url}/hub/"]
        assert "&lt;b&gt;bold" in page.text

    here = place("here", None, description="<b>bold")
    closed = place("closed", "https://closed.example.org", groups=[OPERATING])
    with_hubs(values, tmp_path, plan, check, here, closed)


@pytest.mark.parametrize("why", ["the only one", "their group's"])
def test_who_has_one_place_or_a_group_with_one_is_led_there_at_once(
    values: dict[str, Any], tmp_path: Path, why: str
) -> None:
    async def check(hubs: Hubs) -> None:
        browser = Browser()
        page = await browser.get(f"{hubs.home_url}/hub/login")
        browser.session.max_redirects = 10
        page = await browser.log_in(page, "alice")
        led = [answer.headers["Location"] for answer in page.history if "Location" in answer.headers]
        assert f"{hubs.member_url}/hub/" in led
        assert orm.User.find(hubs.member.db, "alice") is not None
        # And can still choose.
        page = await browser.get(f"{hubs.home_url}/hub/places")
        assert offered(page) == ([] if why == "the only one" else ["/hub/spawn"]) + [f"{hubs.member_url}/hub/"]

    here = place("here", None)
    others, led = ([], {}) if why == "the only one" else ([here], {"default_for": [ALLOWED]})
    with_hubs(values, tmp_path, Plan(entries=people()), check, *others, **led)


def test_nobody_gets_a_server_at_a_hub_that_is_not_among_their_places(values: dict[str, Any], tmp_path: Path) -> None:
    async def check(hubs: Hubs) -> None:
        browser = Browser()
        await browser.log_in(await browser.get(f"{hubs.home_url}/hub/login"), "alice")
        token = browser.session.cookies.get("_xsrf", path="/hub/", domain="127.0.0.1")
        page = await asyncio.to_thread(
            browser.session.post, f"{hubs.home_url}/hub/spawn?_xsrf={token}", data={"profile": "small"}, timeout=20
        )
        assert "Your servers don" in page.text, (page.status_code, page.text)
        assert not hubs.home.users["alice"].active

    with_hubs(values, tmp_path, Plan(entries=people()), check)


def test_the_first_place_that_a_group_leads_to_counts_and_only_among_those_that_may_be_used() -> None:
    found = Places(
        [
            place("closed", "https://closed.example.org", groups=["b"], default_for=["a"]),
            place("first", "https://first.example.org", groups=["a"], default_for=["a"]),
            place("second", None, default_for=["a", "b"]),
        ]
    )
    assert found.groups_of({"a"}) == [group("first"), group("second"), leading("first")]
    assert found.groups_of({"b"}) == [group("closed"), group("second"), leading("second")]
    led = found.led_to(found.groups_of({"b"}))
    assert led is not None
    assert led["name"] == "second"
    assert found.led_to(found.groups_of({"c"})) == found.all[2]
