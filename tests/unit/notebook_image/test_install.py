"""Installing applications: nothing that was not verified, nothing that would not start."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from elab_apps import install as installing
from elab_apps import releases
from elab_apps.__main__ import main
from elab_apps.applications import load
from elab_apps.install import codename

from .folders import add, release

INSTALL = """
test -s "$ELAB_DOWNLOADS/hello.tar.gz"
echo "$ELAB_VERSION $(basename "$PWD")" > "$ELAB_APP/said"
install -m 755 /dev/stdin "$ELAB_APP/bin/hello" <<< '#!/bin/sh'
"""


class Publisher:
    """A server that has releases, and counts who asks."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, 0
        publisher = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith(".broken"):
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.write(b"the first part")
                else:
                    super().do_GET()

            def log_message(self, format: str, *args: object) -> None:
                publisher.asked += 1

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))

    def publish(self, name: str, content: bytes) -> dict[str, object]:
        """A release as an application names it."""
        (self.folder / name).write_bytes(content)
        url = f"http://127.0.0.1:{self.server.server_port}/{name}"
        return release(url=url, checksum=f"sha256:{hashlib.sha256(content).hexdigest()}")


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    folder = tmp_path / "published"
    folder.mkdir()
    found = Publisher(folder)
    threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    found.server.shutdown()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elab_apps.releases.PAUSE", 0.0)


def install(context: Path, *more: str) -> int:
    target, cache = context / "target", context / "cache"
    arguments = ["--context", context, "--target", target, "--cache", cache, *more]
    return main(["install", *map(str, arguments)])


def hello(context: Path, download: dict[str, object], script: str = INSTALL) -> None:
    folder = add(context, version="1.0", downloads=[download])
    (folder / "install.sh").write_text(script)


def test_a_verified_release_is_installed_and_told_to_jupyter(tmp_path: Path, publisher: Publisher) -> None:
    hello(tmp_path, publisher.publish("hello-1.0.tar.gz", b"hello"))
    assert install(tmp_path) == 0
    own = tmp_path / "target/apps/hello"
    assert (own / "said").read_text() == "1.0 hello\n"
    (told,) = json.loads((tmp_path / "target/applications.json").read_text())
    assert told["command"] == [str(own / "bin/hello"), "--port={port}"]
    assert Path(told["icon"]).read_text().startswith("<svg")


def test_a_release_with_another_checksum_is_refused_before_anything_is_installed(
    tmp_path: Path, publisher: Publisher, capfd: pytest.CaptureFixture[str]
) -> None:
    download = publisher.publish("hello-1.0.tar.gz", b"hello")
    (publisher.folder / "hello-1.0.tar.gz").write_bytes(b"something else")
    hello(tmp_path, download)
    assert install(tmp_path) == 1
    said = capfd.readouterr().err
    assert "apps/hello/app.yaml: downloads.0.checksum" in said
    assert hashlib.sha256(b"something else").hexdigest() in said
    assert str(download["checksum"]) in said
    assert not (tmp_path / "target").exists()
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_release_is_asked_for_once_for_all_builds(tmp_path: Path, publisher: Publisher) -> None:
    hello(tmp_path, publisher.publish("hello-1.0.tar.gz", b"hello"))
    assert install(tmp_path) == install(tmp_path) == 0
    assert publisher.asked == 1


def test_a_kept_release_that_was_damaged_is_asked_for_again(tmp_path: Path, publisher: Publisher) -> None:
    hello(tmp_path, publisher.publish("hello-1.0.tar.gz", b"hello"))
    assert install(tmp_path) == 0
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(b"damaged")
    assert install(tmp_path) == 0
    assert publisher.asked == 2


def test_a_release_that_is_not_there_is_told_without_asking_again(
    tmp_path: Path, publisher: Publisher, capfd: pytest.CaptureFixture[str]
) -> None:
    download = publisher.publish("hello-1.0.tar.gz", b"hello")
    (publisher.folder / "hello-1.0.tar.gz").unlink()
    hello(tmp_path, download)
    assert install(tmp_path) == 1
    said = capfd.readouterr().err
    assert "apps/hello/app.yaml: downloads.0.url" in said
    assert "404" in said
    assert "Traceback" not in said
    # http.server logs an error and the answer.
    assert publisher.asked <= 2


