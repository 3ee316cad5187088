"""alice's own applications: opened from the launcher, kept from anybody else, and her work in them is kept for her."""

import base64
import io
import json
import tarfile
from collections.abc import Callable, Iterator

import pytest
import yaml
from playwright.sync_api import Locator, Page

from operate import rig
from tests.e2e.cluster import until
from tests.e2e.person import Kernel, Person
from tests.e2e.platform import Platform
from tests.e2e.real_browser import LAB, log_in, opened, shown
from tests.e2e.wheels import wheel

APPLICATIONS = {
    found["name"]: found["title"]
    for found in (yaml.safe_load(file.read_text()) for file in (rig.ROOT / "notebook-image/apps").glob("*/app.yaml"))
}
"""Name and title of every application of the image."""


@pytest.fixture(scope="module")
def alice(platform: Platform) -> Person:
    """alice, whose server has room for all of them at once."""
    alice = platform.person("alice").log_in()
    if alice.has_server():
        alice.stop()
    return alice.start("large")


@pytest.fixture(scope="module")
def launcher(platform: Platform, alice: Person) -> Iterator[Page]:
    """Her launcher, in a browser where she has logged in."""
    with opened() as page:
        log_in(page, platform, alice.name)
        page.wait_for_url(LAB)
        page.locator(".jp-LauncherCard").first.wait_for()
        yield page


def _button(launcher: Page, title: str) -> Locator:
    return launcher.locator(".jp-LauncherCard[data-category='Notebook']", has_text=title)


def _work_in_openrefine(tab: Page) -> None:
    """Make a project of two rows."""
    tab.get_by_text("Clipboard").first.click()
    tab.locator("textarea:visible").fill("town,people\nUlm,126000\nKiel,247000\n")
    tab.get_by_role("button", name="Next").locator("visible=true").click()
    tab.get_by_role("button", name="Create project").locator("visible=true").first.click()
    tab.get_by_text("2 rows").wait_for()
    tab.get_by_text("Kiel").wait_for()


def _work_in_rstudio(tab: Page) -> None:
    """Have R reckon; the answer comes by a websocket."""
    tab.get_by_label("R", exact=True).fill("6 * 7")
    tab.keyboard.press("Enter")
    tab.get_by_label("console").get_by_text("[1] 42").wait_for()


def _work_in_marimo(tab: Page) -> None:
    """Make a notebook and have it reckon; the answer comes by a websocket."""
    with tab.context.expect_page() as opening:
        tab.get_by_text("Create a new notebook").first.click()
    notebook = opening.value
    notebook.locator(".cm-content").first.wait_for()
    notebook.locator(".cm-content").first.click()
    notebook.keyboard.type("6 * 7")
    notebook.keyboard.press("Control+Enter")
    notebook.locator(".output-area").get_by_text("42", exact=True).wait_for()
    shown(notebook, "apps-marimo-notebook")


WORK: dict[str, Callable[[Page], None]] = {
    "openrefine": _work_in_openrefine,
    "rstudio": _work_in_rstudio,
    "marimo": _work_in_marimo,
}


def test_every_application_has_a_button_with_its_own_icon(launcher: Page) -> None:
    shown(launcher, "apps-launcher")
    for name, title in APPLICATIONS.items():
        image = _button(launcher, title).locator("img")
        image.wait_for()
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        assert (image.get_attribute("src") or "").endswith(f"/server-proxy/icon/{name}")


@pytest.mark.parametrize("name", sorted(APPLICATIONS))
def test_alice_opens_it_by_its_button_and_works_in_it(launcher: Page, name: str) -> None:
    with launcher.context.expect_page() as opening:
        _button(launcher, APPLICATIONS[name]).click()
    tab = opening.value
    tab.wait_for_url(f"**/user/alice/{name}/**")
    WORK[name](tab)
    shown(tab, f"apps-{name}")
    tab.close()


def test_bob_and_who_is_nobody_are_refused_at_each_of_her_applications(platform: Platform, alice: Person) -> None:
    bob, nobody = platform.person("bob").log_in(), platform.person("ada")
    for name in APPLICATIONS:
        assert alice.request("GET", f"/user/alice/{name}/")[0] == 200
        assert bob.request("GET", f"/user/alice/{name}/")[0] == 403
        assert "/hub/login" in nobody.request("GET", f"/user/alice/{name}/")[2]


def _r_package() -> bytes:
    """A package of R, made here, since pods reach no registry."""
    files = {
        "hers/DESCRIPTION": "Package: hers\nVersion: 1.0\nTitle: Hers\nDescription: Hers.\nLicense: GPL-3\n"
        "Author: alice\nMaintainer: alice <alice@example.org>\n",
        "hers/NAMESPACE": "export(answer)\n",
        "hers/R/answer.R": "answer <- function() 'from her own R package'\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _upload(person: Person, name: str, content: bytes) -> None:
    text = base64.b64encode(content).decode()
    person.call("PUT", f"contents/{name}", {"type": "file", "format": "base64", "content": text})


def _projects(person: Person) -> list[str]:
    """Her projects in OpenRefine, by its own account."""
    status, text, _ = person.request("GET", f"{person.home}/openrefine/command/core/get-all-project-metadata")
    assert status == 200
    return list(json.loads(text)["projects"])


def test_packages_settings_and_workspaces_are_there_after_stop_and_start(alice: Person) -> None:
    alice.request("GET", f"{alice.home}/openrefine/")
    projects = _projects(alice)
    assert projects, "she has made one at her browser"
    _upload(alice, "plain-1.0-py3-none-any.whl", wheel("plain", "ANSWER = 'installed without --user'\n"))
    _upload(alice, "hers_1.0.tar.gz", _r_package())
    python, r = alice.kernel(), Kernel.of(alice, "ir")
    python.run(
        "import subprocess, sys\n"
        "pip = [sys.executable, '-m', 'pip', 'install', '--no-index', 'plain-1.0-py3-none-any.whl']\n"
        "done = subprocess.run(pip, capture_output=True, text=True)\n"
        "assert done.returncode == 0, done.stderr"
    )
    r.run("install.packages('hers_1.0.tar.gz', repos = NULL, quiet = TRUE)")
    setting = f"{alice.home}/lab/api/settings/@jupyterlab/apputils-extension:themes"
    dark = {"raw": json.dumps({"theme": "JupyterLab Dark"})}
    assert alice.request("PUT", setting, body=dark)[0] == 204
    alice.stop()
    alice.start("large")
    python, r = alice.kernel(), Kernel.of(alice, "ir")
    assert python.run("import plain; print(plain.ANSWER)") == "installed without --user\n"
    assert r.run("cat(hers::answer())") == "from her own R package"
    assert json.loads(alice.request("GET", setting)[1])["settings"]["theme"] == "JupyterLab Dark"
    # What an application does by itself when it starts takes a moment.
    until("OpenRefine", lambda: alice.request("GET", f"{alice.home}/openrefine/")[0] == 200, 60)
    assert _projects(alice) == projects
    assert "6 * 7" in r.run("cat(readLines('~/.local/share/rstudio/history_database'))")
