"""What Kibana is given: spaces, roles, data views, saved searches and dashboards."""

import json
from pathlib import Path

from elab_http import Client, Refused

_CHANGES = {"kbn-xsrf": "elab"}
_BOUNDARY = "elab-saved-objects"


class Pages:
    """Puts everything, and remembers what that was."""

    def __init__(self, client: Client, documents: Path) -> None:
        self._client = client
        self._documents = documents / "kibana"
        self.done: list[str] = []

    def apply(self) -> None:
        """Everything: roles name spaces, and objects live in them."""
        self._client.ask("GET", "/api/status")
        spaces = json.loads((self._documents / "spaces.json").read_text())
        for space in spaces:
            path = f"/api/spaces/space/{space['id']}"
            if self._client.found(path) is None:
                self._make_space(space)
            else:
                self._client.ask("PUT", path, space, headers=_CHANGES)
        roles = json.loads((self._documents / "roles.json").read_text())
        for name, role in roles.items():
            self._client.ask("PUT", f"/api/security/role/{name}", role, headers=_CHANGES)
        count = sum(self._import(space["id"]) for space in spaces)
        self.done.append(f"{len(spaces)} spaces, {len(roles)} roles, {count} saved objects")

    def _make_space(self, space: dict[str, str]) -> None:
        try:
            self._client.ask("POST", "/api/spaces/space", space, headers=_CHANGES)
        except Refused as refused:
            # Made by a request whose answer was lost.
            if refused.status != 409:
                raise

    def _import(self, space: str) -> int:
        """The file of a space's objects, over what is there of the same ids."""
        content = (self._documents / f"{space}.ndjson").read_bytes()
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{space}.ndjson"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = {**_CHANGES, "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        path = f"/s/{space}/api/saved_objects/_import?overwrite=true"
        answer = self._client.ask("POST", path, body, headers=kind)
        if not answer["success"]:
            wrong = ", ".join(f"{one['type']} {one['id']}: {one['error']['type']}" for one in answer["errors"])
            raise Refused(f"POST {path}", 200, wrong)
        return answer["successCount"]
