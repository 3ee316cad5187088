"""A running Prometheus is sent a bad configuration by `start.sh`: itself it refuses it, goes on, says so and alerts.

In the cluster (test_monitoring.py) a test would have to wait for the ten minutes in which start.sh shows good ones
only, and for an alert's minutes besides; here the same script, program and rules run with seconds.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from components.monitoring.documents import FILES
from operate.rig import HOME

PATIENCE = 2
"""Seconds until a bad one is shown; elab's own value is ten minutes, as long as a start may take."""
GOOD, BAD = "vector(1)", "sum by ("


class Prometheus:
    """The real program under the real script, over a folder that changes as the kubelet changes it."""

    def __init__(self, folder: Path) -> None:
        self.mounted, self.disk = folder / "mounted", folder / "disk"
        self.mounted.mkdir()
        self.disk.mkdir()
        self._versions = 0
        text = (FILES / "start.sh").read_text()
        assert "every=5\n" in text
        self.script = folder / "start.sh"
        self.script.write_text(text.replace("every=5\n", "every=1\n"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"

    def mount(self, expression: str) -> None:
        """The configuration with one rule of a test's own, beside elab's rules of the monitoring."""
        self._versions += 1
        folder = self.mounted / f"..version-{self._versions}"
        (folder / "rules").mkdir(parents=True)
        config = yaml.safe_load((FILES / "prometheus/prometheus.yml").read_text())
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        del config["scrape_config_files"]
        itself = {"job_name": "prometheus", "static_configs": [{"targets": [self.address]}]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump({**config, "scrape_configs": [itself]}))
        own = {"groups": [{"name": "own", "rules": [{"record": "own", "expr": expression}]}]}
        (folder / "rules/own.yaml").write_text(yaml.safe_dump(own))
        # Minutes become seconds, so that a test need not wait for them.
        (folder / "rules/monitoring.yaml").write_text(
            re.sub(r"\b5m\b", "2s", (FILES / "rules/monitoring.yaml").read_text())
        )
        link = self.mounted / "..new"
        link.symlink_to(folder.name)
        link.rename(self.mounted / "..data")
        for name in ("prometheus.yml", "rules"):
            if not (self.mounted / name).exists():
                (self.mounted / name).symlink_to(f"..data/{name}")

    @contextmanager
    def started(self) -> Generator[None]:
        """The program, until the end."""
        promtool, prometheus = HOME / "bin/promtool", HOME / "bin/prometheus"
        assert promtool.exists(), "make up builds it"
        assert prometheus.exists(), "make up builds it"
        command = ["sh", self.script, self.mounted, self.disk, "prometheus.yml", str(PATIENCE)]
        command += [f"{promtool} check config", "--", prometheus, f"--config.file={self.disk}/config/prometheus.yml"]
        command += [f"--storage.tsdb.path={self.disk}/data", f"--web.listen-address={self.address}"]
        with (self.disk / "log").open("w") as log:
            running = subprocess.Popen(command, stderr=log, start_new_session=True, preexec_fn=_as_in_a_pod)
            try:
                yield
                assert running.poll() is None, (self.disk / "log").read_text()
            finally:
                # With the script's loop, which in a pod ends with its first process.
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()

    def ask(self, path: str) -> Any:  # noqa: ANN401  whatever the API answers
        try:
            with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}", timeout=2) as answer:
                return json.load(answer)["data"]
        except (urllib.error.URLError, ConnectionError):
            return None

    def rule(self) -> str | None:
        """The test's own rule, as the program has loaded it."""
        groups = (self.ask("rules") or {}).get("groups", [])
        return next((rule["query"] for group in groups for rule in group["rules"] if rule["name"] == "own"), None)

    def reload_succeeded(self) -> bool | None:
        """What it says of its last reload, as it has scraped it from itself."""
        found = (self.ask("query?query=prometheus_config_last_reload_successful") or {}).get("result", [])
        return found[0]["value"][1] == "1" if found else None

    def alerts(self) -> set[str]:
        """The alerts that fire."""
        return {
            one["labels"]["alertname"]
            for one in (self.ask("alerts") or {}).get("alerts", ())
            if one["state"] == "firing"
        }


def _as_in_a_pod() -> None:
    """Under nohup SIGHUP is ignored, and stays so."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def wait(what: str, until: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_a_running_prometheus_refuses_a_bad_rule_itself_and_says_so_until_it_is_mended(tmp_path: Path) -> None:
    prometheus = Prometheus(tmp_path)
    prometheus.mount(GOOD)
    with prometheus.started():
        wait("a start with the good rule", lambda: prometheus.reload_succeeded() and prometheus.rule() == GOOD)
        assert "PrometheusBadConfig" not in prometheus.alerts()
        time.sleep(PATIENCE)
        prometheus.mount(BAD)
        wait("a reload that it refuses", lambda: prometheus.reload_succeeded() is False)
        assert BAD in (prometheus.disk / "config/rules/own.yaml").read_text(), "it was shown the bad one"
        wait("its alert", lambda: "PrometheusBadConfig" in prometheus.alerts())
        assert prometheus.rule() == GOOD, "it goes on with what it had"
        prometheus.mount("vector(2)")
        wait("the mended rule", lambda: prometheus.rule() == "vector(2)")
        wait("the end of the alert", lambda: "PrometheusBadConfig" not in prometheus.alerts())
        assert prometheus.reload_succeeded()
