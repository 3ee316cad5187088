"""What the platform's own programs use: processor time and memory, as the kubelet counts them."""

import json
import os
from dataclasses import dataclass

from bench.pods import kubectl


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One program at one moment."""

    processor: float
    """Seconds of one core since its container began."""
    memory: float
    """MiB of its working set, which is what a limit counts."""


def platform(namespace: str) -> dict[str, Usage]:
    """Every container of a hub's namespace by name, but people's servers."""
    (node,) = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
    found = {}
    for pod in json.loads(kubectl("get", "--raw", path))["pods"]:
        if pod["podRef"]["namespace"] != namespace:
            continue
        for container in pod["containers"]:
            if container["name"] != "notebook" and "usageCoreNanoSeconds" in container.get("cpu", {}):
                found[container["name"]] = Usage(
                    processor=container["cpu"]["usageCoreNanoSeconds"] / 1e9,
                    memory=container["memory"]["workingSetBytes"] / 2**20,
                )
    return found


def load() -> str:
    """How busy the machine is, whoever keeps it so."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
