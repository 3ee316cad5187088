"""Giving up what a stack protects: its state forgets that objects are to be kept, so that a destroy deletes them.

`pulumi state unprotect` is not enough: it leaves `retainOnDelete`, by which a destroy forgets objects and keeps them.
"""

from typing import Any

_GUARDS = ("protect", "retainOnDelete")


def released(state: dict[str, Any]) -> dict[str, Any]:
    """An exported state in which nothing is protected or retained."""
    return _changed(state, [{key: one[key] for key in one if key not in _GUARDS} for one in resources(state)])


def guarded(state: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """An exported state in which everything is protected and retained that was so before it was released."""
    guards = {one["urn"]: {key: one[key] for key in _GUARDS if key in one} for one in resources(before)}
    return _changed(state, [one | guards.get(one["urn"], {}) for one in resources(state)])


def resources(state: dict[str, Any]) -> list[dict[str, Any]]:
    """What an exported state holds."""
    return (state.get("deployment") or {}).get("resources") or []


def _changed(state: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    return {**state, "deployment": {**(state.get("deployment") or {}), "resources": found}}
