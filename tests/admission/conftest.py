"""An API server of the tests' own, on ports of its own: a lab that runs is not touched, and none is needed."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.labkit import definitions, settings
from lab.plugins.tests.calls import Lab
from tests.admission.server import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run by `make e2e`: they need the lab's programs, and processor time."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("e2e")


def _free_ports(number: int) -> str:
    """Ports of the loopback that nobody listens on."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return ",".join(str(one.getsockname()[1]) for one in found)


@pytest.fixture(scope="session", params=definitions.sets())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """An API server that knows a set of others' definitions."""
    with tempfile.TemporaryDirectory(prefix="elab-admission-") as folder:
        lab = Lab(home=Path(folder))
        (lab.home / "bin").symlink_to(settings.BIN)
        up = lab.run("up", "--api-server", LAB_PORTS=_free_ports(3))
        try:
            if up.returncode:
                pytest.fail(f"no API server: {up.stdout[-500:]}{up.stderr[-500:]}", pytrace=False)
            found = Server(lab.run("kubeconfig").stdout.strip())
            found.define(definitions.files(request.param))
            yield found
        finally:
            assert lab.run("down", "--wipe").returncode == 0
