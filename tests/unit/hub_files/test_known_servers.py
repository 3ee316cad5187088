"""The hub's own count of its servers, against which pods are held."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from .running import hub, person


def test_servers_that_run_or_stop_are_known_and_one_that_was_struck_is_not(
    values: dict[str, Any], tmp_path: Path
) -> None:
    async def check() -> list[float | None]:
        async with hub(values, tmp_path) as app:
            known = [REGISTRY.get_sample_value("elab_known_servers")]
            for name in ("alice", "bob"):
                person(app, name)
            known.append(REGISTRY.get_sample_value("elab_known_servers"))
            spawner = app.users["bob"].spawner
            spawner._stop_pending = True
            known.append(REGISTRY.get_sample_value("elab_known_servers"))
            spawner._stop_pending, spawner.server = False, None
            return [*known, REGISTRY.get_sample_value("elab_known_servers")]

    assert asyncio.run(check()) == [0, 2, 2, 1]
