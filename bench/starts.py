"""One person's way from the login page to a notebook API that answers, and where its time goes."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

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


@dataclass(kw_only=True)
class Moments:
    """What the person's browser sees (seconds since 1970)."""

    began: float = 0
    logged_in: float = 0
    detected: float = 0
    ended: float = 0


def start(hub: RunningHub, person: Person) -> Start:
    """Log in, start a server and use it; then stop it, and wait until nothing of it is left."""
    browser, moments = Browser(hub.url), Moments()
    _use(browser, person, moments)
    pod = f"jupyter-{person.name}"
    seen, within = hub.watch.of(pod), inside(hub.users_namespace, pod)
    if seen.created is None or seen.scheduled is None:
        raise BrowserError(f"the watch on {hub.users_namespace} missed {pod}")
    middle = (seen.created, seen.scheduled, within.process, within.first_line, within.listening)
    every = (moments.began, moments.logged_in, *middle, moments.detected, moments.ended)
    parts = {name: every[at + 1] - every[at] for at, name in enumerate(PARTS)}
    _stop(hub, browser, person)
    return Start(total=moments.ended - moments.began, parts=parts)


def storm(hub: RunningHub, people: Sequence[Person]) -> list[Start]:
    """All of them at once; nobody stops before everybody has a server."""
    browsers = [Browser(hub.url) for _ in people]
    moments = [Moments() for _ in people]
    with ThreadPoolExecutor(len(people)) as threads:
        list(threads.map(_use, browsers, people, moments))
        list(threads.map(lambda browser, person: _stop(hub, browser, person), browsers, people))
    return [Start(total=found.ended - found.began) for found in moments]


def _use(browser: Browser, person: Person, moments: Moments) -> None:
    moments.began = time.time()
    browser.log_in(person.name, person.password)
    moments.logged_in = time.time()
    browser.start_server(person.name)
    moments.detected = time.time()
    browser.open_server(person.name)
    moments.ended = time.time()


def _stop(hub: RunningHub, browser: Browser, person: Person) -> None:
    browser.stop_server(person.name)

    def gone() -> bool:
        return f"jupyter-{person.name}" not in hub.watch.pods() and browser.server_is_gone(person.name)

    if not wait_for(f"the end of {person.name}'s server", gone, _GONE_SECONDS, every=0.1):
        raise BrowserError(f"the server of {person.name} at {hub.url} does not end")
