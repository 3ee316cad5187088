"""`make image` itself, to its end, with the real buildah: told where things are as docs/notebook-image.md says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from components.notebook_image import ReadyImage
from lab.labkit import notebook, settings
from tests.image.registry import registry

PROJECT = Path(__file__).parents[2]
_PARTS = ("Makefile", "requirements.txt", "requirements-dev.txt", "operate", "components", "stackfile", "clouds")
BY_HAND = "lab.local/by-hand:1"


@pytest.fixture
def project() -> Iterator[Path]:
    """A copy of the project, so that releases can be put into its notebook-image/."""
    with tempfile.TemporaryDirectory(dir=settings.HOME) as scratch:
        folder = Path(scratch)
        for part in (*_PARTS, "notebook-image"):
            if (PROJECT / part).is_file():
                shutil.copy2(PROJECT / part, folder)
                # So that make does not take it for newer than what is installed.
                os.utime(folder / part, (0, 0))
            else:
                shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / ".venv").symlink_to((PROJECT / ".venv").resolve())
        yield folder


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where buildah finds images and how it isolates: its own variables and files, nothing of elab's."""
    storage = {"driver": "overlay", "graphroot": str(notebook.STORAGE), "runroot": str(notebook.RUN)}
    (tmp_path / "storage.conf").write_text("[storage]\n" + _toml(storage))
    (tmp_path / "containers.conf").write_text(
        "[containers]\n" + _toml({"volumes": [f"{notebook.CA}:{notebook.CA}:ro"]})
    )
    with notebook.alone():
        yield {
            **os.environ,
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"),
            "CONTAINERS_CONF": str(tmp_path / "containers.conf"),
            "TMPDIR": str(notebook.TMP),
        }


def _toml(values: Mapping[str, object]) -> str:
    # A JSON string or list of strings is TOML too.
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def _make_image(project: Path, environment: Mapping[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "image", "BUILDER=buildah", *(f"{name}={value}" for name, value in variables.items())]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


def _buildah(environment: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(["buildah", *arguments], env=environment, check=True, capture_output=True, text=True).stdout


def test_the_projects_own_image_is_built_by_hand_to_its_end(project: Path, environment: dict[str, str]) -> None:
    base, downloads = notebook.base(), notebook.overlay(project / "notebook-image")
    try:
        done = _make_image(project, environment, BASE_IMAGE=base, DOWNLOADS=downloads, IMAGE_TAG=BY_HAND)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        assert f"{BY_HAND} with marimo, OpenRefine, RStudio, by buildah" in done.stdout
        assert re.search(rf"^{BY_HAND}, 1\.\d+ GB; \d+ s$", done.stdout, re.MULTILINE), "its size, as buildah tells it"
        made = json.loads(_buildah(environment, "inspect", "--type", "image", BY_HAND))["Docker"]["config"]
        assert made["User"] == "1000"
        assert made["Healthcheck"]["Test"] == ["CMD", "/opt/elab/etc/health"]
        container = _buildah(environment, "from", "--pull-never", BY_HAND).strip()
        try:
            installed = _buildah(environment, "run", container, "--", "cat", "/opt/elab/applications.json")
        finally:
            _buildah(environment, "rm", container)
        assert {one["name"] for one in json.loads(installed)} == {"marimo", "openrefine", "rstudio"}
    finally:
        # What failed has left none.
        subprocess.run(["buildah", "rmi", "--force", BY_HAND], env=environment, capture_output=True)


def test_a_pushed_image_is_told_by_the_digest_under_which_the_registry_has_it(
    project: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    # Small, since it is the push that is looked at.
    (project / "notebook-image/Dockerfile").write_text("FROM scratch\nCOPY app.schema.json /\n")
    with registry() as found:
        tag = f"{found.address}/elab/notebook:1"
        (tmp_path / "registries.conf").write_text(
            "[[registry]]\n" + _toml({"location": found.address}) + "insecure = true\n"
        )
        environment["CONTAINERS_REGISTRIES_CONF"] = str(tmp_path / "registries.conf")
        done = _make_image(project, environment, IMAGE_TAG=tag, PUSH="1")
    assert done.returncode == 0, done.stdout + done.stderr
    _buildah(environment, "rmi", "--force", tag)
    told = yaml.safe_load(done.stdout.partition("in its file:\n")[2])["elab:notebook_image"]
    assert ReadyImage(**told).image.digest == found.digests["elab/notebook:1"]
