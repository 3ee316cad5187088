"""A stack's Prometheus in the lab, asked by the machine itself: the node reaches its pods, whatever policies say."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operate import rig
from operate.steps import OperationError

_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that is scraped."""

    job: str
    url: str
    up: bool
    error: str
    """What went wrong at the last scrape, if anything did."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series of an answer, and its last value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """Prometheus as its HTTP API shows it."""

    namespace: str

    def address(self) -> str:
        """The pod's address now; it changes with every pod.

        Raises:
            OperationError: no such pod has an address.
        """
        path = "jsonpath={range .items[*]}{.metadata.deletionTimestamp}:{.status.podIP} {end}"
        found = rig.kubectl(
            "-n", self.namespace, "get", "pods", "-l", "app.kubernetes.io/component=prometheus", "-o", path
        )
        alive = [one[1:] for one in found.split() if one.startswith(":") and one != ":"]
        if not alive:
            raise OperationError(f"no Prometheus runs in the namespace {self.namespace}")
        return alive[0]

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401  whatever the API answers
        """What the API says.

        Raises:
            OperationError: Prometheus does not answer, or refuses the question, with what it said.
        """
        url = f"http://{self.address()}:9090/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
            raise OperationError(f"Prometheus answered {error.code}: {said}") from None
        except OSError as error:
            raise OperationError(f"Prometheus in {self.namespace} does not answer: {error}") from None

    def query(self, expr: str, at: float | None = None) -> list[Series]:
        """What a query gives, now or at a moment (seconds since 1970)."""
        data = self.ask("query", query=expr, **({} if at is None else {"time": str(at)}))
        if data["resultType"] == "scalar":
            return [Series(labels={}, value=float(data["result"][1]))]
        return [Series(labels=one["metric"], value=float(one["value"][1])) for one in data["result"]]

    def value(self, expr: str) -> float | None:
        """The one value that a query gives, if it gives any."""
        found = self.query(expr)
        return found[0].value if found else None

    def by(self, label: str, expr: str) -> dict[str, float]:
        """A query's values by one of their labels."""
        return {one.labels.get(label, ""): one.value for one in self.query(expr)}

    def targets(self) -> list[Target]:
        """Everything that is scraped."""
        return [
            Target(job=one["labels"]["job"], url=one["scrapeUrl"], up=one["health"] == "up", error=one["lastError"])
            for one in self.ask("targets", state="active")["activeTargets"]
        ]
