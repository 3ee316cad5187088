"""Installing the applications in the image's build, as root."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import built, releases
from .applications import INSTALL, Application, chosen, load
from .problems import ApplicationsError, Problem

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
OS_RELEASE = Path("/etc/os-release")
CONSTRAINTS = "constraints.txt"
"""The versions of the base's packages, which the Dockerfile writes."""


def codename(os_release: Path = OS_RELEASE) -> str:
    """VERSION_CODENAME of the distribution, such as noble; empty where it has none."""
    for line in os_release.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip("\"'")
    return ""


def install(context: Path, downloads: Path | None, target: Path, cache: Path) -> None:
    """Install every application below `target`, and write what Jupyter reads.

    Raises:
        ApplicationsError: with the file and the field that must be mended.
    """
    applications = load(context, downloads)
    wanted = chosen(applications, ARCHITECTURES.get(platform.machine(), platform.machine()), codename())
    with tempfile.TemporaryDirectory() as scratch:
        # All releases before anything is installed: a wrong checksum costs no build time.
        for application in applications:
            for download in wanted[application.name]:
                releases.fetch(application, download, context, cache, Path(scratch) / application.name)
        _apt(applications)
        _pip(applications, target / CONSTRAINTS)
        for application in applications:
            own = target / "apps" / application.name
            own.mkdir(parents=True, exist_ok=True)
            _environment(application, own)
            _script(application, Path(scratch) / application.name, own)
    built.write(applications, target)


def _apt(applications: Sequence[Application]) -> None:
    """Every application's packages of the distribution in one go."""
    names = sorted({name for application in applications for name in application.packages.apt})
    if names:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        users = [application for application in applications if application.packages.apt]
        _run(["apt-get", "update", "-qq"], users, "packages.apt", env)
        _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *names], users, "packages.apt", env)


def _pip(applications: Sequence[Application], constraints: Path) -> None:
    """What must lie beside the Jupyter server, whose other packages keep their versions."""
    users = [application for application in applications if application.packages.jupyter]
    names = [name for application in users for name in application.packages.jupyter]
    if names:
        command = [sys.executable, "-m", "pip", "install", "--constraint", constraints, *names]
        _run(command, users, "packages.jupyter", os.environ)


def _environment(application: Application, own: Path) -> None:
    """An environment of the application's own: what it needs never changes what people's notebooks import."""
    if not application.packages.python:
        return
    make = [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", own]
    _run(make, [application], "packages.python", os.environ)
    # Where the base's Python is an environment itself, an environment made from it would see what lies below it only.
    prefix = {"base": str(own), "platbase": str(own)}
    Path(sysconfig.get_path("purelib", "posix_prefix", prefix), "base.pth").write_text(
        sysconfig.get_path("purelib") + "\n"
    )
    python = own / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", *application.packages.python]
    _run(command, [application], "packages.python", os.environ)


def _script(application: Application, downloads: Path, own: Path) -> None:
    script = application.folder / INSTALL
    if not script.is_file():
        return
    env = {
        **os.environ,
        "DEBIAN_FRONTEND": "noninteractive",
        "ELAB_APP": str(own),
        "ELAB_DOWNLOADS": str(downloads),
        "ELAB_VERSION": application.version,
    }
    (own / "bin").mkdir(exist_ok=True)
    bash = shutil.which("bash") or "bash"
    _run([bash, "-euo", "pipefail", script], [application], INSTALL, env, application.folder)


def _run(
    command: Sequence[str | Path],
    applications: Sequence[Application],
    field: str,
    env: Mapping[str, str],
    folder: Path | None = None,
) -> None:
    """Run a step; what it says stands in the build's output."""
    # A person's pip installs into their home; the image's does not.
    done = subprocess.run(
        [str(part) for part in command], env={**env, "PIP_USER": "0", "PIP_NO_INPUT": "1"}, cwd=folder, check=False
    )
    if done.returncode:
        shown = " ".join(str(part) for part in command[:4])
        script = field == INSTALL
        where = " and ".join(
            f"{application.file.rpartition('/')[0]}/{INSTALL}" if script else f"{application.file}: {field}"
            for application in applications
        )
        found = f"`{shown} …` ended with {done.returncode}"
        fix = "what it said stands above: correct it there"
        raise ApplicationsError([Problem(where, found, "a step that ends well", fix)])
