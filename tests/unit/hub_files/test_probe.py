"""The hub finds out cheaply whether a server that is starting listens yet."""

import asyncio
import socket
import time

from elab_spawner import CONNECT, listens


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
