"""Giving up what a stack protects: its state forgets that objects are to be kept, so that a destroy deletes them.

`pulumi state unprotect` is not enough: it leaves `retainOnDelete`, by which a destroy forgets objects and keeps them.
"""

import json
from pathlib import Path
from typing import Any

from operate import rig


def release(project: Path, stack: str) -> None:
    """Let the next destroy of a stack in the lab delete everything."""
    state = rig.pulumi_json(project, stack, "stack", "export")
    rig.pulumi_cli(project, stack, ["stack", "import", "--stack", stack], text=json.dumps(released(state)))


def released(state: dict[str, Any]) -> dict[str, Any]:
    """An exported state in which nothing is protected or retained."""
    deployment = state.get("deployment") or {}
    resources = [
        {key: value for key, value in resource.items() if key not in ("protect", "retainOnDelete")}
        for resource in deployment.get("resources", [])
    ]
    return {**state, "deployment": {**deployment, "resources": resources}}
