"""Reading `apps/<name>/app.yaml`: every problem of every application at once, before anything is built."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from . import files
from .checks import across, within
from .problems import ApplicationsError, Problem
from .schema import Schema

FILE = "app.yaml"
ICON = "icon.svg"
INSTALL = "install.sh"


@dataclass(frozen=True)
class Download:
    """A release, and where it fits."""

    file: str
    url: str
    checksum: str
    source: str
    architecture: str = "any"
    codenames: tuple[str, ...] = ()

    def fits(self, architecture: str, codename: str | None) -> bool:
        """Whether a machine of this architecture and distribution can use it; None: of some distribution."""
        distribution = codename is None or not self.codenames or codename in self.codenames
        return distribution and self.architecture in ("any", architecture)


@dataclass(frozen=True)
class Packages:
    """What an application needs of package registries."""

    apt: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    jupyter: tuple[str, ...] = ()


@dataclass(frozen=True)
class Application:
    """An application as its file gives it; app.schema.json says what each field means."""

    folder: Path
    name: str
    title: str
    description: str
    memory: str
    timeout: int
    category: str = "Notebook"
    command: tuple[str, ...] = ()
    entry_point: str = ""
    port: int = 0
    """0: any free one."""
    unix_socket: bool = False
    absolute_url: bool = False
    ready: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    idle_requests: tuple[str, ...] = ()
    version: str = ""
    packages: Packages = Packages()
    downloads: tuple[Download, ...] = ()
    downloads_from: str = ""
    """The file and field that its downloads stand in."""

    @property
    def file(self) -> str:
        """Its file as problems name it."""
        return named(self.folder / FILE)


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not silently the last one's value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first: set[str] = set()
        for key, _ in node.value:
            if key.value in first:
                raise ConstructorError(None, None, f"{key.value} stands there twice", key.start_mark)
            first.add(str(key.value))
        return super().construct_mapping(node, deep)


def named(path: Path) -> str:
    """A file of an application as problems name it: `apps/rstudio/app.yaml`."""
    return Path(*path.parts[-3:]).as_posix()


def load(context: Path, downloads: Path | None = None) -> tuple[Application, ...]:
    """The applications of an image's folder, by name; `downloads` is a file that replaces where releases come from.

    Raises:
        ApplicationsError: with every problem that was found.
    """
    schema = Schema.read()
    problems: list[Problem] = []
    data: dict[Path, dict[str, Any]] = {}
    if not context.is_dir():
        fix = "name the folder that holds the Dockerfile and apps/"
        raise ApplicationsError([Problem(str(context), "nothing", "a folder", fix)])
    for folder in _folders(context / "apps"):
        found = _mapping(folder / FILE, named(folder / FILE), problems)
        if found is None:
            continue
        faults = list(schema.application(found, named(folder / FILE)))
        if not faults:
            faults = list(within(found, folder, named(folder / FILE)))
        problems += faults
        if not faults:
            data[folder] = found
    problems += across({named(folder / FILE): found for folder, found in data.items()})
    replaced = _replace(data, downloads, schema, problems) if downloads is not None else {}
    if problems:
        raise ApplicationsError(problems)
    made = tuple(
        _application(folder, found, replaced.get(folder.name, f"{named(folder / FILE)}: downloads"))
        for folder, found in data.items()
    )
    missing = [
        fault
        for application in made
        for index, one in enumerate(application.downloads)
        if not files.remote(one.url)
        for fault in files.faults(f"{application.downloads_from}.{index}", one.url, one.checksum, one.source, context)
    ]
    if missing:
        raise ApplicationsError(missing)
    return made


def _folders(apps: Path) -> list[Path]:
    """The applications' folders, without what editors and Python leave beside them."""
    return sorted(path for path in apps.glob("[!.]*") if path.is_dir() and path.name != "__pycache__")


def _replace(
    data: Mapping[Path, dict[str, Any]], file: Path, schema: Schema, problems: list[Problem]
) -> dict[str, str]:
    """Put the downloads of a file in place of the applications' own; where those now stand, by the folder's name."""
    found = _mapping(file, file.name, problems)
    if found is None:
        return {}
    faults = list(schema.replacements(found, file.name, [folder.name for folder in data]))
    problems += faults
    if faults:
        return {}
    for folder, application in data.items():
        application.update(found.get(folder.name, {}))
    return {name: f"{file.name}: {name}.downloads" for name in found}


def _mapping(path: Path, name: str, problems: list[Problem]) -> dict[str, Any] | None:
    """A YAML file that holds keys and values; else a problem is added."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        fix = "create it, or remove the folder" if name.startswith("apps/") else "correct the argument DOWNLOADS"
        problems.append(Problem(name, f"nothing ({error.strerror})", "a readable file", fix))
        return None
    except UnicodeDecodeError as error:
        problems.append(Problem(name, f"no UTF-8 at byte {error.start}", "text in UTF-8", "save it as UTF-8"))
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        problems.append(
            Problem(name, f"no YAML{place}: {getattr(error, 'problem', error)}", "YAML", "correct that line")
        )
        return None
    if not isinstance(found, dict):
        problems.append(
            Problem(name, f"a {type(found).__name__}", "keys and values", "write fields such as `title: OpenRefine`")
        )
        return None
    return found


def _application(folder: Path, found: Mapping[str, Any], downloads_from: str) -> Application:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    values["port"] = 0 if found.get("port") == "any" else found.get("port", 0)
    values["packages"] = Packages(**{key: tuple(value) for key, value in found.get("packages", {}).items()})
    values["downloads"] = tuple(_downloads(found))
    return Application(folder=folder, downloads_from=downloads_from, **values)


def _downloads(found: Mapping[str, Any]) -> Iterator[Download]:
    for one in found.get("downloads", ()):
        url = one["url"].replace("{version}", found.get("version", ""))
        values: dict[str, Any] = {**one, "url": url, "codenames": tuple(one.get("codenames", ()))}
        yield Download(**values)


def chosen(
    applications: Iterable[Application], architecture: str, codename: str | None
) -> dict[str, tuple[Download, ...]]:
    """What each application downloads on a machine, by the application's name; without a codename, on some machine.

    Raises:
        ApplicationsError: where a release is made for other machines only.
    """
    problems = []
    found: dict[str, tuple[Download, ...]] = {}
    for application in applications:
        first: dict[str, Download] = {}
        for download in application.downloads:
            if download.fits(architecture, codename):
                first.setdefault(download.file, download)
        for file in {download.file for download in application.downloads} - set(first):
            fitting = sorted(
                f"{one.architecture} on {', '.join(one.codenames) or 'any distribution'}"
                for one in application.downloads
                if one.file == file
            )
            problems.append(
                Problem(
                    application.downloads_from,
                    f"no {file} for {architecture} on {codename or 'any distribution'}",
                    f"this release is made for {'; '.join(fitting)}",
                    "add the release for this machine with its checksum, take another base or platform, "
                    "or remove the application's folder",
                )
            )
        found[application.name] = tuple(first.values())
    if problems:
        raise ApplicationsError(problems)
    return found
