"""Others' CustomResourceDefinitions, from their Go modules: for an API server that is to know the kinds elab uses.

Each folder of build/crds is a set: its go.mod and go.sum pin the modules, its definitions.txt names the files in them.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from . import prerequisites, settings

SOURCE = settings.SOURCE / "build/crds"
_PINS = ("go.mod", "go.sum", "definitions.txt")


def sets() -> list[str]:
    """The names of the sets."""
    return sorted(folder.name for folder in SOURCE.iterdir())


def files(name: str) -> list[Path]:
    """The definitions of a set; refuses where they were not fetched, or others were."""
    if not _fetched(name):
        raise SystemExit(f"lab: the set {name} of definitions is missing or stale; run `lab build --definitions` first")
    return sorted(_folder(name).glob("*.yaml"))


def fetch(name: str, rebuild: bool = False) -> bool:
    """Fetch a set unless it is there; whether it was fetched."""
    if _fetched(name) and not rebuild:
        return False
    modules, folder = _modules(SOURCE / name), _folder(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for line in (SOURCE / name / "definitions.txt").read_text().splitlines():
        module, path = line.split()
        shutil.copyfile(modules[module] / path, folder / Path(path).name)
    (folder / ".fingerprint").write_text(_fingerprint(name))
    return True


def _folder(name: str) -> Path:
    return settings.HOME / "crds" / name


def _fetched(name: str) -> bool:
    record = _folder(name) / ".fingerprint"
    return record.exists() and record.read_text() == _fingerprint(name)


def _fingerprint(name: str) -> str:
    return hashlib.sha256(b"".join((SOURCE / name / pin).read_bytes() for pin in _PINS)).hexdigest()


def _modules(folder: Path) -> dict[str, Path]:
    """Where Go has unpacked the modules that the folder's go.mod names; each is held against go.sum."""
    command = [prerequisites.go(), "mod", "download", "-json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(
            f"lab: the modules of {folder / 'go.mod'} can't be had:\n{(done.stdout + done.stderr)[-2000:]}"
        )
    found, decoder, text = {}, json.JSONDecoder(), done.stdout.strip()
    pinned = (folder / "go.sum").read_text().splitlines()
    while text:
        module, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        # Go refuses another sum than the pinned one, but not one that isn't pinned.
        if f"{module['Path']} {module['Version']} {module['Sum']}" not in pinned:
            raise SystemExit(f"lab: {folder / 'go.sum'} has no sum of {module['Path']} {module['Version']}")
        found[module["Path"]] = Path(module["Dir"])
    return found
