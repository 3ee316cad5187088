"""One login for the hubs of several clouds: two real JupyterHubs and a directory on loopback."""

from pathlib import Path
from typing import Any

from jupyterhub import orm

from .ldap_server import Plan
from .test_directory import people
from .two_hubs import Browser, Hubs, with_hubs


def test_who_is_in_at_home_comes_in_at_another_cloud_without_a_second_password(
    values: dict[str, Any], tmp_path: Path
) -> None:
    async def check(hubs: Hubs) -> None:
        browser = Browser()
        page = await browser.get(f"{hubs.member_url}/hub/home")
        assert page.url.startswith(f"{hubs.home_url}/hub/login")
        page = await browser.log_in(page, "alice")
        assert (page.status_code, page.url) == (200, f"{hubs.member_url}/hub/home")
        alice = orm.User.find(hubs.member.db, "alice")
        assert alice is not None
        assert (alice.admin, [group.name for group in alice.groups]) == (False, ["elab-operators"])

    with_hubs(values, tmp_path, Plan(entries=people()), check)
