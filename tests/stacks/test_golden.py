"""What the committed stacks make is what somebody looked at: `pytest --update-golden` renews it, git diff shows it."""

from __future__ import annotations

import pytest

from planning.snapshot import Snapshot, snapshot
from tests.harness import golden
from tests.harness.stacks import STACKS, plan


def _snapshot(stack: str) -> Snapshot:
    return snapshot(plan(stack).recording)


@pytest.mark.parametrize("stack", STACKS)
def test_manifests_are_the_golden_ones(stack: str, request: pytest.FixtureRequest) -> None:
    now = golden.files_of(plan(stack).manifests, _snapshot(stack))
    if request.config.getoption("--update-golden"):
        golden.write(stack, now)
    before = golden.read(stack)
    assert sorted(now) == sorted(before), "other namespaces than before: pytest --update-golden, then look at git diff"
    for name, text in now.items():
        assert text == before[name], f"{stack}/{name} changed: pytest --update-golden, then look at git diff"


@pytest.mark.parametrize("stack", STACKS)
def test_no_urn_disappears_without_an_alias(stack: str) -> None:
    """A resource that is removed on purpose goes from urns.txt in the same commit; a renamed one needs `aliases`."""
    frozen = {line.split()[0] for line in golden.read(stack)["urns.txt"].splitlines()}
    known = {urn for entry in _snapshot(stack).entries for urn in (entry.urn, *entry.former)}
    assert frozen <= known


def test_every_committed_stack_has_golden_files_and_no_other_has() -> None:
    assert sorted(path.name for path in golden.FOLDER.iterdir()) == STACKS
