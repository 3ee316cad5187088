"""Two real hubs that listen on loopback, one the home of the other, before one directory; and a browser for both."""

import asyncio
import copy
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from jupyterhub.app import JupyterHub
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from .ldap_server import Plan, serve
from .running import hub

KEY = "the-key-of-the-place-" + "k" * 32
HOME_HOST, MEMBER_HOST = "127.0.0.1", "127.0.0.2"
"""Two hosts, since cookies know no ports."""


@dataclass(kw_only=True)
class Hubs:
    """Both, while they run."""

    home: JupyterHub
    member: JupyterHub
    home_url: str
    member_url: str
    home_server: HTTPServer


@dataclass
class Browser:
    """Keeps cookies and follows redirects, as somebody's browser does."""

    session: requests.Session = field(default_factory=requests.Session)

    async def get(self, url: str) -> requests.Response:
        """Where a link leads in the end."""
        return await asyncio.to_thread(self.session.get, url, timeout=10)

    async def log_in(self, page: requests.Response, name: str) -> requests.Response:
        """Fill in the form of a login page."""
        found = re.search(r'action="([^"]+)"', page.text)
        assert found, page.text
        parts = urlsplit(page.url)
        form = {
            "username": name,
            "password": f"{name}-password",
            "_xsrf": self.session.cookies.get("_xsrf", path="/hub/"),
        }
        address = f"{parts.scheme}://{parts.netloc}{found[1].replace('&amp;', '&')}"
        return await asyncio.to_thread(self.session.post, address, data=form, timeout=10)


def place(name: str, url: str | None, **more: object) -> Any:  # noqa: ANN401  a Place, some of it given by name
    """A place of the values file."""
    variable = f"ELAB_PLACE_SECRET_{name.upper()}" if url else None
    return {
        "name": name,
        "title": f"The {name}",
        "description": "",
        "url": url,
        "groups": [],
        "default_for": [],
        "secret_variable": variable,
        **more,
    }


def with_hubs(
    values: dict[str, Any],
    folder: Path,
    plan: Plan,
    check: Callable[[Hubs], Awaitable[None]],
    *places: dict[str, Any],
    **member_place: object,
) -> None:
    """Run the check while both hubs run; the member is home's place `cloud`, and `places` are others."""

    async def run(directory_port: int) -> None:
        sockets = {host: bind_sockets(0, host) for host in (HOME_HOST, MEMBER_HOST)}
        urls = {host: f"http://{host}:{found[0].getsockname()[1]}" for host, found in sockets.items()}
        at_home, at_member = copy.deepcopy(values), copy.deepcopy(values)
        at_home["directory"]["servers"] = [{"host": "127.0.0.1", "port": directory_port, "ldaps": False}]
        at_home["directory"]["tls"] = "unencrypted"
        at_home["hub"]["public_url"] = urls[HOME_HOST]
        at_home["places"] = [*places, place("cloud", urls[MEMBER_HOST], **member_place)]
        at_member["hub"]["public_url"] = urls[MEMBER_HOST]
        at_member["directory"] = None
        at_member["home"] = {"place": "cloud", "ca_file": None, "refresh": 300}
        folders = {name: folder / name for name in ("home", "member")}
        for made in folders.values():
            made.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            for one in at_home["places"]:
                if one["secret_variable"]:
                    patch.setenv(one["secret_variable"], KEY if one["name"] == "cloud" else f"another-{one['name']}")
            patch.setenv("ELAB_HOME_URL", urls[HOME_HOST])
            patch.setenv("ELAB_HOME_SECRET", KEY)
            async with hub(at_home, folders["home"]) as home, hub(at_member, folders["member"]) as member:
                servers = {
                    HOME_HOST: HTTPServer(home.tornado_application),
                    MEMBER_HOST: HTTPServer(member.tornado_application),
                }
                for host, server in servers.items():
                    server.add_sockets(sockets[host])
                hubs = Hubs(
                    home=home,
                    member=member,
                    home_url=urls[HOME_HOST],
                    member_url=urls[MEMBER_HOST],
                    home_server=servers[HOME_HOST],
                )
                try:
                    await check(hubs)
                finally:
                    for server in servers.values():
                        server.stop()
                        await server.close_all_connections()

    with serve(plan) as port:
        asyncio.run(run(port))
