"""The hub finds out cheaply whether a server that is starting listens yet."""

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

from elab_spawner import CONNECT, listens
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.netutil import bind_sockets

from .running import hub, person


def test_a_server_that_listens_is_found_and_one_that_does_not_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/user/alice/"
        assert asyncio.run(listens(url))
    assert not asyncio.run(listens(url))


def test_a_network_that_drops_everything_costs_no_more_than_its_time_out() -> None:
    # A full backlog: the kernel drops what comes, as a network policy does that is not there yet.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        begun = time.monotonic()
        assert not asyncio.run(listens(f"http://127.0.0.1:{address[1]}/"))
        assert CONNECT * 0.9 < time.monotonic() - begun < CONNECT + 1
        for each in waiting:
            each.close()


def test_a_server_leads_the_hub_nowhere_else(values: dict[str, Any], tmp_path: Path) -> None:
    # What runs in a person's pod is theirs; the hub reaches what they don't, such as the proxy's API.
    asked: list[str] = []

    async def check() -> None:
        def answer(request: HTTPServerRequest) -> None:
            asked.append(request.path)
            assert request.connection is not None
            headers = HTTPHeaders({"Location": f"http://127.0.0.1:{port}/elsewhere", "Content-Length": "0"})
            request.connection.write_headers(ResponseStartLine("HTTP/1.1", 302, "Found"), headers)
            request.connection.finish()

        sockets = bind_sockets(0, "127.0.0.1")
        port = sockets[0].getsockname()[1]
        server = HTTPServer(answer)
        server.add_sockets(sockets)
        async with hub(values, tmp_path) as app:
            assert await person(app, "alice").spawner._answers(f"http://127.0.0.1:{port}")
        server.stop()

    asyncio.run(check())
    assert asked == ["/user/alice/api"]
