"""Who left is out soon, and a directory that lost its mind puts nobody out: the real JupyterHub, LDAP on loopback."""

import asyncio
from pathlib import Path
from typing import Any

import elab_pod
import pytest
from elab_directory import FAILURES
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from kubernetes_asyncio.client.rest import ApiException
from sqlalchemy.exc import OperationalError

from .api_server import ApiServer, pod, serving
from .ldap_server import BUSY, SUCCESS, Plan
from .running import person
from .test_directory import READER, people
from .test_login import RESEARCHERS, authenticator, known, with_hub

REFRESH = 0.05
"""Seconds that stand for the time between two sweeps."""


def dn(name: str) -> str:
    return f"uid={name},ou=people,dc=example,dc=org"


def crowded(count: int) -> tuple[Plan, list[str]]:
    """A directory with so many researchers, and their names."""
    plan, names = Plan(entries=people()), [f"person{number}" for number in range(count)]
    plan.entries |= {dn(name): {"uid": [name]} for name in names}
    plan.entries[RESEARCHERS]["member"] += [dn(name) for name in names]
    return plan, names


def leave(plan: Plan, names: list[str]) -> None:
    """Take people out of their only group, which stays with whoever else is in it."""
    gone = {dn(name) for name in names}
    plan.entries[RESEARCHERS]["member"] = [one for one in plan.entries[RESEARCHERS]["member"] if one not in gone]


def working(app: JupyterHub, names: list[str]) -> list[Any]:
    """People with a token and a server that can be stopped."""

    async def nothing(*_: object) -> None:
        return None

    app.proxy.delete_user = nothing
    users = [known(app, name) for name in names]
    for user in users:
        user.stop = nothing
    # A time that a test can wait for; the hub's own watch goes on with the settings' one.
    authenticator(app).leavers.refresh = REFRESH
    return users


def out(app: JupyterHub, users: list[Any]) -> list[str]:
    """Names of those who lost their tokens."""
    held = {token.user_id for token in app.db.query(orm.APIToken)}
    return [user.name for user in users if user.orm_user.id not in held]


def failures(occasion: str) -> float:
    return FAILURES.labels(during=occasion)._value.get()


