"""The stack that is being run: its settings, its secrets and its files, or every problem at once."""

from collections.abc import Container, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components import image_folder
from components.hub.places import Home
from components.image_folder import ImageFolder
from components.monitoring.graph import address_problems
from components.notebook_image import ReadyImage
from home import home_of
from settings import SECRETS, Settings, missing_secret, read, required_secrets
from settings_checks import missing_digests
from settings_checks.login import names_itself
from stackfile.configuration import configured, file_of_running_stack, received
from stackfile.problems import Problem, StackError

_PROJECT = "elab"
ROOT = Path(__file__).parent
UNSET = "not set yet"
"""Stands for a missing secret in a plan; `up` refuses before it could be used."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """All that the program is told."""

    settings: Settings
    secrets: dict[str, pulumi.Output[str]]
    extra_config: str | None
    image_folder: ImageFolder | None
    """What the notebook image is built from, or was, where the stack says so."""
    home: Home | None
    """The hub of another stack where people log in; none: they do here."""


_unfinished_allowed: ContextVar[bool] = ContextVar("unfinished_allowed", default=False)


@contextmanager
def unfinished_allowed() -> Generator[None]:
    """Within this, a stack whose secrets or digests are still missing is loaded all the same: a plan shows them."""
    token = _unfinished_allowed.set(True)
    try:
        yield
    finally:
        _unfinished_allowed.reset(token)


def unfinished(settings: Settings, known: Container[str], stack: str) -> Iterator[Problem]:
    """What must still be set before `up`: secrets (``known`` holds the keys that are), digests in prod, a home."""
    for key in required_secrets(settings):
        if key not in known:
            yield missing_secret(key, stack)
    yield from missing_digests(settings)
    yield from names_itself(settings, _PROJECT, stack)


def load() -> Stack:
    """The running stack.

    Raises:
        StackError: with every problem, before anything is registered.
    """
    config = pulumi.Config(_PROJECT)
    settings = configured(
        read,
        received(),
        project=_PROJECT,
        secrets=SECRETS,
        file=None if _unfinished_allowed.get() else file_of_running_stack(),
    )
    known = {key: text for key in SECRETS if (text := config.get(key))}
    problems = [] if _unfinished_allowed.get() else list(unfinished(settings, known, pulumi.get_stack()))
    if settings.monitoring.enabled:
        problems += address_problems(settings.monitoring.alerting, settings.network, known)
    extra, found = extra_config(settings)
    folder, missing = built_folder(settings)
    problems += [*found, *missing]
    if problems:
        raise StackError(problems)
    secrets = {key: _secret(config, key) for key in required_secrets(settings)}
    home = home_of(settings.login, secrets)
    return Stack(settings=settings, secrets=secrets, extra_config=extra, image_folder=folder, home=home)


def load_or_exit() -> Stack:
    """The running stack, or its problems as the CLI shows them: without a traceback.

    Raises:
        pulumi.RunError: with every problem in words.
    """
    try:
        return load()
    except StackError as error:
        raise pulumi.RunError(str(error)) from None


def _secret(config: pulumi.Config, key: str) -> pulumi.Output[str]:
    return config.get_secret(key) or pulumi.Output.secret(UNSET)


def _below_root(path: str) -> bool:
    """Whether a path that settings name stays within the project."""
    return (ROOT / path).resolve().is_relative_to(ROOT.resolve())


def built_folder(settings: Settings) -> tuple[ImageFolder | None, list[Problem]]:
    """What the notebook image is built from, or was; or what is wrong with it. None where the stack names no folder."""
    image = settings.notebook_image
    if isinstance(image, ReadyImage):
        return _folder_of_ready(image.applications)
    if not _below_root(image.context) or not (ROOT / image.context / "Dockerfile").is_file():
        problem = Problem(
            where="notebook_image.context",
            found=f'"{image.context}", which has no Dockerfile',
            allowed=f"a folder below {ROOT.name}/ with a Dockerfile",
            fix="create it or correct the path, or take an image that is there: kind: ready",
        )
        return None, [problem]
    return _read_folder(image.context, image.downloads, image.platforms)


def _folder_of_ready(path: str | None) -> tuple[ImageFolder | None, list[Problem]]:
    """What a ready image was built from: nothing is built, so only its applications are looked at."""
    if path is None:
        return None, []
    if not _below_root(path) or not (ROOT / path / "apps").is_dir():
        problem = Problem(
            where="notebook_image.applications",
            found=f'"{path}", which has no apps/',
            allowed=f"the folder below {ROOT.name}/ that the image was built from",
            fix="correct the path, for example notebook-image, or leave it out",
        )
        return None, [problem]
    return _read_folder(path, downloads=None, platforms=())


def _read_folder(
    path: str, downloads: str | None, platforms: tuple[str, ...]
) -> tuple[ImageFolder | None, list[Problem]]:
    try:
        return image_folder.read(ROOT, path, downloads, platforms), []
    except StackError as error:
        return None, list(error.problems)


def extra_config(settings: Settings) -> tuple[str | None, list[Problem]]:
    """The stack's own hub configuration, if it names a file; it must be there and be Python."""
    name = settings.hub.extra_config
    if name is None:
        return None, []
    if not _below_root(name):
        return None, [_extra_problem(name, f"a path below {ROOT.name}/", "move the file into the project")]
    allowed = f"a Python file below {ROOT.name}/"
    try:
        text = (ROOT / name).read_text(encoding="utf-8")
        compile(text, name, "exec")
    except OSError as error:
        return None, [_extra_problem(name, allowed, f"{error.strerror}: create it, or correct the path")]
    except UnicodeDecodeError as error:
        return None, [_extra_problem(name, allowed, f"save it as UTF-8 text: {error.reason} at byte {error.start}")]
    except SyntaxError as error:
        where = f"line {error.lineno}" if error.lineno else "the file"
        return None, [_extra_problem(name, allowed, f"correct {where}: {error.msg}")]
    return text, []


def _extra_problem(found: str, allowed: str, fix: str) -> Problem:
    return Problem(where="hub.extra_config", found=f'"{found}"', allowed=allowed, fix=fix)
