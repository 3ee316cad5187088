"""A real Filebeat with the platform's own configuration, in a folder that stands for a node."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from components.logging.agents import CA_FILE, STATE
from lab.labkit import settings
from tests.unit.logging.shippers import FILEBEAT

PROGRAM = settings.BIN / "filebeat"
STREAMS = "elab"
PASSWORD = "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0u"
"""Letters and digits, as passwords of shippers are."""
_PATIENCE = 40
"""Seconds; a test that waits for so long has failed."""


def configuration(folder: Path, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  any option
    """The platform's configuration for this node, less what Filebeat 7.17 does not have, and with shorter times.

    Paths lead below the folder. Left out is the input `journald`, which the tests' Filebeat is built without. A node's
    files are looked for twice a second instead of every ten.
    """
    text = (FILEBEAT / "filebeat.yml").read_text()
    for path in ("/etc/elab/filebeat", CA_FILE, "/var/log", STATE):
        own = FILEBEAT if path == "/etc/elab/filebeat" else folder / path.lstrip("/")
        text = text.replace(path, str(own))
    made = yaml.safe_load(text)
    made["filebeat.inputs"] = [source for source in made["filebeat.inputs"] if source["type"] == "filestream"]
    for source in made["filebeat.inputs"]:
        source["prospector.scanner"]["check_interval"] = "500ms"
    made["http.enabled"] = False
    made["output.elasticsearch"] |= changes.pop("output", {})
    return made | changes


class Node:
    """A node with its log files, and Filebeat on it."""

    def __init__(self, folder: Path, port: int, authority: str, **changes: Any) -> None:  # noqa: ANN401  any option
        self.folder, self.logs = folder, folder / "var/log"
        self.logs.mkdir(parents=True)
        ca = folder / CA_FILE.lstrip("/")
        ca.parent.mkdir(parents=True)
        ca.write_text(authority)
        self._config = folder / "filebeat.yml"
        self._config.write_text(yaml.safe_dump(configuration(folder, **changes)))
        self._config.chmod(0o600)
        self._port, self._running = port, None

    def append(self, file: str, *lines: str) -> None:
        """Write lines to the end of one of its files."""
        with (self.logs / file).open("a") as log:
            log.writelines(f"{line}\n" for line in lines)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Filebeat's to its end."""
        return subprocess.run(
            [PROGRAM, "-c", self._config, *arguments],
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )

    def start(self) -> None:
        """Start it as its container does."""
        with (self.folder / "filebeat.log").open("a") as log:
            self._running = subprocess.Popen(
                [PROGRAM, "-e", "-c", self._config], env=self._environment, cwd=self.folder, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self._end(lambda process: process.kill())

    def stop(self) -> None:
        """End it as the kubelet does."""
        self._end(lambda process: process.terminate())

    def _end(self, how: Callable[[subprocess.Popen[Any]], None]) -> None:
        if self._running is not None:
            how(self._running)
            self._running.wait(timeout=_PATIENCE)
            self._running = None

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "ELAB_NODE": "node-7",
            "ELAB_CLUSTER": "campus",
            "ELAB_STREAMS": STREAMS,
            "ELASTICSEARCH_HOST": "127.0.0.1",
            "ELASTICSEARCH_PORT": str(self._port),
            "ELASTICSEARCH_USER": "filebeat",
            "ELASTICSEARCH_PASSWORD": PASSWORD,
        }


def wait_for(what: Callable[[], bool], why: str) -> None:
    """Wait until something holds."""
    until = time.monotonic() + _PATIENCE
    while not what():
        assert time.monotonic() < until, f"{why}: not within {_PATIENCE} s"
        time.sleep(0.1)
