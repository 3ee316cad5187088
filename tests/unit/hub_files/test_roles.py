"""Who may do what, by JupyterHub's own expansion of scopes."""

import asyncio
from pathlib import Path
from typing import Any

from elab_roles import OPERATORS
from jupyterhub import orm, roles, scopes
from jupyterhub.app import JupyterHub

from .running import hub, person


def expanded(app: JupyterHub, owner: orm.User | orm.Service) -> set[str]:
    return set(roles.roles_to_expanded_scopes(roles.get_roles_for(owner), owner))


def test_no_role_opens_other_peoples_servers_or_hands_out_their_tokens(values: dict[str, Any], tmp_path: Path) -> None:
    async def check() -> None:
        async with hub(values, tmp_path) as app:
            user = person(app, "alice").orm_user
            roles.assign_default_roles(app.db, user)
            own = expanded(app, user)
            user.groups.append(orm.Group.find(app.db, OPERATORS))
            app.db.commit()
            operator = expanded(app, user)
            for scope in own | operator:
                kind, _, whose = scope.partition("!")
                if kind.startswith(("access:servers", "tokens", "read:tokens", "admin:", "shares", "users:shares")):
                    assert whose in ("user=alice", "server=alice/"), scope
            assert {"admin-ui", "servers", "list:users", "read:hub"} <= operator
            assert not {"admin-ui", "servers", "list:users", "read:metrics"} & own
            assert not any(scope.startswith(("shares", "groups:shares")) for scope in own | operator)

    asyncio.run(check())


def test_services_have_what_they_do_and_no_more(values: dict[str, Any], tmp_path: Path) -> None:
    async def check() -> None:
        async with hub(values, tmp_path) as app:
            metrics = expanded(app, orm.Service.find(app.db, "elab-metrics"))
            assert metrics == {"read:metrics"}
            culler = expanded(app, orm.Service.find(app.db, "elab-culler"))
            wanted = ("list:users", "read:users:activity", "read:servers", "delete:servers")
            assert culler == set(scopes._expand_scope("list:users")).union(*map(scopes._expand_scope, wanted))
            assert app.db.query(orm.User).filter_by(admin=True).count() == 0

    asyncio.run(check())
