"""Logging in, staying in and being put out, with the real JupyterHub and an LDAP talk on loopback."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from elab_directory import FAILURES
from elab_login import DirectoryAuthenticator
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.user import User
from tornado.web import HTTPError

from .ldap_server import BUSY, SUCCESS, Plan, serve
from .running import hub, person
from .test_directory import ADMINS, ALICE, people

RESEARCHERS = "cn=researchers,ou=groups,dc=example,dc=org"


def with_hub(
    values: dict[str, Any], folder: Path, plan: Plan, check: Callable[[JupyterHub], Awaitable[None]], ports: int = 1
) -> None:
    """Run the check in a hub that asks this directory; several ports are several names for it."""

    async def run() -> None:
        async with hub(values, folder) as app:
            await check(app)

    with serve(plan) as port:
        values["directory"]["servers"] = [{"host": "127.0.0.1", "port": port, "ldaps": False}] * ports
        values["directory"]["tls"] = "unencrypted"
        asyncio.run(run())


def authenticator(app: JupyterHub) -> DirectoryAuthenticator:
    """The hub's own."""
    assert isinstance(app.authenticator, DirectoryAuthenticator)
    return app.authenticator


async def log_in(app: JupyterHub, name: str, password: str) -> dict[str, Any] | None:
    return await app.authenticator.get_authenticated_user(None, {"username": name, "password": password})


def known(app: JupyterHub, name: str = "alice") -> Any:  # noqa: ANN401
    """Somebody who is in, with a token of their own and a server that runs."""
    user = person(app, name)
    user.new_api_token(note="their own")
    user.spawner.orm_spawner.server = user.spawner.server.orm_server
    app.db.commit()
    return user


def test_people_get_in_by_group_and_only_members_of_admin_groups_operate(
    values: dict[str, Any], tmp_path: Path
) -> None:
    plan = Plan(entries=people())
    plan.entries["uid=carol,ou=people,dc=example,dc=org"] = {"uid": ["carol"], "userPassword": ["carol-password"]}
    plan.entries["uid=dave,ou=people,dc=example,dc=org"] = {"uid": ["dave"], "userPassword": ["dave-password"]}
    plan.entries[RESEARCHERS]["member"] += [f"uid={name},ou=people,dc=example,dc=org" for name in ("carol", "dave")]

    async def check(app: JupyterHub) -> None:
        made = {name: await log_in(app, name, f"{name}-password") for name in ("alice", "carol", "dave")}
        # alice by the directory's group, carol by the settings' admin_users (written "Carol"), dave not at all.
        assert {name: model["groups"] for name, model in made.items() if model} == {
            "alice": ["elab-operators"],
            "carol": ["elab-operators"],
            "dave": [],
        }
        assert all(model and model["admin"] is False for model in made.values())

    with_hub(values, tmp_path, plan, check)


def test_what_the_hub_remembers_of_a_login_holds_no_password(values: dict[str, Any], tmp_path: Path) -> None:
    async def check(app: JupyterHub) -> None:
        model = await log_in(app, "alice", "alice-password")
        assert "alice-password" not in repr(model)
        assert "reader-password" not in repr(app.config)

    with_hub(values, tmp_path, Plan(entries=people()), check)


def test_somebody_outside_the_groups_reads_why_and_a_wrong_password_says_nothing_of_groups(
    values: dict[str, Any], tmp_path: Path
) -> None:
    async def check(app: JupyterHub) -> None:
        with pytest.raises(HTTPError) as refusal:
            await log_in(app, "bob", "bob-password")
        assert refusal.value.status_code == 403
        assert "groups" in str(refusal.value.log_message)
        # JupyterHub's own page for these: wrong name or password.
        assert await log_in(app, "bob", "wrong") is None
        assert await log_in(app, "nobody", "wrong") is None
        assert await log_in(app, "alice", "") is None

    with_hub(values, tmp_path, Plan(entries=people()), check)


def test_somebody_with_two_entries_reads_that_waiting_does_not_help_and_no_outage_is_counted(
    values: dict[str, Any], tmp_path: Path
) -> None:
    plan = Plan(entries=people())
    plan.entries["uid=alice,ou=old,ou=people,dc=example,dc=org"] = {"uid": ["alice"]}

    async def check(app: JupyterHub) -> None:
        counted = FAILURES.labels(during="login")._value
        before = counted.get()
        with pytest.raises(HTTPError) as refused:
            await log_in(app, "alice", "alice-password")
        assert refused.value.status_code == 403
        assert "two entries" in str(refused.value.log_message)
        assert counted.get() == before

    with_hub(values, tmp_path, plan, check)


