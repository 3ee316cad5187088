"""The program that runs in a probe's pod, run here as it is."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).parents[3] / "operate/programs/reach.py"


def test_the_program_tells_who_listens_from_who_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        targets = [
            {"host": "127.0.0.1", "port": listener.getsockname()[1], "allowed": True},
            {"host": "127.0.0.1", "port": closed.getsockname()[1], "allowed": False},
        ]
        said = _said(targets, 20)
        assert said["reached"] == [True, False]
        assert said["seconds"] < 10
        # What stays as it must not be is told when the time is over.
        leak = [{**targets[0], "allowed": False}]
        assert _said(leak, 0.2)["reached"] == [True]


def _said(targets: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    asked = json.dumps({"seconds": seconds, "targets": targets})
    done = subprocess.run([sys.executable, PROGRAM, asked], capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)
