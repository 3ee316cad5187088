"""Pools for the tests of what their autoscalers and their clouds' own programs are told."""

from __future__ import annotations

import shlex
from typing import Any

from tests.harness.platform import CLOUDS, settings

SPOT = {"key": "kubernetes.azure.com/scalesetpriority", "value": "spot"}
"""The taint that AKS gives its spot nodes, less its effect."""


def commands(changes: dict[str, Any]) -> dict[str, list[str]]:
    """The words of each pool's command."""
    return {one.pool: shlex.split(one.command) for one in settings(changes).scaling.commands}


def spot_pools(cloud: str, taints: list[dict[str, str]]) -> dict[str, Any]:
    """The cloud's own pools, the first of them on spot machines with these taints."""
    general, memory = CLOUDS[cloud]["pools"]
    change = {"spot": True, "price_per_hour": 0.1, "taints": taints}
    return {**CLOUDS[cloud], "pools": [{**general, **change}, memory]}
