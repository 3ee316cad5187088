"""The lab's cluster as its administrator sees it, every call bounded in time."""

import functools
import json
import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

from operate import rig

T = TypeVar("T")
Object = dict[str, Any]
"""A Kubernetes object as the API shows it."""


@functools.cache
def _command() -> list[str]:
    return [str(rig.HOME / "bin/kubectl"), f"--kubeconfig={rig.kubeconfig()}"]


def try_kubectl(*arguments: str, text: str | None = None, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """What became of a command that may fail."""
    return subprocess.run(
        [*_command(), *arguments], input=text, text=True, capture_output=True, check=False, timeout=seconds
    )


def kubectl(*arguments: str, text: str | None = None, seconds: float = 60) -> str:
    """What kubectl prints; a failure fails the test with what it said."""
    done = try_kubectl(*arguments, text=text, seconds=seconds)
    assert done.returncode == 0, f"kubectl {' '.join(arguments[:6])}: {done.stderr.strip()[-1500:]}"
    return done.stdout.strip()


def found(kind: str, namespace: str | None = None, *options: str) -> list[Object]:
    """All objects of a kind."""
    where = ("-n", namespace) if namespace else ()
    return json.loads(kubectl("get", kind, *where, *options, "-o", "json"))["items"]


def one(kind: str, name: str, namespace: str | None = None) -> Object:
    """One object, which is there."""
    where = ("-n", namespace) if namespace else ()
    return json.loads(kubectl("get", kind, name, *where, "-o", "json"))


def maybe(kind: str, name: str, namespace: str | None = None) -> Object | None:
    """One object, if it is there; asked once, since it may go between two questions."""
    where = ("-n", namespace) if namespace else ()
    text = kubectl("get", kind, name, *where, "--ignore-not-found", "-o", "json")
    return json.loads(text) if text.strip() else None


def exists(kind: str, name: str, namespace: str | None = None) -> bool:
    """Whether there is such an object."""
    where = ("-n", namespace) if namespace else ()
    return bool(kubectl("get", kind, name, *where, "--ignore-not-found", "-o", "name"))


def run_in(namespace: str, pod: str, *command: str, seconds: float = 60) -> str:
    """What a command prints inside a pod (``deploy/NAME`` names a Deployment's)."""
    return kubectl("-n", namespace, "exec", pod, "--", *command, seconds=seconds)


def roll_out(namespace: str, *deployments: str, seconds: float = 90) -> None:
    """Wait until Deployments have what they want."""
    for name in deployments:
        kubectl(
            "-n", namespace, "rollout", "status", f"deployment/{name}", f"--timeout={seconds:.0f}s", seconds=seconds + 5
        )


def until(what: str, check: Callable[[], T], seconds: float = 60, every: float = 0.3) -> T:
    """Ask again until the answer is truthy, and give it; fail by name when it is not in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(every)
