"""One person's way from the login page to a notebook API that answers, and where its time goes."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

from bench.browser import Browser, BrowserError
from bench.hubs import Person, RunningHub
from bench.pods import inside
from operate.steps import wait_for

PARTS = ("login", "create", "schedule", "start", "import", "listen", "detect", "open")
"""login page and password; until the pod is there; until it has a node; until its process runs; until everything is
imported; until it listens; until the hub has it ready; until the person is let in and the API answers."""
_GONE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Start:
    """How long one person waited, in seconds."""

    total: float
    parts: dict[str, float] | None = None
    """By the names in PARTS; together they are the total."""


def start(hub: RunningHub, person: Person, *, split: bool = False, ready: Barrier | None = None) -> Start:
    """Log in, start a server and use it; then stop it, and wait until nothing of it is left."""
    browser = Browser(hub.url)
    if ready is not None:
        ready.wait()
    began = time.time()
    browser.log_in(person.name, person.password)
    logged_in = time.time()
    browser.start_server(person.name)
    detected = time.time()
    browser.open_server(person.name)
    ended = time.time()
    parts = None
    if split:
        pod = f"jupyter-{person.name}"
        seen, within = hub.watch.of(pod), inside(hub.users_namespace, pod)
        if seen.created is None or seen.scheduled is None:
            raise BrowserError(f"the watch on {hub.users_namespace} missed {pod}")
        moments = (began, logged_in, seen.created, seen.scheduled)
        moments += (within.process, within.first_line, within.listening, detected, ended)
        parts = {name: moments[at + 1] - moments[at] for at, name in enumerate(PARTS)}
    _stop(hub, browser, person)
    return Start(total=ended - began, parts=parts)


def storm(hub: RunningHub, people: Sequence[Person]) -> list[Start]:
    """All of them at once."""
    ready = Barrier(len(people))
    with ThreadPoolExecutor(len(people)) as threads:
        return list(threads.map(lambda person: start(hub, person, ready=ready), people))


def _stop(hub: RunningHub, browser: Browser, person: Person) -> None:
    browser.stop_server(person.name)

    def gone() -> bool:
        return f"jupyter-{person.name}" not in hub.watch.pods() and browser.server_is_gone(person.name)

    if not wait_for(f"the end of {person.name}'s server", gone, _GONE_SECONDS, every=0.1):
        raise BrowserError(f"the server of {person.name} at {hub.url} does not end")
