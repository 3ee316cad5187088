"""The folder that an image is built from: what its content is called, and the applications that lie in it."""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from components.kit import content_hash
from stackfile.jsonschemas import jsonschema_without_iris
from stackfile.problems import Problem, StackError

if TYPE_CHECKING:
    from elab_apps.applications import Application

_IMAGE = Path(__file__).parents[1] / "notebook-image"
"""Where the package lies that reads applications: the image's build uses it too."""
_LEFT_BY_PYTHON = "__pycache__"


@dataclass(frozen=True, kw_only=True)
class ImageFolder:
    """A folder with a Dockerfile."""

    path: str
    """From the project's own folder, since absolute paths would differ from machine to machine."""
    content: str
    """A hash of every file: the same on every machine, another one after every change."""
    applications: "tuple[Application, ...]"


def outside(path: str) -> bool:
    """Whether a path leads out of the folder that it is read from."""
    return PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts


def read(root: Path, path: str, downloads: str | None, platforms: Sequence[str]) -> ImageFolder:
    """The folder at `path` below `root`; `downloads` is a file in it that says where releases come from.

    Raises:
        StackError: with every problem of its applications, by file and field.
    """
    if str(_IMAGE) not in sys.path:
        sys.path.append(str(_IMAGE))
    # The applications' checks would load it whole.
    jsonschema_without_iris()
    from elab_apps.applications import chosen, load
    from elab_apps.problems import ApplicationsError

    folder = root / path
    try:
        applications = load(folder, folder / downloads if downloads else None)
        for platform in platforms:
            # The base's distribution is known to the build alone.
            chosen(applications, platform.rpartition("/")[2], codename=None)
    except ApplicationsError as error:
        raise StackError(
            Problem(where=f"{path}/{found.where}", found=found.found, allowed=found.allowed, fix=found.fix)
            for found in error.problems
        ) from None
    return ImageFolder(path=path, content=content_hash(*_files(folder)), applications=applications)


def _files(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Every file by path, content and whether it is a program."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _LEFT_BY_PYTHON not in path.parts:
            program = bool(path.stat().st_mode & 0o100)
            yield path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest(), program
