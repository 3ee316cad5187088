"""What the configuration file as a whole makes of a values file."""

import asyncio
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import elab_culling
import elab_hub
import elab_servers
import pytest
from elab_proxy import RoutingProxy
from elab_values import Values
from jupyterhub import _xsrf_utils
from jupyterhub.app import JupyterHub
from jupyterhub.proxy import ConfigurableHTTPProxy
from sqlalchemy import make_url
from tornado.httputil import HTTPHeaders
from traitlets.config import Config

from .running import hub, manifests


def configured(values: dict[str, Any], folder: Path, check: Callable[[JupyterHub], None]) -> None:
    async def run() -> None:
        async with hub(values, folder) as app:
            check(app)

    asyncio.run(run())


def test_an_extra_configuration_file_has_the_last_word(values: dict[str, Any], tmp_path: Path) -> None:
    extra = tmp_path / "extra_config.py"
    extra.write_text('c.JupyterHub.active_server_limit = 7\nc.Server.environment["MORE"] = "yes"\n')
    values["hub"]["extra_config"] = str(extra)

    def check(app: JupyterHub) -> None:
        assert app.active_server_limit == 7
        assert app.config.Server.environment["MORE"] == "yes"
        assert app.config.Server.environment["JUPYTER_CONFIG_PATH"]

    configured(values, tmp_path, check)


@pytest.mark.parametrize(
    ("public", "secure"), [("https://jupyter.example.org", True), ("http://127.0.0.1:30080", False)]
)
def test_cookies_are_for_https_only_where_people_come_by_https(
    values: dict[str, Any], tmp_path: Path, public: str, secure: bool
) -> None:
    values["hub"]["public_url"] = public

    def check(app: JupyterHub) -> None:
        assert app.tornado_settings["cookie_options"]["Secure"] is secure

    configured(values, tmp_path, check)


def test_refusals_never_end_the_hub_and_its_end_takes_no_servers(values: dict[str, Any], tmp_path: Path) -> None:
    def check(app: JupyterHub) -> None:
        assert app.config.Server.consecutive_failure_limit == 0
        assert app.cleanup_servers is False

    configured(values, tmp_path, check)


def test_a_database_url_that_is_a_secret_comes_from_the_environment(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values["hub"]["db_url"] = None
    monkeypatch.setenv("ELAB_DATABASE_URL", f"sqlite:///{tmp_path}/hub.sqlite")
    configured(values, tmp_path, lambda app: None)
    assert (tmp_path / "hub.sqlite").exists()


@pytest.mark.usefixtures("secrets")
def test_a_database_url_is_taken_as_clouds_write_it(values: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    values["hub"]["db_url"] = None
    monkeypatch.setattr(_xsrf_utils, "_anonymous_ip_cidrs", [])
    for scheme in ("postgres", "postgresql", "postgresql+psycopg2"):
        monkeypatch.setenv("ELAB_DATABASE_URL", f"{scheme}://hub:postgres://@db:5432/hub")
        config = Config()
        elab_hub.configure(config, values)
        assert make_url(config.JupyterHub.db_url).get_backend_name() == "postgresql"
        assert config.JupyterHub.db_url.endswith("://hub:postgres://@db:5432/hub")


def test_a_login_form_is_taken_whichever_proxy_its_two_requests_came_through(
    values: dict[str, Any], tmp_path: Path
) -> None:
    class Request:
        headers = HTTPHeaders({"User-Agent": "Firefox"})

        def __init__(self, address: str) -> None:
            self.remote_ip = address

    class Handler:
        def __init__(self, address: str) -> None:
            self.request = Request(address)

    def check(app: JupyterHub) -> None:
        one, other, person = (
            _xsrf_utils._anonymous_xsrf_id(Handler(ip)) for ip in ("10.1.2.3", "10.9.8.7", "203.0.113.5")
        )
        assert one == other != person
        assert app.trusted_downstream_ips == ["192.0.2.7"]

    configured(values, tmp_path, check)


def test_the_proxy_says_nothing_of_activity_so_that_a_forgotten_tab_keeps_no_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def routes(self: ConfigurableHTTPProxy, client: object = None) -> dict[str, Any]:
        data = {"user": "alice", "server_name": "", "last_activity": "2026-01-01T00:00:00Z"}
        return {"/user/alice/": {"routespec": "/user/alice/", "target": "http://10.0.0.1:8888", "data": data}}

    monkeypatch.setattr(ConfigurableHTTPProxy, "get_all_routes", routes)
    proxy = RoutingProxy(auth_token="t")
    [route] = asyncio.run(proxy.get_all_routes()).values()
    assert route["data"] == {"user": "alice", "server_name": ""}


@pytest.mark.parametrize(("max_age", "expected"), [(0, None), (86400, "--max-age=86400")])
def test_the_culler_asks_the_hub_beside_it_and_has_a_maximum_age_only_if_set(
    values: dict[str, Any], tmp_path: Path, max_age: int, expected: str | None
) -> None:
    values["culling"]["max_age"] = max_age

    def check(app: JupyterHub) -> None:
        [culler] = [service for service in app.services if service["name"] == "elab-culler"]
        assert "--timeout=3600" in culler["command"]
        assert [part for part in culler["command"] if part.startswith("--max-age")] == ([expected] if expected else [])
        assert not any(culler["api_token"] in part for part in culler["command"])

    configured(values, tmp_path, check)


@pytest.mark.parametrize(("timeout", "report"), [(3600, 300), (600, 150), (20, 5)])
def test_a_hub_that_was_away_for_long_culls_nobody_before_every_server_could_report(
    values: Values, timeout: int, report: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    values["culling"]["timeout"] = timeout
    monkeypatch.setenv("ELAB_TOKEN_CULLER", "c" * 32)
    config, order = Config(), []
    config.JupyterHub.services = []
    elab_culling.configure(config, values)
    [culler] = config.JupyterHub.services
    monkeypatch.setattr("time.sleep", lambda seconds: order.append(seconds))
    monkeypatch.setattr("runpy.run_module", lambda name, **_: order.append((name, sys.argv[1:])))
    monkeypatch.setattr("sys.argv", culler["command"][1:])
    runpy.run_path(culler["command"][1], run_name="__main__")
    [waited, (program, arguments)] = order
    # A report is late by a tenth of its interval at most, and JupyterHub's culler looks as soon as it starts.
    assert waited >= 1.1 * report
    assert waited < timeout
    assert program == "jupyterhub_idle_culler"
    assert f"--timeout={timeout}" in arguments
    assert elab_servers.environment(values)["JUPYTERHUB_ACTIVITY_INTERVAL"] == str(report)


def test_an_extra_configuration_file_may_offer_sizes_of_its_own(values: dict[str, Any], tmp_path: Path) -> None:
    extra = tmp_path / "extra_config.py"
    extra.write_text(
        "listed = c.Server.profile_list + [{'display_name': 'Course', 'kubespawner_override': {'mem_limit': '3G'}}]\n"
        "c.Server.profile_list = lambda spawner: listed\n"
    )
    values["hub"]["extra_config"] = str(extra)

    async def run() -> None:
        async with hub(values, tmp_path) as app:
            course, _ = await manifests(app, "alice", profile="course")
            small, _ = await manifests(app, "bob")
        limits = [pod["spec"]["containers"][0]["resources"]["limits"]["memory"] for pod in (course, small)]
        assert limits == [3 << 30, 2 << 30]

    asyncio.run(run())
