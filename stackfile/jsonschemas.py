"""The package jsonschema, as whatever checks files and objects here loads it."""

import functools
import importlib
import sys
from types import ModuleType

_IRI_GRAMMAR = "rfc3987_syntax"


@functools.cache
def jsonschema_without_iris() -> ModuleType:
    """jsonschema, kept from building its grammar of IRIs: that takes a second, and no schema here has an IRI."""
    before = sys.modules.get(_IRI_GRAMMAR)
    # An empty module: importing a name from it fails as if the package were not installed, which is allowed.
    sys.modules[_IRI_GRAMMAR] = ModuleType(_IRI_GRAMMAR)
    try:
        return importlib.import_module("jsonschema")
    finally:
        del sys.modules[_IRI_GRAMMAR]
        if before is not None:
            sys.modules[_IRI_GRAMMAR] = before
