"""What people install themselves goes to their disk, by the real pip and the image's own settings."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .folders import IMAGE


class Base:
    """A base environment with the image's pip.conf, and a person's home."""

    def __init__(self, folder: Path) -> None:
        self.home, self.prefix, self.wheels = folder / "home", folder / "conda", folder / "wheels"
        self.wheels.mkdir()
        _wheel(self.wheels, "hello")
        self.make(self.prefix)
        (self.prefix / "pip.conf").write_text((IMAGE / "etc/pip.conf").read_text())

    def make(self, prefix: Path) -> Path:
        """An environment that sees what the person installed, as conda's own does; its Python."""
        self.run(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", prefix)
        return prefix / "bin/python"

    def run(self, *command: str | Path) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        env = {**kept, "HOME": str(self.home), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
        done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pip_install(self, python: Path) -> None:
        self.run(sys.executable, "-m", "pip", "--python", python, "install", "hello")

    def place(self, python: Path) -> Path:
        """Where that Python finds the package."""
        return Path(self.run(python, "-c", "import hello; print(hello.__file__)").strip())


def _wheel(folder: Path, name: str) -> None:
    """A package with one empty module, as a registry would give it."""
    about = f"{name}-1.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A person who has installed a package by plain pip."""
    base = Base(tmp_path_factory.mktemp("installed"))
    base.pip_install(base.prefix / "bin/python")
    return base


def test_plain_pip_install_goes_to_the_persons_disk_by_pythons_version(installed: Base) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = installed.place(installed.prefix / "bin/python")
    assert found == installed.home / ".local/lib" / version / "site-packages/hello.py"


def test_an_environment_of_ones_own_keeps_its_packages(tmp_path: Path) -> None:
    base = Base(tmp_path)
    own = base.make(base.home / "project")
    base.pip_install(own)
    assert base.place(own).is_relative_to(base.home / "project")
    assert not (base.home / ".local").exists()


def test_an_applications_environment_finds_what_the_person_installed(installed: Base) -> None:
    of_its_own = installed.make(installed.home.with_name("marimo"))
    assert installed.place(of_its_own).is_relative_to(installed.home)


def test_what_a_person_adds_to_julia_is_not_written_to_the_bases_environment(tmp_path: Path) -> None:
    of_base = tmp_path / "environments/v1.11"
    of_base.mkdir(parents=True)
    (of_base / "Project.toml").write_text("[deps]\n")
    subprocess.run(["bash", IMAGE / "etc/julia.sh", tmp_path], check=True)
    # Julia takes the first depot's environment of its version that is there, and makes one in the person's if none is.
    assert not of_base.exists()
    assert (tmp_path / "environments/base/Project.toml").exists()
    path = "JULIA_LOAD_PATH=:/opt/julia/environments/base"
    assert path in (IMAGE / "Dockerfile").read_text(), "the kernel's packages are found behind the person's"


def test_a_base_without_julia_is_left_as_it_is(tmp_path: Path) -> None:
    subprocess.run(["bash", IMAGE / "etc/julia.sh", tmp_path], check=True)
    assert list(tmp_path.iterdir()) == []
