"""The simulated days of the committed stacks, against what their plans say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml

from planning.capacity import Fit
from planning.rooms import reserve_owners
from planning.simulation.advice import changes
from planning.simulation.arrivals import Visit
from planning.simulation.day import Situation, simulate
from planning.simulation.situation import situation
from settings import SECRETS, read
from stackfile.configuration import plain_data
from stackfile.loader import load_stack
from tests.harness.stacks import PROJECT, STACKS, plan


def _situation(stack: str) -> Situation:
    found = plan(stack)
    reserve = reserve_owners(found.manifests)
    return situation(found.subject.settings, found.people.persons, found.pods, reserve)


def _alone(found: Situation, fit: Fit) -> Situation:
    """One profile in one of its pools."""
    here = (fit.pool,)
    return replace(
        found,
        pools=tuple(pool for pool in found.pools if pool.name == fit.pool),
        sizes={fit.profile: replace(found.sizes[fit.profile], pools=here)},
        residents=tuple(replace(one, pools=here) for one in found.residents if fit.pool in one.pools),
    )


@pytest.mark.parametrize("stack", STACKS)
def test_a_day_seats_as_many_as_the_plan_says_that_a_pool_holds(stack: str) -> None:
    found, fits = _situation(stack), plan(stack).fits
    assert fits
    for fit in fits:
        people = [Visit(at=9 * 3600, active=3600, profile=fit.profile)] * (fit.at_max + 1)
        outcome = simulate(_alone(found, fit), people)
        assert (len(outcome.waits), outcome.gave_up) == (fit.at_max, 1), fit


def _set(at: Any, path: Sequence[str], value: object) -> None:  # noqa: ANN401  a stack file's data
    for step in path[:-1]:
        at = at.setdefault(step, {})
    at[path[-1]] = value


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_that_follows_the_advice_is_not_refused(stack: str) -> None:
    file = load_stack(PROJECT, stack)
    found = list(changes(_situation(stack)))
    assert found
    for change in found:
        data: dict[str, Any] = dict(plain_data(file.config, file.project, SECRETS))
        pools = {pool["name"]: pool for pool in data["pools"]}
        _set(pools[change.pool] if change.pool else data, change.key.split("."), yaml.safe_load(change.value))
        read(data)