@pytest.mark.parametrize("fault", ["no data", "no people", "no groups"])
def test_a_directory_that_shows_nothing_puts_nobody_out_and_counts_as_an_outage(
    values: dict[str, Any], tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    plan, names = crowded(2)
    hidden = {"no data": "dc=org", "no people": "ou=people,", "no groups": "ou=groups,"}[fault]
    plan.entries = {at: entry for at, entry in plan.entries.items() if hidden not in at or at == READER}

    async def check(app: JupyterHub) -> None:
        users, before = working(app, names), failures("refresh")
        app.log.addHandler(caplog.handler)
        await authenticator(app).leavers.sweep()
        assert await authenticator(app).refresh_user(users[0]) is True
        assert out(app, users) == []
        assert failures("refresh") == before + 1
        assert ("it shows none of the allowed groups" if fault == "no groups" else "it shows nobody") in caplog.text

    with_hub(values, tmp_path, plan, check)


@pytest.mark.parametrize(
    ("gone", "stay", "believed"), [(1, 0, True), (4, 0, True), (5, 5, True), (5, 4, False), (6, 0, False)]
)
def test_only_many_who_are_most_are_doubted(
    values: dict[str, Any], tmp_path: Path, gone: int, stay: int, believed: bool
) -> None:
    plan, names = crowded(gone + stay)
    leave(plan, names[:gone])

    async def check(app: JupyterHub) -> None:
        users, before = working(app, names), failures("sweep")
        await authenticator(app).leavers.sweep()
        assert out(app, users) == (names[:gone] if believed else [])
        assert failures("sweep") == before + (0 if believed else 1)

    with_hub(values, tmp_path, plan, check)


def test_what_a_second_sweep_says_again_a_refresh_later_is_believed(
    values: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan, names = crowded(7)
    leave(plan, names[:6])

    async def check(app: JupyterHub) -> None:
        users, leavers = working(app, names), authenticator(app).leavers
        leavers.refresh = 60
        app.log.addHandler(caplog.handler)
        await leavers.sweep()
        assert "6 of 7 people seem to have left at once" in caplog.text
        # Sooner is no second opinion, and nobody is locked out meanwhile.
        await leavers.sweep()
        assert [await authenticator(app).refresh_user(user) for user in users] == [True] * 7
        assert out(app, users) == []
        leavers.refresh = REFRESH
        await asyncio.sleep(REFRESH)
        await leavers.sweep()
        assert out(app, users) == names[:6]

    with_hub(values, tmp_path, plan, check)


@pytest.mark.parametrize("between", ["an answer", "an outage"])
def test_a_doubt_ends_with_a_credible_answer_and_with_no_other(
    values: dict[str, Any], tmp_path: Path, between: str
) -> None:
    plan, names = crowded(6)
    members = list(plan.entries[RESEARCHERS]["member"])
    leave(plan, names)

    async def check(app: JupyterHub) -> None:
        users, leavers = working(app, names), authenticator(app).leavers
        await leavers.sweep()
        plan.search_result = BUSY if between == "an outage" else SUCCESS
        plan.entries[RESEARCHERS]["member"] = members
        await asyncio.sleep(REFRESH)
        await leavers.sweep()
        assert out(app, users) == []
        plan.search_result, authenticator(app)._outage = SUCCESS, -1e9
        leave(plan, names)
        await leavers.sweep()
        assert out(app, users) == ([] if between == "an answer" else names)
        plan.entries[RESEARCHERS]["member"] = members[:-1]
        await leavers.sweep()
        assert out(app, users) == (names[-1:] if between == "an answer" else names)

    with_hub(values, tmp_path, plan, check)


def test_a_leaver_who_asks_for_something_gets_nothing_and_is_out_before_the_next_sweep_is_due(
    values: dict[str, Any], tmp_path: Path
) -> None:
    plan, names = crowded(2)
    leave(plan, names[:1])

    async def check(app: JupyterHub) -> None:
        # The first has no server, and would not be looked up by a sweep.
        users = [person(app, names[0]), *working(app, names[1:])]
        users[0].new_api_token(note="their own")
        users[0].spawners.clear()
        assert not users[0].active
        assert [await authenticator(app).refresh_user(user) for user in users] == [False, True]
        async with asyncio.timeout(5):
            while not out(app, users):
                await asyncio.sleep(0.01)
        assert out(app, users) == names[:1]

    with_hub(values, tmp_path, plan, check)


def test_an_entry_that_is_there_twice_keeps_its_person_in_and_nobody_elses_sweep_waits(
    values: dict[str, Any], tmp_path: Path
) -> None:
    plan, names = crowded(3)
    plan.entries[f"uid={names[0]},ou=old,ou=people,dc=example,dc=org"] = {"uid": [names[0]]}
    leave(plan, names)

    async def check(app: JupyterHub) -> None:
        users = working(app, names)
        await authenticator(app).leavers.sweep()
        assert out(app, users) == names[1:]

    with_hub(values, tmp_path, plan, check)


@pytest.mark.parametrize("where", ["commit", "name"])
def test_a_database_that_fails_for_a_while_costs_one_sweep_and_not_all_that_follow(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    values["directory"]["refresh"] = 1
    plan, names = crowded(2)
    leave(plan, names[:1])

    async def check(app: JupyterHub) -> None:
        users, failed = working(app, names), asyncio.Event()

        def fail(*_: object) -> None:
            failed.set()
            raise OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly"))

        with monkeypatch.context() as outage:
            if where == "commit":
                outage.setattr(app.db, "commit", fail)
            else:
                # What is asked of an object that a rollback has expired.
                outage.setattr(type(users[0]), "name", property(fail), raising=False)
            authenticator(app).leavers._wake.set()
            await asyncio.wait_for(failed.wait(), 2)
            await asyncio.sleep(0)
        assert out(app, users) == []
        async with asyncio.timeout(5):
            while not out(app, users):
                await asyncio.sleep(0.01)
        assert out(app, users) == names[:1]

    with_hub(values, tmp_path, plan, check)


def test_a_leavers_server_ends_although_the_cluster_and_the_proxy_fail_at_first(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, names = crowded(2)
    leave(plan, names[:1])
    api = ApiServer(*(pod(f"jupyter-{name}") for name in names))
    api.refusals = [ApiException(status=500)]
    serving(monkeypatch, api)
    monkeypatch.setattr(elab_pod, "AGAIN", 0.05)

    async def check(app: JupyterHub) -> None:
        users, leavers, failed = [known(app, name) for name in names], authenticator(app).leavers, []

        async def delete_route(*_: object) -> None:
            if not failed:
                failed.append(None)
                raise ConnectionRefusedError

        app.proxy.delete_user = delete_route
        for running in (names, names[1:]):
            await leavers.sweep()
            await asyncio.gather(*leavers._stopping)
            assert sorted(api.pods) == [f"jupyter-{name}" for name in running]
        assert [user.active for user in users] == [False, True]

    with_hub(values, tmp_path, plan, check)
