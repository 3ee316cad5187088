"""The Pulumi engine for workflows, which hold credentials: of the SDK's version, and the archive that was looked at.

`python3 -m operate.engine` fetches it, refuses what has another digest than `.github/engine.sha256` remembers, and
unpacks it. `--remember` writes that file, for an operator: the archive of the download server and the checksums of the
release at GitHub must agree. Needs Python alone, since it runs before anything is installed.
"""

import argparse
import hashlib
import os
import platform
import re
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from operate.steps import OperationError, run

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
REMEMBERED = ROOT / ".github/engine.sha256"
DOWNLOADS = "https://get.pulumi.com/releases/sdk"
RELEASES = "https://github.com/pulumi/pulumi/releases/download"
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}
_COMMAND = "python3 -m operate.engine --remember"
_SECONDS = 120
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One version of the engine, and where it comes from; an institution's mirror is laid out as the originals are."""

    version: str
    downloads: str = DOWNLOADS
    releases: str = RELEASES

    def archive(self, machine: str) -> str:
        """The archive's name for a machine, as the release names it."""
        return f"pulumi-v{self.version}-linux-{machine}.tar.gz"

    def install(self, remembered: Path, machine: str, folder: Path) -> None:
        """Unpack the engine into a folder.

        Raises:
            OperationError: nothing is remembered of it, it could not be fetched, or its digest is another; nothing of
                it was unpacked.
        """
        name = self.archive(machine)
        expected = digests(remembered).get(name)
        if not expected:
            raise OperationError(
                f"{remembered.name} has no digest of {name}, so nothing of it is run. "
                f"Run `{_COMMAND}` on a machine that you trust, read what it writes, and commit it"
            )
        with tempfile.TemporaryDirectory() as temporary:
            archive = Path(temporary) / name
            found = fetched(f"{self.downloads}/{name}", archive)
            if found != expected:
                raise OperationError(
                    f"{name} from {self.downloads} has the digest {found}, and {remembered.name} remembers {expected}: "
                    "nothing of it was unpacked. A released archive never changes, so find out who changed it"
                )
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OperationError(f"the engine can't be unpacked: {error}; name another by --folder") from None
            unpack = ["tar", "--extract", "--gzip", "--file", archive, "--directory", folder]
            run([*unpack, "--strip-components=1", "--no-same-owner"])

    def remember(self, remembered: Path) -> None:
        """Write the digests of this version's archives, where two origins agree on each.

        Raises:
            OperationError: one could not be fetched, or they differ; the file is as it was.
        """
        with tempfile.TemporaryDirectory() as temporary:
            checksums = Path(temporary) / "checksums"
            fetched(f"{self.releases}/v{self.version}/pulumi-{self.version}-checksums.txt", checksums)
            published, lines = digests(checksums), []
            for machine in MACHINES.values():
                name = self.archive(machine)
                found = fetched(f"{self.downloads}/{name}", Path(temporary) / name)
                if found != published.get(name):
                    raise OperationError(
                        f"{name} from {self.downloads} has the digest {found}, and the release at {self.releases} says "
                        f"{published.get(name, 'nothing')}; {remembered.name} was not changed"
                    )
                lines.append(f"{found}  {name}\n")
        remembered.write_text("".join(lines), encoding="utf-8")


def digests(file: Path) -> Mapping[str, str]:
    """SHA-256 by name, of a file as `sha256sum` writes them; nothing where there is no such file."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return {name: digest for digest, name in re.findall(r"^([0-9a-f]{64}) [ *](\S+)$", text, re.MULTILINE)}


def fetched(url: str, to: Path) -> str:
    """Fetch a file; its SHA-256.

    Raises:
        OperationError: it could not be fetched.
    """
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as reply, to.open("wb") as file:
            while chunk := reply.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
    except (OSError, urllib.error.URLError) as error:
        raise OperationError(f"{url} could not be fetched: {error}") from None
    return digest.hexdigest()


def version(requirements: Path = REQUIREMENTS) -> str:
    """The SDK's version, which the engine's follows."""
    found = re.search(r"^pulumi==(\S+)$", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise OperationError(f"{requirements.name} pins no pulumi; write pulumi==<version>")
    return found[1]


def main(argv: list[str] | None = None) -> int:
    """Install the engine, or remember its digests; an error is one message."""
    parser = argparse.ArgumentParser(prog="python3 -m operate.engine", description=__doc__)
    parser.add_argument("--remember", action="store_true", help=f"write {REMEMBERED.relative_to(ROOT)} anew")
    parser.add_argument("--downloads", default=DOWNLOADS, help="a mirror of the download server")
    parser.add_argument("--releases", default=RELEASES, help="a mirror of the releases")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".pulumi/bin", help="where it is unpacked")
    args = parser.parse_args(argv)
    try:
        engine = Engine(version=version(), downloads=args.downloads, releases=args.releases)
        if args.remember:
            engine.remember(REMEMBERED)
            print(REMEMBERED.read_text(encoding="utf-8"), end="")
            return 0
        machine = MACHINES.get(platform.machine())
        if not machine:
            raise OperationError(f"there is no engine for {platform.machine()}, only for {', '.join(MACHINES)}")
        engine.install(REMEMBERED, machine, args.folder)
    except OperationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if path := os.environ.get("GITHUB_PATH"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{args.folder.resolve()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
