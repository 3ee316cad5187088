"""`make dashboards`: writes the dashboards' JSON and the table of them, from the code."""

import importlib
import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from components.monitoring.dashboards.catalogue import FOLDER, NEEDS
from components.monitoring.dashboards.handbook import handbook

HANDBOOK = Path(__file__).parents[3] / "docs" / "dashboards.md"


def built(name: str) -> dict[str, Any]:
    """A dashboard as plain data, from its module."""
    module = importlib.import_module(f"components.monitoring.dashboards.{name}")
    return json.loads(JSONEncoder(sort_keys=True).encode(module.build()))


def text(dashboard: dict[str, Any]) -> str:
    """The JSON as it is committed."""
    return json.dumps(dashboard, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write everything anew."""
    dashboards = {name: built(name) for name in NEEDS}
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in FOLDER.glob("*.json"):
        if file.stem not in dashboards:
            file.unlink()
    for name, dashboard in dashboards.items():
        (FOLDER / f"{name}.json").write_text(text(dashboard), encoding="utf-8")
    HANDBOOK.write_text(handbook(dashboards), encoding="utf-8")


if __name__ == "__main__":
    main()
