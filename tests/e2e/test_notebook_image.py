"""The notebook image by itself, as a user without a name: its applications start when they are asked for, and once."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.smoke.browser import Browser, WebSocket
from operate import rig
from tests.e2e.cluster import kubectl, run_in, until

NAMESPACE, POD = "e2e-image", "notebook"
BASE, TOKEN = "/user/e2e-image", "of-the-tests"
MANIFEST = Path(__file__).parent / "manifests/notebook.yaml"
FILES = [yaml.safe_load(file.read_text()) for file in sorted((rig.ROOT / "notebook-image/apps").glob("*/app.yaml"))]
PROGRAMS = {"openrefine": "com.google.refine.Refine", "rstudio": "/rserver", "marimo": "/bin/marimo"}
"""What the command line of each application's process has and no other has."""


@pytest.fixture(scope="module")
def address(lab: None) -> Iterator[str]:
    """Where the server answers, from the node."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", seconds=90)
    kubectl("apply", "-f", str(MANIFEST))
    kubectl("-n", NAMESPACE, "wait", f"pod/{POD}", "--for=condition=Ready", "--timeout=60s", seconds=70)
    ip = kubectl("-n", NAMESPACE, "get", "pod", POD, "-o", "jsonpath={.status.podIP}")
    yield f"http://{ip}:8888"
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def _ask(address: str, path: str, body: object = None, base: str = BASE) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{base}/{path}", data, {"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.status, answer.read().decode(errors="replace")


def _processes() -> list[str]:
    return run_in(NAMESPACE, POD, "ps", "-eo", "pid=,ppid=,args=").splitlines()


def _of_server(server: str) -> list[str]:
    """The processes that a server itself has started."""
    return [line for line in _processes() if line.split()[1] == server]


def _of(name: str) -> list[str]:
    """The processes of an application."""
    [server] = [line.split()[0] for line in _processes() if "jupyter-lab" in line and "tini" not in line]
    return [line for line in _of_server(server) if PROGRAMS[name] in line]


def test_whoever_runs_it_has_a_name_and_a_home(address: str) -> None:
    script = "id -u; whoami; touch ~/here && stat -c %U ~/here; [ -w /etc/shadow ] || echo nobody special"
    said = run_in(NAMESPACE, POD, "sh", "-c", script)
    assert said.split("\n") == ["1234567", "jovyan", "jovyan", "nobody special"]


def test_the_launcher_has_a_button_for_each_application_and_nothing_runs_yet(address: str) -> None:
    shown = json.loads(_ask(address, "server-proxy/servers-info")[1])["server_processes"]
    buttons = {one["name"]: one["launcher_entry"]["title"] for one in shown if one["launcher_entry"]["enabled"]}
    assert buttons == {one["name"]: one["title"] for one in FILES}
    for one in shown:
        icon = one["launcher_entry"]["icon_url"].removeprefix(f"{BASE}/")
        assert "<svg" in _ask(address, icon)[1]
    assert [_of(one["name"]) for one in FILES] == [[]] * len(FILES)


@pytest.mark.parametrize("name", [one["name"] for one in FILES])
def test_two_first_requests_at_once_start_an_application_once(address: str, name: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: _ask(address, f"{name}/"), range(2)))
    assert [status for status, _ in answers] == [200, 200]
    title = {"rstudio": "Stand-in for RStudio Server"}.get(name, name)
    assert all(title.lower() in text.lower() for _, text in answers)
    assert len(_of(name)) == 1


def test_what_a_person_types_comes_back_through_the_websocket(address: str) -> None:
    _ask(address, "rstudio/")
    console = WebSocket(Browser(address), f"{BASE}/rstudio/console?token={TOKEN}")
    _ask(address, "rstudio/rpc/console_input", {"params": ["6 * 7"]})
    printed = ""

    def answered() -> bool:
        nonlocal printed
        printed += console.receive().get("data", "")
        return "[1] 42" in printed

    until("R's answer", answered, 20, every=0)
    console.close()


def test_an_open_page_is_no_activity_and_what_its_person_does_is(address: str) -> None:
    _ask(address, "rstudio/")
    console = WebSocket(Browser(address), f"{BASE}/rstudio/console?token={TOKEN}")
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        # As its page does: the answer takes longer than it is until the sockets' own signs of life.
        poll = pool.submit(_ask, address, "rstudio/events/get_events", {"params": []})
        time.sleep(1)
        before = _last_activity(address)
        assert poll.result()[0] == 200
    assert time.monotonic() - begun > 40
    assert _last_activity(address) == before
    _ask(address, "rstudio/rpc/console_input", {"params": ["1"]})
    assert _last_activity(address) > before
    console.close()


def _last_activity(address: str) -> str:
    return json.loads(_ask(address, "api/status")[1])["last_activity"]


def test_nobody_reaches_an_application_but_through_the_server(address: str) -> None:
    for one in FILES:
        _ask(address, f"{one['name']}/")
    listening = run_in(NAMESPACE, POD, "sh", "-c", "cat /proc/net/tcp /proc/net/tcp6").splitlines()
    sockets = [line.split()[1] for line in listening if line.split()[3] == "0A"]
    local = ("0100007F:", "00000000000000000000000001000000:", "0000000000000000FFFF00000100007F:")
    assert any(socket.startswith(local) for socket in sockets)
    assert {int(socket.rpartition(":")[2], 16) for socket in sockets if not socket.startswith(local)} == {8888}
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{address}{BASE}/rstudio/rpc/console_input", b"{}", timeout=10)


def test_memory_is_shown_of_the_servers_own_limit(address: str) -> None:
    shown: dict[str, Any] = json.loads(_ask(address, "api/metrics/v1")[1])
    assert shown["limits"]["memory"]["rss"] == 2**30
    assert 0 < shown["rss"] < 2**30


def test_applications_end_with_the_server_that_started_them(address: str) -> None:
    # A second server, since the first one's end is the container's, and everything's.
    options = f"--port=8899 --ServerApp.base_url=/second/ --IdentityProvider.token={TOKEN}"
    own = "OPENREFINE_WORKSPACE=/tmp/second OPENREFINE_MEMORY=256"
    server = run_in(NAMESPACE, POD, "sh", "-c", f"{own} jupyter lab {options} >/tmp/second.log 2>&1 & echo $!")
    second = address.replace("8888", "8899")
    until("the second server", lambda: "is running at" in _said(), 30)
    for one in FILES:
        _ask(second, f"{one['name']}/", base="/second")
    began = _of_server(server)
    assert len(began) == len(FILES)
    run_in(NAMESPACE, POD, "kill", "-TERM", server)
    numbers = {line.split()[0] for line in began}
    until("their end", lambda: not numbers & {line.split()[0] for line in _processes()}, 20)


def _said() -> str:
    return run_in(NAMESPACE, POD, "cat", "/tmp/second.log")
