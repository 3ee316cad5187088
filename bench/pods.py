"""When what happens to people's pods: by a watch on the API server, by servers' logs, and by their processes."""

import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operate import rig
from operate.steps import output

_LISTENING = re.compile(r"(\S+) .*Jupyter Server \S+ is running at")


def kubectl(*arguments: str, text: str | None = None) -> str:
    """What kubectl prints; straight, since `lab/lab kubectl` takes a tenth of a second to begin."""
    return output([rig.HOME / "bin/kubectl", f"--kubeconfig={rig.kubeconfig()}", *arguments], text=text)


@dataclass(kw_only=True)
class Seen:
    """When the watch first saw what of a pod (seconds since 1970)."""

    created: float | None = None
    scheduled: float | None = None


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What a server's own process tells (seconds since 1970)."""

    process: float
    """The container's first process began."""
    first_line: float
    """It wrote its first line: everything was imported."""
    listening: float


@dataclass(kw_only=True)
class Watch:
    """Watches the pods of a namespace for as long as the run takes."""

    namespace: str
    _seen: dict[str, Seen] = field(default_factory=dict)
    _there: set[str] = field(default_factory=set)
    _process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        """Begin to watch, in a thread that ends with the process."""
        path = f"/api/v1/namespaces/{self.namespace}/pods?watch=1"
        command = [rig.HOME / "bin/kubectl", f"--kubeconfig={rig.kubeconfig()}", "get", "--raw", path]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def stop(self) -> None:
        """End the watch."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def of(self, pod: str) -> Seen:
        """What was seen of the newest pod of this name."""
        return self._seen.get(pod, Seen())

    def pods(self) -> set[str]:
        """The pods that are there, those that are ending included."""
        return set(self._there)

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._take(json.loads(line), time.time())

    def _take(self, event: dict[str, Any], now: float) -> None:
        pod = event["object"]
        name = pod["metadata"]["name"]
        if event["type"] == "DELETED":
            self._there.discard(name)
            return
        if event["type"] == "ADDED":
            self._seen[name] = Seen(created=now)
            self._there.add(name)
        seen = self._seen[name]
        if pod["spec"].get("nodeName") and seen.scheduled is None:
            seen.scheduled = now


def inside(namespace: str, pod: str) -> Inside:
    """What the log and the first process of a running server tell."""
    lines = kubectl("-n", namespace, "logs", pod, "--timestamps").splitlines()
    listening = next(match for match in map(_LISTENING.match, lines) if match)
    now, uptime, ticks, hertz = kubectl(
        *("-n", namespace, "exec", pod, "--", "sh", "-c"),
        "date +%s.%N; cut -d' ' -f1 /proc/uptime; sed 's/.*) //' /proc/1/stat | cut -d' ' -f20; getconf CLK_TCK",
    ).split()
    return Inside(
        process=float(now) - float(uptime) + int(ticks) / int(hertz),
        first_line=_seconds(lines[0].partition(" ")[0]),
        listening=_seconds(listening.group(1)),
    )


def _seconds(stamp: str) -> float:
    """A time of the container runtime's log, which has nanoseconds."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
