"""The project's notebook image, built by buildah from its own Dockerfile on the lab's base.

What the Dockerfile downloads and no registry has is replaced by the images `openrefine` and `rstudio` of the lab, which
hold files. buildah's overlay storage shares the base's layers; of the result only new layers go to containerd.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import containerd, images, oci, prerequisites, settings, turns

BASE = "datascience-notebook"
CONTEXT = settings.SOURCE.parent / "notebook-image"
REFERENCE = "lab.local/notebook:1"
DOWNLOADS = "lab-downloads.yaml"
_BUILDAH = settings.HOME / "buildah"
STORAGE, RUN = _BUILDAH / "storage", _BUILDAH / "run"
"""Where buildah keeps the base and what is made of it."""
TMP = _BUILDAH / "tmp"
CA = "/etc/ssl/certs/ca-certificates.crt"
_ONLY_WHILE_BUILDING = {
    # The machine's authorities are mounted over the image's: a corporate proxy's may be among them.
    **dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE"), CA),
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
_PASSED_ON = ("PIP_INDEX_URL",)


@dataclass(frozen=True, kw_only=True)
class Release:
    """A file of one of the lab's images, in place of what an application downloads."""

    image: str
    path: str
    file: str
    """What the application's install step calls it."""
    version: str
    source: str

    @property
    def place(self) -> Path:
        """The file itself."""
        return settings.IMAGES / self.image / "rootfs" / self.path

    def described(self) -> dict[str, Any]:
        """As a file of other downloads names it."""
        checksum = f"sha256:{hashlib.sha256(self.place.read_bytes()).hexdigest()}"
        download = {"file": self.file, "url": f"lab/{self.file}", "checksum": checksum, "source": self.source}
        return {"version": self.version, "downloads": [download]}


RELEASES = {
    "openrefine": Release(
        image="openrefine",
        path="openrefine-linux.tar.gz",
        file="openrefine.tar.gz",
        version="3.6.2",
        source="the lab: made of Debian's packages",
    ),
    "rstudio": Release(
        image="rstudio",
        path="rstudio-server.deb",
        file="rstudio.deb",
        version="0.0.1+standin",
        source="the lab: a stand-in for RStudio Server",
    ),
}
"""By application."""


def ensure(context: Path = CONTEXT, reference: str = REFERENCE, rebuild: bool = False) -> None:
    """Build the image where something that it is made of has changed, and give it to the running containerd."""
    image = build(context, reference, rebuild)
    if containerd.digest_of(reference) == image.digest:
        return
    began = time.monotonic()
    if not containerd.import_archive(lambda out, known: image.write(reference, out, set(known))):
        raise SystemExit(f"lab: importing {reference} failed; see {settings.LOGS / 'containerd.log'}")
    containerd.prune()
    print(f"  imported {reference:<24}{time.monotonic() - began:5.1f} s", flush=True)


def build(context: Path = CONTEXT, reference: str = REFERENCE, rebuild: bool = False) -> oci.Image:
    """The built image; nothing is done where all that it is made of is as it was."""
    with alone():
        return _build(context, reference, rebuild)


@contextmanager
def alone() -> Generator[None]:
    """One build at a time: each begins with clearing up what another has left."""
    for folder in (TMP, STORAGE, RUN):
        folder.mkdir(parents=True, exist_ok=True)
    with turns.alone(_BUILDAH / "lock", "another build of a notebook image"):
        yield


def base() -> str:
    """The reference under which buildah's storage has the base; made and put there where it is not."""
    _build_parts()
    prerequisites.for_packages()
    _pull_base()
    return images.recipe(BASE)["reference"]


def overlay(context: Path) -> str:
    """Put the lab's releases into a copy of the image's folder; the file there that names them."""
    (context / "lab").mkdir()
    replaced = {}
    for name, release in RELEASES.items():
        if (context / "apps" / name).exists():
            (context / "lab" / release.file).hardlink_to(release.place)
            replaced[name] = release.described()
    # JSON is YAML too.
    (context / DOWNLOADS).write_text(json.dumps(replaced))
    return DOWNLOADS


def _build_parts() -> None:
    for name in (BASE, *(release.image for release in RELEASES.values())):
        images.build(name)


