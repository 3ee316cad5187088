"""A real browser, and what a person does first in it."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

from tests.e2e.platform import Platform

SHOTS = Path(__file__).parents[2] / "build/e2e"
# Without these the browser asks its maker's servers, which the machine can't reach.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAB = "**/user/*/lab**"


@contextmanager
def opened() -> Generator[Page]:
    """An empty page; whatever goes wrong in a script of it is an error at the end."""
    program = shutil.which("chromium")
    assert program, "there is no chromium; run `make browser`"
    wrong: list[Error] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(90_000)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(error))
        yield page
        browser.close()
    assert not wrong, wrong


def shown(page: Page, name: str) -> None:
    """Keep a picture of what the person sees."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def log_in(page: Page, platform: Platform, name: str, path: str = "/") -> None:
    """Ask for a path, and fill in the login form."""
    page.goto(platform.url + path)
    page.fill("#username_input", name)
    page.fill("#password_input", platform.directory.passwords[name])
    shown(page, "login")
    page.click("#login_submit")
