"""The pack excuses what `make plan` excuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pulumi
import pytest

from policy import crossguard
from policy.exemptions import Exemption
from policy.rules import RULES
from policy.rules.model import Context

DEAR = Exemption(index=0, rule="cost-ceiling", resource="stack", stacks="prod", reason="x", expires=date(2099, 1, 1))
TOLD = Context(
    instance="elab",
    environment="prod",
    registries=(),
    memory_ratio=Decimal(4),
    monthly_cost=Decimal(100),
    nodes_cost=Decimal(101),
)


@pytest.mark.parametrize(("stack", "count"), [("prod", 0), ("dev", 1)])
def test_a_fault_of_the_whole_stack_can_be_exempted(monkeypatch: pytest.MonkeyPatch, stack: str, count: int) -> None:
    monkeypatch.setattr(crossguard, "load", lambda _today: (DEAR,))
    monkeypatch.setattr(crossguard, "_settings", lambda: None)
    monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
    pack = crossguard.Pack()
    pack._context = TOLD
    ceiling = next(rule for rule in RULES if rule.name == "cost-ceiling")
    said: list[str] = []
    pack._of_stack(ceiling)(SimpleNamespace(resources=[]), lambda what, _urn=None: said.append(what))  # ty: ignore[invalid-argument-type]
    assert [what.startswith("stack: all pools") for what in said] == [True] * count