def test_no_password_that_anybody_types_counts_as_an_outage(values: dict[str, Any], tmp_path: Path) -> None:
    async def check(app: JupyterHub) -> None:
        counted = FAILURES.labels(during="login")._value
        before = counted.get()
        assert await log_in(app, "alice", "\N{SOFT HYPHEN}") is None
        assert await log_in(app, "alice", "\0") is None
        assert counted.get() == before

    with_hub(values, tmp_path, Plan(entries=people()), check)


def test_a_directory_that_hangs_does_not_hold_up_the_hub(values: dict[str, Any], tmp_path: Path) -> None:
    async def check(app: JupyterHub) -> None:
        longest, before = 0.0, time.monotonic()
        task = asyncio.ensure_future(log_in(app, "alice", "alice-password"))
        while not task.done():
            await asyncio.sleep(0.01)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        with pytest.raises(HTTPError) as outage:
            task.result()
        assert outage.value.status_code == 503
        assert longest < 0.5

    with_hub(values, tmp_path, Plan(entries=people(), hangs=True), check)


@pytest.mark.parametrize("leaving", ["entry gone", "group left"])
def test_a_leaver_loses_tokens_sessions_and_server(values: dict[str, Any], tmp_path: Path, leaving: str) -> None:
    plan = Plan(entries=people())
    if leaving == "entry gone":
        del plan.entries[ALICE]
    else:
        plan.entries[RESEARCHERS]["member"] = []
        plan.entries[ADMINS]["memberUid"] = []

    async def check(app: JupyterHub) -> None:
        user = known(app)
        cookie, stopped, unrouted = user.orm_user.cookie_id, [], []

        async def stop(name: str = "") -> None:
            stopped.append(name)

        async def delete_user(gone: User, name: str = "") -> None:
            unrouted.append(gone.name)

        user.stop, app.proxy.delete_user = stop, delete_user
        assert user.active
        await authenticator(app).leavers.sweep()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (stopped, unrouted) == ([""], ["alice"])
        assert user.orm_user.cookie_id != cookie
        assert app.db.query(orm.APIToken).filter_by(user_id=user.orm_user.id).count() == 0

    with_hub(values, tmp_path, plan, check)


@pytest.mark.parametrize("fault", ["busy", "hangs", "bind password"])
def test_an_outage_locks_nobody_out_and_costs_no_one_a_wait_each(
    values: dict[str, Any], tmp_path: Path, fault: str
) -> None:
    plan = Plan(entries=people(), search_result=BUSY if fault == "busy" else SUCCESS, hangs=fault == "hangs")
    if fault == "bind password":
        plan.entries["cn=reader,dc=example,dc=org"]["userPassword"] = ["changed"]

    async def check(app: JupyterHub) -> None:
        user = known(app)
        cookie = user.orm_user.cookie_id
        assert await app.authenticator.refresh_user(user) is True
        asked = plan.connections
        for _ in range(5):
            assert await app.authenticator.refresh_user(user) is True
        assert plan.connections == asked
        assert user.orm_user.cookie_id == cookie
        assert app.db.query(orm.APIToken).filter_by(user_id=user.orm_user.id).count() == 1

    with_hub(values, tmp_path, plan, check)


def test_somebody_who_logs_in_by_mail_is_looked_up_by_mail_again(values: dict[str, Any], tmp_path: Path) -> None:
    values["directory"]["people"]["filter"] = "(mail={username})"
    plan = Plan(entries=people())
    plan.entries[ALICE]["mail"] = ["alice@example.org"]

    async def check(app: JupyterHub) -> None:
        model = await log_in(app, "alice@example.org", "alice-password")
        assert model is not None
        user = person(app, model["name"])
        await user.save_auth_state(model["auth_state"])
        authenticator(app)._seen.clear()
        assert await app.authenticator.refresh_user(user)

    with_hub(values, tmp_path, plan, check)


def test_a_rotated_crypt_key_makes_leavers_of_nobody_who_logs_in_by_mail(
    values: dict[str, Any], tmp_path: Path
) -> None:
    values["directory"]["people"]["filter"] = "(mail={username})"
    plan = Plan(entries=people())
    plan.entries[ALICE]["mail"] = ["alice@example.org"]

    async def check(app: JupyterHub) -> None:
        # What the hub remembers of the login can't be read any more.
        user = known(app)
        assert await user.get_auth_state() is None
        model = await authenticator(app).look_again(user)
        assert model is not None
        assert model["name"] == "alice"
        assert await app.authenticator.refresh_user(user)
        del plan.entries[ALICE]
        assert await authenticator(app).look_again(user) is None

    with_hub(values, tmp_path, plan, check)


def test_the_sweep_runs_while_the_hub_runs(values: dict[str, Any], tmp_path: Path) -> None:
    values["directory"]["refresh"] = 1
    plan = Plan(entries=people())

    async def check(app: JupyterHub) -> None:
        known(app)
        await asyncio.sleep(1.3)
        assert plan.connections == 1

    with_hub(values, tmp_path, plan, check)
