"""What Elasticsearch 9 takes: read from the source of its official client, which is made from its specification."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import elasticsearch

_SOURCES = Path(elasticsearch.__file__).parent / "_sync/client"
_USED = {
    "__init__": ("bulk", "count", "info", "search"),
    "cat": ("indices",),
    "cluster": ("get_settings", "health", "put_settings"),
    "ilm": ("get_lifecycle", "put_lifecycle"),
    "indices": (
        "create_data_stream", "delete_data_stream", "get_data_lifecycle", "get_data_stream", "get_data_stream_options",
        "get_index_template", "put_data_lifecycle", "put_data_stream_options", "put_index_template", "put_settings",
        "refresh", "rollover",
    ),
    "ingest": ("get_pipeline", "put_pipeline", "simulate"),
    "license": ("get",),
    "nodes": ("info", "stats"),
    "security": (
        "authenticate", "change_password", "get_role", "get_user", "has_privileges", "put_role", "put_user",
    ),
    "slm": ("execute_lifecycle", "get_lifecycle", "put_lifecycle"),
    "snapshot": ("create_repository", "get_repository", "verify_repository"),
    "xpack": ("info",),
}  # fmt: skip
"""The calls that elab and its shippers make, by module of the client; `cluster` has component templates besides."""
_COMPONENTS = ("get_component_template", "put_component_template")
_HOLE = re.compile(r"\{(\w+)\}")
_SAME = {"GET": ("GET", "HEAD"), "HEAD": ("HEAD", "GET"), "POST": ("POST", "PUT"), "PUT": ("PUT", "POST")}
"""The client knows one method of each call; the server takes a POST for most PUTs, and for a GET with a body."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """One call: its path, its parameters, and the keys of its body."""

    name: str
    """As the client has it, such as `indices.put_data_lifecycle`."""
    method: str
    path: str
    """With `{holes}`."""
    query: frozenset[str]
    body: frozenset[str] | None
    """None: the body is a whole of its own."""

    def match(self, path: str) -> Mapping[str, str] | None:
        """What stands in the path's holes; None: it is not this call's."""
        pieces = _HOLE.split(self.path)
        pattern = "".join(
            f"(?P<{piece}>[^/]+)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)
        )
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None

    def problem(self, query: Mapping[str, str], body: Any) -> str | None:  # noqa: ANN401  any JSON
        """Why the real server would refuse this; None: it would not."""
        unknown = sorted(set(query) - self.query)
        if unknown:
            return f"request [{self.path}] contains unrecognized parameters: {unknown}"
        if self.body is None or body is None:
            return None
        if not isinstance(body, dict):
            return f"[{self.name}] expected a JSON object"
        unknown = sorted(set(body) - self.body)
        return f"[{self.name}] unknown field {unknown}" if unknown else None


def _calls(module: str, text: str, names: tuple[str, ...]) -> Iterator[Api]:
    for name in names:
        start = text.index(f"\n    def {name}(")
        decorated = text.rindex("\n    @_rewrite_parameters(", 0, start)
        end = text.find("\n    @_rewrite_parameters(", start)
        source = text[decorated:end]
        paths = re.findall(r"__path = f?(['\"])(.+?)\1\n", source)
        methods = re.findall(r"(?:__method = |perform_request\([^\n]*\n\s+)\"(\w+)\"", source)
        whole = "body_name=" in source
        for _, path in paths:
            for method in dict.fromkeys(methods):
                yield Api(
                    name=name if module == "__init__" else f"{module}.{name}",
                    method=method,
                    path=re.sub(r"\{__path_parts\[\"(\w+)\"\]\}", r"{\1}", path),
                    query=frozenset(re.findall(r"__query\[\s*\"(\w+)\"\s*\]", source)),
                    body=None if whole else frozenset(re.findall(r"__body\[\s*\"(\w+)\"\s*\] =", source)),
                )


@cache
def apis() -> tuple[Api, ...]:
    """Every call that elab and its shippers make; those with a fixed first part first."""
    found: list[Api] = []
    for module, names in _USED.items():
        text = (_SOURCES / f"{module}.py").read_text()
        found += _calls(module, text, names + (_COMPONENTS if module == "cluster" else ()))
    return tuple(sorted(found, key=lambda api: (api.path.startswith("/{"), api.path.count("{"))))


def find(method: str, path: str) -> tuple[Api, Mapping[str, str]] | None:
    """The call that a request is."""
    for wanted in _SAME.get(method, (method,)):
        for api in apis():
            if api.method == wanted and (holes := api.match(path)) is not None:
                return api, holes
    return None
