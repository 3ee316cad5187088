"""The engine of workflows: only an archive whose digest is remembered is unpacked, and two origins agree on it."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from operate.engine import REMEMBERED, Engine, digests, version
from operate.steps import OperationError

VERSION = "3.272.0"


def archive(says: str) -> bytes:
    """A release of one program, laid out as the real one."""
    body, made = f"#!/bin/sh\necho {says}\n".encode(), io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        member = tarfile.TarInfo("pulumi/pulumi")
        member.size, member.mode = len(body), 0o755
        tar.addfile(member, io.BytesIO(body))
    return made.getvalue()


class Origins:
    """A download server and a host of releases, both on loopback."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.engine = Engine(version=VERSION, downloads=f"{address}/downloads", releases=f"{address}/releases")
        (folder / "downloads").mkdir()
        (folder / f"releases/v{VERSION}").mkdir(parents=True)
        for machine in ("x64", "arm64"):
            self.serve(machine, archive(machine))
        names = [self.engine.archive(machine) for machine in ("x64", "arm64")]
        self.publish({name: hashlib.sha256((folder / "downloads" / name).read_bytes()).hexdigest() for name in names})

    def serve(self, machine: str, body: bytes) -> None:
        (self.folder / "downloads" / self.engine.archive(machine)).write_bytes(body)

    def publish(self, found: dict[str, str]) -> None:
        text = "".join(f"{digest}  {name}\n" for name, digest in found.items())
        (self.folder / f"releases/v{VERSION}/pulumi-{VERSION}-checksums.txt").write_text(text)


@pytest.fixture
def origins(tmp_path: Path) -> Generator[Origins]:
    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Origins(tmp_path, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, without a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def remembered(origins: Origins, tmp_path: Path) -> Path:
    file = tmp_path / "engine.sha256"
    origins.engine.remember(file)
    return file


def test_what_is_remembered_is_unpacked_as_programs(origins: Origins, remembered: Path, tmp_path: Path) -> None:
    origins.engine.install(remembered, "x64", tmp_path / "bin")
    assert (tmp_path / "bin/pulumi").read_text() == "#!/bin/sh\necho x64\n"
    assert (tmp_path / "bin/pulumi").stat().st_mode & 0o111


def test_where_it_can_not_be_unpacked_the_way_out_is_named(origins: Origins, remembered: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").write_text("a file")
    with pytest.raises(OperationError, match=r"can't be unpacked: .*File exists.*name another by --folder"):
        origins.engine.install(remembered, "x64", tmp_path / "bin")


def test_an_archive_that_tar_refuses_is_one_message(origins: Origins, tmp_path: Path) -> None:
    for machine in ("x64", "arm64"):
        origins.serve(machine, b"no archive")
    names = [origins.engine.archive(machine) for machine in ("x64", "arm64")]
    origins.publish({name: hashlib.sha256(b"no archive").hexdigest() for name in names})
    origins.engine.remember(tmp_path / "digests")
    with pytest.raises(OperationError, match=r"`tar .*ended with 2"):
        origins.engine.install(tmp_path / "digests", "x64", tmp_path / "bin")


def test_another_archive_is_refused_and_nothing_of_it_unpacked(
    origins: Origins, remembered: Path, tmp_path: Path
) -> None:
    origins.serve("x64", archive("something else"))
    with pytest.raises(OperationError, match="nothing of it was unpacked"):
        origins.engine.install(remembered, "x64", tmp_path / "bin")
    assert not (tmp_path / "bin").exists()


def test_a_version_that_nobody_has_looked_at_is_not_even_fetched(origins: Origins, tmp_path: Path) -> None:
    (tmp_path / "downloads" / origins.engine.archive("x64")).unlink()
    with pytest.raises(OperationError, match=r"has no digest of .* `python3 -m operate.engine --remember`"):
        origins.engine.install(tmp_path / "none", "x64", tmp_path / "bin")


def test_two_origins_that_differ_are_told_and_nothing_is_remembered(origins: Origins, tmp_path: Path) -> None:
    origins.serve("arm64", archive("something else"))
    with pytest.raises(OperationError, match="was not changed"):
        origins.engine.remember(tmp_path / "engine.sha256")
    assert not (tmp_path / "engine.sha256").exists()


def test_an_origin_that_does_not_answer_is_one_message(origins: Origins, remembered: Path, tmp_path: Path) -> None:
    (tmp_path / "downloads" / origins.engine.archive("x64")).unlink()
    with pytest.raises(OperationError, match="could not be fetched: HTTP Error 404"):
        origins.engine.install(remembered, "x64", tmp_path / "bin")


def test_what_the_repository_remembers_is_of_the_sdk_s_version() -> None:
    """Before the first digest is written the jobs that hold credentials refuse to run."""
    found = digests(REMEMBERED)
    names = {Engine(version=version()).archive(machine) for machine in ("x64", "arm64")}
    assert not found or set(found) == names, "python3 -m operate.engine --remember"