def _build(context: Path, reference: str, rebuild: bool) -> oci.Image:
    _build_parts()
    folder = built(reference)
    record, made_of = folder / "fingerprint", fingerprint(context)
    if record.exists() and record.read_text() == made_of and not rebuild:
        return _image(folder)
    prerequisites.for_packages()
    began = time.monotonic()
    # What a run that failed or was killed has left.
    _buildah("rm", "--all")
    _pull_base()
    _run_dockerfile(context, reference)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _buildah("push", "--quiet", "--disable-compression", "--format", "oci", reference, f"dir:{folder}")
    _buildah("rmi", "--prune")
    for layer in images.built(BASE).layers:
        (folder / layer.digest.removeprefix("sha256:")).unlink()
    record.write_text(made_of)
    image = _image(folder)
    own = image.layers[-1].size / 1e6
    print(f"  built {reference:<20}{time.monotonic() - began:7.1f} s {own:8.1f} MB over its base", flush=True)
    return image


def built(reference: str) -> Path:
    """Where the image of this reference lies, once it is built."""
    return _BUILDAH / "built" / reference.replace("/", "_")


def fingerprint(context: Path) -> str:
    """Changes whenever something that the image is made of changes."""
    digest = hashlib.sha256()
    for name in (BASE, *(release.image for release in RELEASES.values())):
        digest.update(images.fingerprint(name).encode())
    for file in sorted(context.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(context)}{file.stat().st_mode}".encode() + file.read_bytes())
    return digest.hexdigest()


def _buildah(*arguments: str | Path) -> str:
    """What buildah prints on its standard output; all else goes to its log, whose end is shown on failure."""
    log = _BUILDAH / "buildah.log"
    where = ["--root", STORAGE, "--runroot", RUN, "--storage-driver", "overlay"]
    # Caches of the Dockerfile's steps lie in the folder for temporary files.
    environment = {**os.environ, "TMPDIR": str(TMP)}
    with log.open("wb") as errors:
        done = subprocess.run(
            ["buildah", *where, *arguments], env=environment, stdout=subprocess.PIPE, stderr=errors, cwd=_BUILDAH
        )
    said = done.stdout.decode(errors="replace")
    if done.returncode:
        text = "\n".join((said + log.read_text(errors="replace")).splitlines()[-30:])
        raise SystemExit(f"lab: buildah {arguments[0]} failed; see {log}, which ends:\n{text}")
    return said


def _pull_base() -> None:
    """Give buildah's storage the base, if it has another or none."""
    image = images.built(BASE)
    config = dict(image.config)
    config["Env"] = [*config["Env"], *(f"{name}={value}" for name, value in _only_while_building().items())]
    image = replace(image, config=config)
    record = _BUILDAH / "base"
    if record.exists() and record.read_text() == image.digest:
        return
    reference = images.recipe(BASE)["reference"]
    with tempfile.TemporaryDirectory(dir=_BUILDAH) as layout:
        image.lay_out(reference, Path(layout))
        # A relative path: buildah takes it for the image's name at first.
        made = _buildah("pull", "--quiet", f"oci:{Path(layout).name}:{reference}").strip()
    _buildah("tag", made, reference)
    record.write_text(image.digest)


def _only_while_building() -> dict[str, str]:
    return _ONLY_WHILE_BUILDING | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _run_dockerfile(context: Path, reference: str) -> None:
    """Build from a copy of the folder, with what the lab puts in place of releases.

    Without buildah's cache of layers, which does not see when what a step mounts has changed.
    """
    with tempfile.TemporaryDirectory(dir=_BUILDAH) as scratch:
        folder = Path(scratch) / "context"
        shutil.copytree(context, folder, ignore=shutil.ignore_patterns("__pycache__"))
        downloads = overlay(folder)
        unset = (part for name in _only_while_building() for part in ("--unsetenv", name))
        _buildah(
            *("build", "--isolation", "chroot", "--format", "docker", "--pull-never", "--tag", reference),
            *("--volume", f"{CA}:{CA}:ro", "--network", "host", "--layers=false"),
            *("--build-arg", f"BASE_IMAGE={images.recipe(BASE)['reference']}", "--build-arg", f"DOWNLOADS={downloads}"),
            *(*unset, folder),
        )


def _image(folder: Path) -> oci.Image:
    """The image that buildah wrote to a folder; the base's layers are where they were."""

    def file(digest: str) -> Path:
        return folder / digest.removeprefix("sha256:")

    manifest = json.loads((folder / "manifest.json").read_text())
    config = json.loads(file(manifest["config"]["digest"]).read_text())["config"]
    below = {layer.digest: layer for layer in images.built(BASE).layers}
    layers = [
        below.get(part["digest"])
        or oci.Layer(name="notebook", file=file(part["digest"]), digest=part["digest"], size=part["size"])
        for part in manifest["layers"]
    ]
    return oci.Image(layers=layers, config=config)
