"""The simulated days of the committed stacks, against what their plans say otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planning.capacity import Fit
from planning.rooms import reserve_owners
from planning.simulation.arrivals import Visit
from planning.simulation.day import Situation, simulate
from planning.simulation.situation import situation
from tests.harness.stacks import STACKS, plan


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
