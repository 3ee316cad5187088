"""The small Elasticsearch after its bootstrap, for tests of what writes to it then."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import elab_bootstrap

from components.logging.streams import PIPELINES
from tests.harness.elastic.access import SUPERUSER, User
from tests.harness.elastic.server import Elastic, serve
from tests.unit.logging.roles import role

PART = "elab"
"""The last part of its streams' names."""
_ADMINISTRATOR = "administrator"


def bootstrapped(folder: Path, passwords: Mapping[str, str]) -> Elastic:
    """A server with the platform's streams, and these users of shippers."""
    made = Elastic({_ADMINISTRATOR: User.of("a", SUPERUSER)})
    with serve(made) as port:
        url = f"http://127.0.0.1:{port}"
        values: dict[str, Any] = {
            "elasticsearch": url,
            "kibana": url,
            "users": {"store": _ADMINISTRATOR},
            "retention": "30d",
            "rollover": "1d",
            "namespace": PART,
            "streams": dict(PIPELINES),
            "snapshots": None,
            "patience_seconds": 30,
            "pushgateway": None,
        }
        (folder / "values.json").write_text(json.dumps(values))
        (folder / "administrator").write_text("a")
        arguments = ["store", "--values", str(folder / "values.json"), "--password", str(folder / "administrator")]
        assert elab_bootstrap.main(arguments) == 0
    made.users = {name: User.of(password, role(name)) for name, password in passwords.items()}
    made.requests.clear()
    return made
