"""Runs jupyterhub-singleuser without the imports that a server at its start has no use for.

Measured for jupyterhub 5.5 with jupyter_server 2.21: 0.76 s of 1.8 s go into building a grammar of addresses that only
a schema with a field of the format `iri` needs, and 0.4 s into the hub's own database and pages. They are put off until
something uses them, so that no feature is lost; where a package has another shape, it is imported as ever.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

LAZY = {"jupyterhub.orm", "aiohttp", "requests"}
"""Modules that others only name while they are imported."""

STUBS: dict[str, tuple[str, ...]] = {
    "rfc3987_syntax": ("is_valid_syntax",),
    "jupyterhub.handlers": (),
    "jupyterhub.handlers.pages": ("HealthCheckHandler",),
    "sqlalchemy": (),
    "sqlalchemy.exc": ("SQLAlchemyError",),
}
"""Modules from which others take these names while they are imported; packages before what they hold."""


class Stub(ModuleType):
    """Stands in a module's place until something else of it is used."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(load(self.__name__), name)


def load(name: str) -> ModuleType:
    """The true module, from now on in its stub's place; so are the others of its package."""
    root = next(stub for stub in STUBS if name == stub or name.startswith(stub + "."))
    for stub in [stub for stub in STUBS if stub == root or stub.startswith(root + ".")]:
        Finder.stubbed.discard(stub)
        if isinstance(sys.modules.get(stub), Stub):
            del sys.modules[stub]
    return importlib.import_module(name)


def early(module: str, name: str) -> Any:  # noqa: ANN401
    """What stands for a name that is taken early: a class without instances, or a function that calls the true one."""
    if name[0].isupper():
        return type(name, (Exception,) if name.endswith("Error") else (), {"__module__": module})
    return lambda *args, **kwargs: getattr(load(module), name)(*args, **kwargs)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules above before Python does."""

    stubbed = set(STUBS)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A stub or a lazy module, where the true one is installed."""
        if fullname not in LAZY and fullname not in self.stubbed:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        if fullname in LAZY:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        else:
            spec.loader = self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The stub."""
        return Stub(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Give it the names that are asked for early."""
        for name in STUBS[module.__name__]:
            setattr(module, name, early(module.__name__, name))


if __name__ == "__main__":
    sys.meta_path.insert(0, Finder())
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