def test_a_connection_that_breaks_is_tried_again_and_never_taken_for_another_release(
    tmp_path: Path, publisher: Publisher, capfd: pytest.CaptureFixture[str]
) -> None:
    hello(tmp_path, publisher.publish("hello.broken", b"the first part, and the second"))
    assert install(tmp_path) == 1
    said = capfd.readouterr().err
    assert "apps/hello/app.yaml: downloads.0.url" in said
    assert "986 more expected" in said
    assert publisher.asked == releases.ATTEMPTS
    assert list((tmp_path / "cache").iterdir()) == []


def test_builds_of_several_platforms_at_once_do_not_write_each_others_files(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    hello(tmp_path, publisher.publish("hello-1.0.tar.gz", b"hello"))
    (application,) = load(tmp_path)
    (download,) = application.downloads
    both = threading.Barrier(2, timeout=10)
    real = releases._get

    def together(url: str, context: Path, to: Path) -> None:
        real(url, context, to)
        both.wait()

    monkeypatch.setattr(releases, "_get", together)

    def fetched(platform: str) -> bytes:
        return releases.fetch(application, download, tmp_path, tmp_path / "cache", tmp_path / platform).read_bytes()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fetched, ("amd64", "arm64"))) == [b"hello", b"hello"]


def test_a_release_may_lie_in_the_images_folder(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases/hello.gz").write_bytes(b"hello")
    checksum = f"sha512:{hashlib.sha512(b'hello').hexdigest()}"
    hello(tmp_path, release(url="https://example.org/{version}"))
    other = f"hello: {{downloads: [{release(url='releases/hello.gz', checksum=checksum)}]}}"
    (tmp_path / "mirror.yaml").write_text(other)
    assert install(tmp_path, "--downloads", "mirror.yaml") == 0


def test_a_command_that_the_image_does_not_have_is_refused(
    tmp_path: Path, publisher: Publisher, capfd: pytest.CaptureFixture[str]
) -> None:
    hello(tmp_path, publisher.publish("hello-1.0.tar.gz", b"hello"), script="true")
    assert install(tmp_path) == 1
    assert 'apps/hello/app.yaml: command.0\n    found:   "hello", which is not in the image' in capfd.readouterr().err
    assert not (tmp_path / "target/applications.json").exists()


def test_a_step_that_fails_is_told_by_its_file(
    tmp_path: Path, publisher: Publisher, capfd: pytest.CaptureFixture[str]
) -> None:
    hello(tmp_path, publisher.publish("hello-1.0.tar.gz", b"hello"), script="echo why >&2; false; echo never")
    assert install(tmp_path) == 1
    said = capfd.readouterr()
    assert "why" in said.err
    assert "apps/hello/install.sh\n" in said.err
    assert "never" not in said.out


def test_an_entry_point_that_no_package_brings_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "_pip", lambda *_: None)
    add(
        tmp_path,
        "shiny",
        entry_point="shiny",
        packages={"jupyter": ["jupyter-shiny-proxy==1"]},
        remove=("command", "port"),
    )
    assert install(tmp_path) == 1
    said = capfd.readouterr().err
    assert "apps/shiny/app.yaml: entry_point" in said
    # jupyter-rsession-proxy, which is installed here, brings that one.
    assert "one of rstudio" in said


def test_an_applications_own_environment_sees_the_bases_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = installing._run

    def without_pip(command: list[object], *more: object) -> None:
        if "pip" not in command:
            real(command, *more)  # ty: ignore[invalid-argument-type]

    monkeypatch.setattr(installing, "_run", without_pip)
    add(tmp_path, command=["python", "{port}"], packages={"python": ["marimo==0.25.2"]})
    assert install(tmp_path) == 0
    own = tmp_path / "target/apps/hello/bin/python"
    command = [own, "-c", "import jupyter_server_proxy, sys; print(sys.prefix)"]
    said = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(own.parents[1])
    assert said.stdout.strip() != sys.prefix


def test_the_distribution_is_known_by_its_codename(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('NAME="Ubuntu"\nVERSION_CODENAME="noble"\n')
    assert codename(file) == "noble"
    file.write_text("ID=alpine\n")
    assert codename(file) == ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="install bash")
def test_the_projects_install_scripts_are_bash() -> None:
    scripts = sorted((Path(__file__).parents[3] / "notebook-image/apps").glob("*/install.sh"))
    assert len(scripts) == 2
    for script in scripts:
        subprocess.run(["bash", "-n", script], check=True)
