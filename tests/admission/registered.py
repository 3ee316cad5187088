"""What the committed stacks register, with the made-up secrets of a recording in clear."""

from __future__ import annotations

import functools
from typing import Any

from planning import schemas
from planning.manifests import Manifest
from planning.recording import Recorded
from tests.harness.stacks import STACKS, recorded

Body = dict[str, Any]


@functools.cache
def objects(stack: str) -> tuple[Body, ...]:
    """Every object of a stack, in the order of registration."""
    return tuple(_body(one) for one in recorded(stack, {}).kubernetes())


def _body(one: Recorded) -> Body:
    return {**one.inputs, "metadata": {"name": one.name, **(one.inputs.get("metadata") or {})}}


def manifest(body: Body) -> Manifest:
    """The object as plans check it."""
    return Manifest(urn="", body=body)


@functools.cache
def custom(stack: str) -> tuple[Body, ...]:
    """Those whose kinds others define."""
    return tuple(body for body in objects(stack) if schemas.is_custom(manifest(body)))


@functools.cache
def every_custom() -> tuple[Body, ...]:
    """Those of all stacks."""
    return tuple(body for stack in STACKS for body in custom(stack))
