"""Copies OpenRefine out of Debian's packages, with what it links to and what that names as its class path."""

import shutil
import sys
import zipfile
from pathlib import Path


def needed(archive: Path) -> list[str]:
    """The archives that this one's manifest names."""
    with zipfile.ZipFile(archive) as found:
        manifest = found.read("META-INF/MANIFEST.MF").decode() if "META-INF/MANIFEST.MF" in found.namelist() else ""
    # A line that begins with a space goes on with the one before.
    lines = manifest.replace("\r\n", "\n").replace("\n ", "").splitlines()
    paths = [line.removeprefix("Class-Path:").split() for line in lines if line.startswith("Class-Path:")]
    return [Path(path).name for part in paths for path in part]


def complete(folder: Path, archives: Path) -> None:
    """Put beside each archive of a folder those that it needs, and those that they need."""
    waiting = [file.name for file in folder.glob("*.jar")]
    while waiting:
        for name in needed(folder / waiting.pop()):
            if (archives / name).exists() and not (folder / name).exists():
                shutil.copy(archives / name, folder)
                waiting.append(name)


def main(unpacked: Path, release: Path) -> None:
    """Write the release's folder."""
    share = unpacked / "usr/share"
    shutil.copytree(share / "openrefine", release)
    for folder in {file.parent for file in release.rglob("*.jar")}:
        complete(folder, share / "java")
    shutil.copy(unpacked / "etc/openrefine/refine.ini", release)
    # The release's start script reads the file beside it.
    script = release / "refine"
    script.write_text(script.read_text().replace("/etc/openrefine/refine.ini", "refine.ini"))


main(Path(sys.argv[1]), Path(sys.argv[2]))
