"""A person at a real browser: what no request by itself can show, such as a page that stays empty."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.cluster import until
from tests.e2e.platform import Platform
from tests.e2e.real_browser import LAB, log_in, opened, shown


@pytest.fixture
def page() -> Iterator[Page]:
    with opened() as page:
        yield page


def test_a_person_logs_in_works_and_finds_unsaved_work_on_the_disk(platform: Platform, page: Page) -> None:
    # Nothing of an earlier test may be in the way: the person starts on the hub's own pages.
    bob = platform.person("bob").log_in()
    if bob.model()["servers"]:
        bob.stop()
    log_in(page, platform, "bob")
    start = page.get_by_role("button", name="Start")
    start.wait_for()
    shown(page, "profiles")
    start.click()
    page.wait_for_url(LAB)
    launcher = page.locator(".jp-LauncherCard[data-category='Notebook']").first
    launcher.wait_for()
    shown(page, "launcher")
    launcher.click()
    # What is run before the kernel is there is not run at all.
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    cell = page.locator(".jp-Notebook .jp-Cell .cm-content").first
    cell.press_sequentially("print(6 * 7)")
    expect(cell).to_contain_text("6 * 7")
    output = page.locator(".jp-OutputArea-output").first

    def printed() -> bool:
        cell.press("Control+Enter")
        page.wait_for_timeout(2_000)
        return output.count() > 0 and output.inner_text().strip() == "42"

    # JupyterLab shows the kernel as idle a moment before it takes code; a person runs the cell once more.
    until("what the cell prints", printed, 60, every=0)
    shown(page, "notebook")
    # Nobody presses "save": autosave has a minute.
    until("the work on the disk", lambda: "6 * 7" in _files(platform), 90, every=2)


def _files(platform: Platform) -> str:
    return platform.in_pod("bob", "sh", "-c", "cat /home/jovyan/*.ipynb 2>/dev/null || true")


def test_somebody_outside_the_group_reads_why(platform: Platform, page: Page) -> None:
    log_in(page, platform, "eve")
    page.get_by_text("group").first.wait_for()
    shown(page, "refused")
