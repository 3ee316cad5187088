"""The bootstrap's own program, run as its Job runs it, against the small Elasticsearch and Kibana."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILES = Path(__file__).parents[3] / "components/logging/files/bootstrap"
DOCUMENTS = FILES / "documents"
sys.path.insert(0, str(FILES))

import elab_bootstrap  # noqa: E402
from elab_http import Clock  # noqa: E402

from components.logging.bootstrap import USERS  # noqa: E402
from tests.harness.elastic.access import User  # noqa: E402
from tests.harness.elastic.server import Elastic, serve  # noqa: E402
from tests.unit.logging.roles import role  # noqa: E402

PASSWORD = "kept-to-itself"
HUB = "logs-kubernetes.hub-elab"
STREAMS = {"kubernetes.hub": "elab-hub", "kubernetes.people": "elab-people", "system.auth": None}


@dataclass(kw_only=True)
class FastClock:
    """Time that passes by sleeping alone."""

    passed: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.passed, sleep=self.sleep)


@dataclass(kw_only=True)
class Bench:
    """Servers, and the files that the Job mounts."""

    elastic: Elastic
    folder: Path
    values: dict[str, Any]
    time: FastClock = field(default_factory=FastClock)

    def run(self, task: str, *options: str, **changed: Any) -> int:  # noqa: ANN401  values of any kind
        """The exit code of one run."""
        values, password = self.folder / "values.json", self.folder / "password"
        values.write_text(json.dumps({**self.values, **changed}))
        password.write_text(PASSWORD + "\n")
        return elab_bootstrap.main(
            [
                task,
                *options,
                *("--values", str(values), "--password", str(password), "--authority", str(self.folder / "ca.crt")),
            ],
            self.time.clock(),
        )


@contextmanager
def bench(folder: Path) -> Generator[Bench]:
    """Both servers, running."""
    elastic = Elastic({user: User.of(PASSWORD, role(user)) for user in USERS.values()})
    with serve(elastic) as port, serve(elastic, kibana=True) as pages:
        values = {
            "elasticsearch": f"http://127.0.0.1:{port}",
            "kibana": f"http://127.0.0.1:{pages}",
            "users": dict(USERS),
            "retention": "30d",
            "rollover": "1d",
            "namespace": "elab",
            "streams": STREAMS,
            "snapshots": None,
            "patience_seconds": 300,
            "pushgateway": None,
        }
        yield Bench(elastic=elastic, folder=folder, values=values)


def write(elastic: Elastic, stream: str = HUB, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  any field
    """The answer to one line, from somebody who may write anything."""
    source = {"@timestamp": "2026-11-24T22:10:01.5Z", "message": "x", **fields}
    return elastic.streams.store(
        stream, None, source, User(password="", indices=[{"names": ["*"], "privileges": ["all"]}])
    )
