"""Data streams: made by the template that matches best, and filled by bulk requests."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.harness.elastic import ingest, mapping
from tests.harness.elastic.access import AUTO_CREATE, CREATE, User

_LONGEST_ID = 512
_NAME = re.compile(r"[^A-Z\\/*?\"<>| ,#:\-_+.][^A-Z\\/*?\"<>| ,#:]*")


class Refusal(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.body = {"error": {"type": kind, "reason": reason}, "status": status}


@dataclass(kw_only=True)
class Stream:
    """A data stream: what it was made by, and what is in it."""

    name: str
    settings: Mapping[str, Any]
    mappings: Mapping[str, Any]
    lifecycle: dict[str, Any] | None
    options: dict[str, Any]
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id, in the order of their arrival."""
    failures: list[dict[str, Any]] = field(default_factory=list)
    """The failure store: what could not be stored, where the stream has one."""
    ilm_policy: str | None = None
    prefer_ilm: bool = True
    hidden: bool = False
    system: bool = False
    generation: int = 1
    older: list["Stream"] = field(default_factory=list)
    """As it was before each of its rollovers: an older backing index stays as it was made."""

    @property
    def index(self) -> str:
        """The backing index that is written to."""
        return f".ds-{self.name}-2026.11.24-{self.generation:06d}"


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Later parts over earlier ones, objects merged."""
    made: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(made.get(key), dict) and isinstance(value, Mapping)
            made[key] = merged(made[key], value) if both else value
    return made


def flat(settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Settings by their full names, each with `index.` before it."""
    made: dict[str, Any] = {}
    for key, value in settings.items():
        full = f"{path}{key}"
        if isinstance(value, Mapping):
            made |= flat(value, f"{full}.")
        else:
            made[full if full.startswith("index.") else f"index.{full}"] = value
    return made


def manager(lifecycle: Mapping[str, Any] | None, policy: str | None, *, prefer_ilm: bool) -> str:
    """What deletes an index: of a policy and its stream's lifecycle, the one that is preferred."""
    by_lifecycle = lifecycle is not None and lifecycle.get("enabled", True)
    if policy is not None and (prefer_ilm or not by_lifecycle):
        return "Index Lifecycle Management"
    return "Data stream lifecycle" if by_lifecycle else "Unmanaged"


