"""The generated configuration in the real Jupyter server with the real jupyter-server-proxy."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from elab_apps import built
from elab_apps.applications import load
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from .folders import IMAGE, add

COUNTING = Path(__file__).with_name("counting.py")
BASE = "/user/alice/"
TOKEN = {"Authorization": "token of-alice"}


class Server:
    """Alice's Jupyter server."""

    def __init__(self, folder: Path) -> None:
        context, target, config = folder / "context", folder / "target", folder / "config"
        self.starts = folder / "starts"
        _applications(context, self.starts)
        for application in load(context):
            (target / "apps" / application.name / "bin").mkdir(parents=True)
        built.write(load(context), target)
        _hurry(target / built.WRITTEN)
        config.mkdir()
        text = (IMAGE / "etc/jupyter_server_config.py").read_text()
        assert text.count('"/opt/elab"') == 1
        # What the image has at /opt/elab.
        (target / "elab_apps").symlink_to(IMAGE / "elab_apps")
        (target / "app.schema.json").symlink_to(IMAGE / "app.schema.json")
        (config / "jupyter_server_config.py").write_text(text.replace("/opt/elab", str(target)))
        self.port = _free()
        settings = {
            "ServerApp": {"base_url": BASE, "port": self.port, "jpserver_extensions": {"jupyter_server_proxy": True}},
            "IdentityProvider": {"token": "of-alice"},
        }
        (config / "jupyter_server_config.json").write_text(json.dumps(settings))
        self.env = {
            **os.environ,
            "HOME": str(folder),
            # jupyter-server-proxy makes folders for its sockets, and leaves them.
            "TMPDIR": str(folder),
            "JUPYTER_CONFIG_PATH": str(config),
            "PYTHONDONTWRITEBYTECODE": "1",
            # The stand-in for RStudio takes a port.
            "JUPYTER_RSESSION_PROXY_USE_SOCKET": "no",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self.log = (folder / "log").open("w")
        command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"]
        self.process = subprocess.Popen(command, env=self.env, cwd=folder, stdout=self.log, stderr=self.log)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}{BASE}"

    def get(self, path: str, headers: dict[str, str] = TOKEN) -> tuple[int, bytes]:
        """The answer; a redirect to the login page is not followed."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", f"{BASE}{path}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def json(self, path: str) -> Any:  # noqa: ANN401
        status, text = self.get(path)
        assert status == 200, text
        return json.loads(text)

    def last_activity(self) -> datetime:
        return datetime.fromisoformat(self.json("api/status")["last_activity"])

    def wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get("api")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(Path(self.log.name).read_text())


def _applications(context: Path, starts: Path) -> None:
    add(
        context,
        "counting",
        command=[sys.executable, str(COUNTING), "{port}", str(starts)],
        ready="/ready",
        environment={"GREETING": "hello from {base_url}"},
        headers={"Host": "127.0.0.1:{port}"},
        idle_requests=["poll", "events/.*", "echo"],
    )
    add(
        context,
        "socketed",
        command=[sys.executable, str(COUNTING), "{unix_socket}", str(starts.with_name("socketed"))],
        unix_socket=True,
        ready="/ready",
        environment={"GREETING": "hello"},
        remove=("port",),
    )
    add(context, "absent", command=[sys.executable, "-c", "import time; time.sleep(60) # {port}"])
    entry_point = {"entry_point": "rstudio", "packages": {"jupyter": ["jupyter-rsession-proxy==2.5.1"]}}
    add(context, "rstudio", **entry_point, title="R in a window", remove=("command", "port"))


def _hurry(written: Path) -> None:
    """A file may not give less than ten seconds; a test need not wait as long."""
    found = json.loads(written.read_text())
    for one in found:
        one["timeout"] = 2 if one["name"] == "absent" else one["timeout"]
    written.write_text(json.dumps(found))


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("alice"))
    try:
        found.wait()
        yield found
    finally:
        found.process.terminate()
        found.process.wait(10)
        found.log.close()


def test_each_application_has_one_button_with_its_title_and_icon(server: Server) -> None:
    entries = {
        one["name"]: one["launcher_entry"] for one in server.json("server-proxy/servers-info")["server_processes"]
    }
    assert {name: entry["title"] for name, entry in entries.items()} == {
        "absent": "Absent",
        "counting": "Counting",
        "rstudio": "R in a window",
        "socketed": "Socketed",
    }
    assert len(server.json("server-proxy/servers-info")["server_processes"]) == 4
    for name, entry in entries.items():
        assert (entry["path_info"], entry["category"]) == (f"{name}/", "Notebook")
        status, icon = server.get(entry["icon_url"].removeprefix(BASE))
        assert status == 200
        assert icon.startswith(b"<svg")


def test_first_requests_at_once_start_one_process_and_wait_until_it_is_ready(server: Server) -> None:
    async def both() -> list[tuple[int, bytes]]:
        return await asyncio.gather(*(asyncio.to_thread(server.get, "counting/ready") for _ in range(4)))

    # Until its ready path answers 200 nobody is let through: no one sees its 503.
    assert [status for status, _ in asyncio.run(both())] == [200] * 4
    assert len(server.starts.read_text().splitlines()) == 1


def test_an_application_may_listen_on_a_socket(server: Server) -> None:
    assert server.get("socketed/ready") == (200, b"ready")


def test_it_is_asked_by_the_path_the_name_and_in_the_environment_of_its_file(server: Server) -> None:
    told = server.json("counting/some/path")
    assert told["path"] == "/some/path"
    assert told["greeting"] == f"hello from {BASE}"
    assert told["host"].startswith("127.0.0.1:")
    assert told["host"] != f"127.0.0.1:{server.port}"


def test_a_websocket_goes_through(server: Server) -> None:
    async def echoed() -> object:
        request = HTTPRequest(f"ws://{server.address}counting/echo", headers=TOKEN)
        connection = await websocket_connect(request)
        await connection.write_message("hello")
        return await connection.read_message()

    assert asyncio.run(echoed()) == "hello"


@pytest.mark.parametrize("path", ["counting/", "rstudio/", "counting/echo", "server-proxy/servers-info"])
def test_nobody_else_gets_in(server: Server, path: str) -> None:
    status, text = server.get(path, {"Authorization": "token of-bob"})
    assert status in (302, 403)
    assert b"hello" not in text


@pytest.mark.parametrize("path", ["counting/poll", "counting/events/get_events?x=1"])
def test_what_a_forgotten_tab_asks_for_is_no_use(server: Server, path: str) -> None:
    server.json("counting/click")
    before = server.last_activity()
    server.json(path)
    server.json(path)
    assert server.last_activity() == before


def test_whatever_else_a_person_asks_for_is_use(server: Server) -> None:
    before = server.last_activity()
    server.json("counting/polls")
    assert server.last_activity() > before


def test_messages_of_an_idle_websocket_are_no_use(server: Server) -> None:
    server.json("counting/click")
    before = server.last_activity()
    test_a_websocket_goes_through(server)
    assert server.last_activity() == before


def test_the_images_health_check_asks_the_server_itself_and_no_proxy(server: Server) -> None:
    command = [sys.executable, str(IMAGE / "etc/health")]
    nobody = "http://127.0.0.1:1"
    proxied = {**server.env, "http_proxy": nobody, "no_proxy": "", "PYTHONWARNINGS": "error"}
    subprocess.run(command, env=proxied, check=True)
    elsewhere = {**proxied, "HOME": "/nonexistent"}
    assert subprocess.run(command, env=elsewhere, capture_output=True, check=False).returncode != 0


def test_an_application_that_does_not_get_ready_is_an_error_in_its_time_out(server: Server) -> None:
    began = time.monotonic()
    status, text = server.get("absent/")
    assert status == 500
    assert b"could not start absent in time" in text
    assert 2 <= time.monotonic() - began < 5
