"""The hub's own count of its servers, against which pods are held."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from elab_known_servers import KNOWN

from .running import hub, person


def test_servers_that_run_or_stop_are_known_and_one_that_was_struck_is_not(
    values: dict[str, Any], tmp_path: Path
) -> None:
    async def check() -> list[float]:
        async with hub(values, tmp_path) as app:
            known = [KNOWN.collect()[0].samples[0].value]
            for name in ("alice", "bob"):
                person(app, name)
            known.append(KNOWN.collect()[0].samples[0].value)
            spawner = app.users["bob"].spawner
            spawner._stop_pending = True
            known.append(KNOWN.collect()[0].samples[0].value)
            spawner._stop_pending, spawner.server = False, None
            return [*known, KNOWN.collect()[0].samples[0].value]

    assert asyncio.run(check()) == [0, 2, 2, 1]
