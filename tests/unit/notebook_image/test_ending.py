"""Applications have time to save when their server ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SERVER = """
import signal, subprocess, sys, time
from elab_apps import ending
ending.wait_at_exit(3)
application = '''
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(time.sleep(1) or open(sys.argv[1], "w").close()))
os.write(1, b"ready\\\\n")
time.sleep(60)
'''
subprocess.Popen([sys.executable, "-c", application, sys.argv[1]])
if sys.argv[2:]:
    kernel = "import os, time; os.write(1, b'ready\\\\n'); time.sleep(20)"
    subprocess.Popen([sys.executable, "-c", kernel], start_new_session=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(60)
"""


def _ended(saved: Path, *kernel: str) -> float:
    """Seconds from the signal, which a container's end sends to the whole group, to the server's end."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "notebook-image")}
    command = [sys.executable, "-c", SERVER, str(saved), *kernel]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        assert server.stdout is not None
        for _ in range(1 + len(kernel)):
            assert server.stdout.readline() == "ready\n"
        began = time.monotonic()
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(10)
        return time.monotonic() - began


def test_the_server_ends_after_its_applications_have_saved(tmp_path: Path) -> None:
    assert _ended(tmp_path / "saved") < 2.5
    assert (tmp_path / "saved").exists()


def test_the_server_does_not_wait_for_kernels(tmp_path: Path) -> None:
    assert _ended(tmp_path / "saved", "kernel") < 2.5
