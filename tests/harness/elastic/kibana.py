"""Kibana's calls that the bootstrap makes: status, spaces, roles and the import of saved objects."""

import json
import re
from collections.abc import Iterator, Mapping
from email.parser import BytesParser
from typing import Any

from tests.harness.elastic.streams import Refusal

_TYPES = {"dashboard", "index-pattern", "search", "lens", "visualization", "tag", "map", "query"}
_SPACE = {"id", "name", "description", "color", "initials", "disabledFeatures", "imageUrl", "solution"}
_ROLE = {"elasticsearch", "kibana", "metadata", "description"}
_FILE = "file"


class Kibana:
    """What has been put into Kibana."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.available = True
        self.spaces: dict[str, dict[str, Any]] = {"default": {"id": "default", "name": "Default"}}
        self.roles: dict[str, dict[str, Any]] = {}
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        """By space, type and id."""

    def call(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        """Status and answer; `Refusal` where Kibana refuses."""
        if path == "/api/status":
            level = "available" if self.available else "unavailable"
            status = {"overall": {"level": level, "summary": level}}
            return (200 if self.available else 503), {"version": {"number": self.version}, "status": status}
        if method != "GET" and not headers.get("kbn-xsrf"):
            raise Refusal(400, "Bad Request", "Request must contain a kbn-xsrf header.")
        found = re.fullmatch(r"(?:/s/([a-z0-9_-]+))?(/api/.*)", path)
        if not found:
            raise Refusal(404, "Not Found", "Not Found")
        space = found[1] or "default"
        if space not in self.spaces:
            raise Refusal(404, "Not Found", f"Saved object [space/{space}] not found")
        return self._api(method, found[2], space, query, headers, body)

    def _api(
        self, method: str, path: str, space: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        if path.startswith("/api/spaces/space"):
            return self._space(method, path.removeprefix("/api/spaces/space").strip("/"), body)
        if path.startswith("/api/security/role/") and method == "PUT":
            role = _object(body, _ROLE)
            wrong = set(role.get("elasticsearch", {})) - {"cluster", "indices", "run_as", "remote_indices"}
            if wrong:
                raise Refusal(400, "Bad Request", f"[request body.elasticsearch]: definition for {wrong} is missing")
            for grant in role.get("kibana", []):
                if set(grant) - {"base", "feature", "spaces"} or (grant.get("base") and grant.get("feature")):
                    raise Refusal(400, "Bad Request", "[request body.kibana]: not a grant")
            self.roles[path.rsplit("/", 1)[1]] = role
            return 204, None
        if path == "/api/saved_objects/_import" and method == "POST":
            if set(query) - {"overwrite", "createNewCopies", "compatibilityMode"}:
                raise Refusal(400, "Bad Request", f"[request query]: {sorted(query)}")
            return 200, self._import(space, query.get("overwrite") == "true", headers["content-type"], body)
        if path == "/api/data_views" and method == "GET":
            views = [
                {"id": key[2], **one["attributes"]} for key, one in self.objects.items() if key[1] == "index-pattern"
            ]
            return 200, {"data_view": views}
        raise Refusal(404, "Not Found", f"no handler for {method} {path}")

    def _space(self, method: str, name: str, body: bytes) -> tuple[int, Any]:
        if method == "GET" and not name:
            return 200, list(self.spaces.values())
        if method == "GET":
            if name not in self.spaces:
                raise Refusal(404, "Not Found", "Not Found")
            return 200, self.spaces[name]
        space = _object(body, _SPACE)
        if method == "POST" and space["id"] in self.spaces:
            raise Refusal(409, "Conflict", f"A space with the identifier {space['id']} already exists.")
        if method == "PUT" and name not in self.spaces:
            raise Refusal(404, "Not Found", "Not Found")
        self.spaces[space["id"]] = space
        return 200, space

    def _import(self, space: str, overwrite: bool, content_type: str, body: bytes) -> dict[str, Any]:
        stored, errors, entries = [], [], list(_lines(content_type, body))
        given = {(one["type"], one["id"]) for one in entries}
        for one in entries:
            if one["type"] not in _TYPES:
                errors.append({"id": one["id"], "type": one["type"], "error": {"type": "unsupported_type"}})
                continue
            missing = [
                ref
                for ref in one.get("references", [])
                if (ref["type"], ref["id"]) not in given and (space, ref["type"], ref["id"]) not in self.objects
            ]
            key = (space, one["type"], one["id"])
            if missing:
                error = {"type": "missing_references", "references": missing}
                errors.append({"id": one["id"], "type": one["type"], "error": error})
            elif key in self.objects and not overwrite:
                errors.append({"id": one["id"], "type": one["type"], "error": {"type": "conflict"}})
            else:
                self.objects[key] = one
                stored.append({"id": one["id"], "type": one["type"]})
        answer: dict[str, Any] = {"success": not errors, "successCount": len(stored), "successResults": stored}
        return {**answer, "errors": errors} if errors else answer


def _object(body: bytes, known: set[str]) -> dict[str, Any]:
    made = json.loads(body)
    unknown = sorted(set(made) - known)
    if unknown:
        raise Refusal(400, "Bad Request", f"[request body.{unknown[0]}]: definition for this key is missing")
    return made


def _lines(content_type: str, body: bytes) -> Iterator[dict[str, Any]]:
    """The objects of an uploaded file."""
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    for part in message.walk():
        if part.get_param("name", header="content-disposition") == _FILE:
            if not str(part.get_filename()).endswith(".ndjson"):
                raise Refusal(400, "Bad Request", "Invalid file extension")
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            yield from (json.loads(line) for line in content.splitlines() if line.strip())
            return
    raise Refusal(400, "Bad Request", "[request body.file]: expected value of type [Stream] but got [undefined]")
