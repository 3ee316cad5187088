"""A server waits for its hub, as long as it has to and no longer."""

import socket
import threading
import time

import elab_arrival


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_hub_that_accepts_is_reached_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        begun = time.monotonic()
        assert elab_arrival.reached("127.0.0.1", server.getsockname()[1], 5)
        assert time.monotonic() - begun < 1


def test_a_hub_that_refuses_first_is_reached_soon_after_it_accepts() -> None:
    port, opened = free_port(), []

    def open_later() -> None:
        time.sleep(0.3)
        opened.append(socket.create_server(("127.0.0.1", port)))

    thread = threading.Thread(target=open_later)
    thread.start()
    begun = time.monotonic()
    assert elab_arrival.reached("127.0.0.1", port, 10)
    assert 0.25 < time.monotonic() - begun < 1.5
    thread.join()
    opened[0].close()


def test_patience_ends() -> None:
    begun = time.monotonic()
    assert not elab_arrival.reached("127.0.0.1", free_port(), 0.2)
    assert time.monotonic() - begun < 2