class Streams:
    """Templates, pipelines and the streams that they make."""

    def __init__(self) -> None:
        self.component_templates: dict[str, dict[str, Any]] = {}
        self.index_templates: dict[str, dict[str, Any]] = {}
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.streams: dict[str, Stream] = {}
        self.auto_create_index = "true"
        """elasticsearch.yml's `action.auto_create_index`: `true`, `false`, or patterns, each with `+` or `-`."""
        self.refused: list[tuple[str, str]] = []
        """Documents that were refused for good: their stream and the reason."""
        self._ids = itertools.count()

    def named(self, pattern: str) -> list[Stream]:
        """Streams by names or patterns."""
        return [
            stream
            for name, stream in sorted(self.streams.items())
            if any(pattern in ("_all", "") or fnmatchcase(name, one) for one in pattern.split(","))
        ]

    def template_of(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """The template of highest priority that matches."""
        matching = [
            (key, template)
            for key, template in self.index_templates.items()
            if any(fnmatchcase(name, pattern) for pattern in _list(template["index_patterns"]))
        ]
        return max(matching, key=lambda one: one[1].get("priority", 0), default=None)

    def next_of(self, name: str) -> tuple[str | None, str | None, bool]:
        """The template that matches now, whatever a stream was made by, its policy, and whether that is preferred."""
        key, template = self.template_of(name) or (None, {})
        settings = flat(self.body(template).get("settings", {}))
        prefers = str(settings.get("index.lifecycle.prefer_ilm", True)).lower() == "true"
        return key, settings.get("index.lifecycle.name"), prefers

    def body(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """What a template and its components say together."""
        parts = [self.component_templates[one]["template"] for one in template.get("composed_of", [])]
        return merged(*parts, template.get("template", {}))

    def _allowed(self, name: str, template: Mapping[str, Any]) -> bool:
        if template.get("allow_auto_create") is not None:
            return template["allow_auto_create"]
        if self.auto_create_index in ("true", "false"):
            return self.auto_create_index == "true"
        for pattern in self.auto_create_index.split(","):
            if fnmatchcase(name, pattern.lstrip("+-")):
                return not pattern.startswith("-")
        return False

    def create(self, name: str) -> Stream:
        """A stream of this name, as its template says."""
        if not _NAME.fullmatch(name) or len(name.encode()) > 255:
            raise Refusal(400, "invalid_index_name_exception", f"Invalid index name [{name}]")
        found = self.template_of(name)
        if found is None or "data_stream" not in found[1]:
            raise Refusal(
                400, "illegal_argument_exception", f"no matching index template found for data stream [{name}]"
            )
        body = self.body(found[1])
        settings = flat(body.get("settings", {}))
        self.streams[name] = Stream(
            name=name,
            settings=settings,
            mappings=body.get("mappings", {}),
            lifecycle={"enabled": True, **body["lifecycle"]} if "lifecycle" in body else None,
            options=body.get("data_stream_options", {}),
            hidden=found[1]["data_stream"].get("hidden", False),
            ilm_policy=settings.get("index.lifecycle.name"),
        )
        return self.streams[name]

    def _target(self, name: str, user: User) -> Stream:
        if not user.may_index(name, CREATE):
            reason = f"action [indices:data/write/bulk[s]] is unauthorized for user on indices [{name}]"
            raise Refusal(403, "security_exception", reason)
        if name in self.streams:
            return self.streams[name]
        found = self.template_of(name)
        if found is None or not self._allowed(name, found[1]):
            raise Refusal(404, "index_not_found_exception", f"no such index [{name}] and [action.auto_create_index] …")
        if not user.may_index(name, AUTO_CREATE):
            reason = f"action [indices:admin/auto_create] is unauthorized for user on indices [{name}]"
            raise Refusal(403, "security_exception", reason)
        return self.create(name)

    def store(self, name: str, identity: str | None, source: dict[str, Any], user: User) -> dict[str, Any]:
        """Create one document, and say how that went as an item of a bulk's answer."""
        try:
            stream = self._target(name, user)
            made = self._through_pipelines(stream, source)
            if made is None:
                return {"_index": name, "_id": identity, "status": 200, "result": "noop"}
            if identity is not None and identity in stream.documents:
                reason = f"[{identity}]: version conflict, document already exists (current version [1])"
                raise Refusal(409, "version_conflict_engine_exception", reason)
            ignore = str(stream.settings.get("index.mapping.ignore_malformed", "false")) == "true"
            try:
                mapping.check(made, stream.mappings, ignore_malformed=ignore)
            except mapping.Misfit as misfit:
                raise Refusal(400, "document_parsing_exception", str(misfit)) from None
        except Refusal as refusal:
            stream = self.streams.get(name)
            if refusal.status == 400 and stream and stream.options.get("failure_store", {}).get("enabled"):
                stream.failures.append({"document": source, "error": str(refusal)})
                return {"_index": f".fs-{name}", "_id": identity, "status": 201, "failure_store": "used"}
            if refusal.status == 400:
                self.refused.append((name, str(refusal)))
            return {"_index": name, "_id": identity, "status": refusal.status, "error": refusal.body["error"]}
        key = identity if identity is not None else f"auto-{next(self._ids)}"
        stream.documents[key] = made
        return {"_index": stream.index, "_id": key, "_version": 1, "result": "created", "status": 201}

    def _through_pipelines(self, stream: Stream, source: dict[str, Any]) -> dict[str, Any] | None:
        made: dict[str, Any] | None = source
        for setting in ("index.default_pipeline", "index.final_pipeline"):
            key = stream.settings.get(setting)
            if key is None or key == "_none" or made is None:
                continue
            if key not in self.pipelines:
                raise Refusal(400, "illegal_argument_exception", f"pipeline with id [{key}] does not exist")
            try:
                made = ingest.run(self.pipelines[key], made, self.pipelines)
            except ingest.Failed as failed:
                raise Refusal(400, "illegal_argument_exception", str(failed)) from None
        return made


def _list(value: Any) -> list[str]:  # noqa: ANN401  a text or several
    return [value] if isinstance(value, str) else list(value)


def actions(body: bytes, index: str | None) -> Iterator[tuple[str, str | None, str | None, dict[str, Any]]]:
    """The actions of a bulk's body: operation, target, id and document. A broken body raises `Refusal`."""
    if not body.endswith(b"\n"):
        raise Refusal(400, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
    lines = iter(body.split(b"\n")[:-1])
    for line in lines:
        try:
            ((operation, header),) = json.loads(line).items()
        except (ValueError, AttributeError):
            raise Refusal(400, "illegal_argument_exception", "Malformed action/metadata line") from None
        unknown = set(header) - {"_index", "_id", "routing", "require_data_stream", "pipeline", "dynamic_templates"}
        if unknown or operation not in ("create", "index", "update", "delete"):
            # `_type` is such a key: servers of version 8 and later refuse it.
            raise Refusal(400, "illegal_argument_exception", f"Action/metadata line contains {sorted(unknown)}")
        source = next(lines, None)
        if source is None:
            raise Refusal(400, "illegal_argument_exception", "a document is missing")
        try:
            document = json.loads(source)
        except ValueError:
            document = {}
        identity = header.get("_id")
        if identity is not None and len(identity.encode()) > _LONGEST_ID:
            # One such id, and the whole request is refused.
            reason = f"id [{identity}] is too long, must be no longer than {_LONGEST_ID} bytes"
            raise Refusal(400, "action_request_validation_exception", reason)
        yield operation, header.get("_index", index), identity, document
