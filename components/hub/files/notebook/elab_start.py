"""Runs jupyterhub-singleuser without what a server at its start has no use for.

Measured for jupyterhub 5.5 with jupyter_server 2.21: of 1.8 s, 0.76 s go into building a grammar of addresses that only
a schema with a field of the format `iri` needs, 0.4 s into the hub's own database and pages, 0.1 s into a client of the
package index for people who look for extensions. They are put off until something uses them, so that no feature is
lost; where a package has another shape, it is imported as ever.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import runpy
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

LAZY = {"jupyterhub.orm", "aiohttp", "requests", "arrow"}
"""Modules that others only name while they are imported."""

STUBS: dict[str, tuple[str, ...]] = {
    "rfc3986_validator": ("validate_rfc3986",),
    "rfc3987_syntax": ("is_valid_syntax",),
    "jupyterhub.handlers": (),
    "jupyterhub.handlers.pages": ("HealthCheckHandler",),
    "sqlalchemy": ("func",),
    "sqlalchemy.exc": ("SQLAlchemyError",),
    "IPython": (),
    "httpx": ("AsyncClient",),
}
"""Modules from which others take these names while they are imported; packages before what they hold."""

ROOTS = {name for name in STUBS if not any(name.startswith(other + ".") for other in STUBS)}
"""The stubs that are in no other stub's package."""

BARE = {"IPython"}
"""Packages whose modules do without what the package itself imports."""

MADE_LATER = {"httpx.AsyncClient"}
"""Classes whose objects are made when something is asked of them: certificates are read for each."""

FEWER_COLLECTIONS = 20_000
"""New objects between two looks for garbage (Python's own: 700), of which imports leave little."""


class Stub(ModuleType):
    """A module that is not executed until something of it is used that is not among its early names."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name == "__version__":
            with suppress(importlib.metadata.PackageNotFoundError):
                return importlib.metadata.version(self.__name__)
        elif name.startswith("__"):
            raise AttributeError(name)
        return getattr(load(self.__name__), name)


class Later:
    """Stands for an object until something is asked of it."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find
        self._found: Any = None

    def _object(self) -> Any:  # noqa: ANN401
        if self._found is None:
            self._found = self._find()
        return self._found

    @property
    def __class__(self) -> type:
        """What isinstance asks for."""
        return type(self._object())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._object(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return self._object()(*args, **kwargs)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        """Where it stands for a class, others may be derived from it."""
        return (self._object(),)

    async def __aenter__(self) -> Any:  # noqa: ANN401
        return await self._object().__aenter__()

    async def __aexit__(self, *error: Any) -> Any:  # noqa: ANN401
        return await self._object().__aexit__(*error)


class MadeLater(Later):
    """Stands for a class; its objects are made when something is asked of them."""

    def __call__(self, *args: Any, **kwargs: Any) -> Later:  # noqa: ANN401
        return Later(lambda: self._object()(*args, **kwargs))


def load(name: str) -> ModuleType:
    """The true module; its outermost stub is executed in place, the others of that package are imported afresh."""
    root = sys.modules[_root(name)]
    if isinstance(root, Stub):
        for stub in below(root.__name__):
            sys.modules.pop(stub, None)
            vars(root).pop(stub.rpartition(".")[2], None)
        for early_name in STUBS[root.__name__]:
            vars(root).pop(early_name, None)
        spec = find(root.__name__)
        assert spec is not None
        assert spec.loader is not None
        root.__class__ = ModuleType
        root.__spec__, root.__loader__ = spec, spec.loader
        if spec.submodule_search_locations is not None:
            root.__path__ = spec.submodule_search_locations
        spec.loader.exec_module(root)
    return importlib.import_module(name)


def find(name: str) -> importlib.machinery.ModuleSpec | None:
    """How Python itself would find the module."""
    parent = sys.modules.get(name.rpartition(".")[0])
    return importlib.machinery.PathFinder.find_spec(name, parent.__path__ if parent else None)


def below(root: str) -> list[str]:
    """The stubs in this one's package."""
    return [stub for stub in STUBS if stub.startswith(root + ".")]


def _root(name: str) -> str:
    """The stub that is the outermost package of this one."""
    return next(root for root in ROOTS if name == root or name.startswith(root + "."))


def early(module: str, name: str) -> Any:  # noqa: ANN401
    """What stands for a name that is taken early: a class without instances, or an object that finds the true one."""
    if f"{module}.{name}" in MADE_LATER:
        return MadeLater(lambda: getattr(load(module), name))
    if name[0].isupper():
        return type(name, (Exception,) if name.endswith("Error") else (), {"__module__": module})
    return Later(lambda: getattr(load(module), name))


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules above before Python does."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """A stub or a lazy module, where the true one is installed."""
        package = sys.modules.get(fullname.rpartition(".")[0])
        if isinstance(package, Stub) and package.__name__ not in BARE:
            # A true module needs its true package, which may import it at once.
            load(package.__name__)
            return Loaded.spec(sys.modules[fullname]) if fullname in sys.modules else None
        if fullname not in LAZY and fullname not in ROOTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return None
        spec.loader = importlib.util.LazyLoader(spec.loader) if fullname in LAZY else self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The stub."""
        return Stub(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Give it the names that are asked for early, and the stubs below it."""
        name = module.__name__
        for early_name in STUBS[name]:
            setattr(module, early_name, early(name, early_name))
        for stub in below(name):
            made = Stub(stub)
            for early_name in STUBS[stub]:
                setattr(made, early_name, early(stub, early_name))
            sys.modules[stub] = made
            setattr(module, stub.rpartition(".")[2], made)


class Loaded(importlib.abc.Loader):
    """Gives Python, which is about to import a module, the one that has been imported meanwhile."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.true_spec = module, module.__spec__

    @classmethod
    def spec(cls, module: ModuleType) -> importlib.machinery.ModuleSpec:
        """What leads to the module; Python takes it from the module itself."""
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, cls(module))
        return module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:  # noqa: ARG002
        """The module."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing but to give it its own origin back."""
        module.__spec__ = self.true_spec


if __name__ == "__main__":
    gc.set_threshold(FEWER_COLLECTIONS)
    sys.meta_path.insert(0, Finder())
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
