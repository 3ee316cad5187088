"""What is advised saves, can be followed, and does not go below what the stack says that it needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planning.simulation.advice import Change, best, changes
from planning.simulation.day import simulate
from tests.unit.planning.simulation.test_day import NINE, PATIENT, pool, situation, together


def advised(*changed: Change) -> list[str]:
    return [one.setting for one in changed]


def test_the_setting_that_saves_most_is_named() -> None:
    found, visits = situation(pool(least=6)), together(4)
    advice = best(found, visits, simulate(found, visits))
    assert advice is not None
    assert advice.setting == "nodes.min: 5 of pool a"
    assert advice.saved == pytest.approx(1 / 6, abs=0.05)


@pytest.mark.parametrize(("start_timeout", "named"), [(600, "nodes.min: 0 of pool a"), (540, None)])
def test_nothing_is_advised_that_makes_more_people_give_up(start_timeout: int, named: str | None) -> None:
    """Without the one node that is there, a person waits ten minutes for another."""
    found = replace(situation(pool(least=1, most=1), start_timeout=start_timeout), culled_after=1200, looked_every=1200)
    visits = together(1, at=NINE)
    advice = best(found, visits, simulate(found, visits))
    assert (advice.setting if advice else None) == named


def test_less_than_a_hundredth_is_no_advice() -> None:
    """One node of so many that are there all day."""
    visits = together(1, active=60)
    for least, saves in ((99, True), (101, False)):
        found = replace(situation(pool(least=least, most=least)), looked_every=3600)
        assert (best(found, visits, simulate(found, visits)) is not None) == saves


def test_placeholders_that_the_stacks_arrivals_ask_for_are_left_alone() -> None:
    stated = situation(pool(placeholders=60))
    assert advised(*changes(stated))[1:] == ["placeholders: 30 of pool a"]
    assert advised(*changes(stated.pool("a", by_arrivals=True)))[1:] == []


def test_of_a_pool_to_which_nothing_adds_nodes_both_sizes_change_and_one_node_stays() -> None:
    fixed = situation(pool(least=3, most=3, placeholders=2)).pool("a", adds_nodes=False)
    assert advised(*changes(fixed))[1:] == ["nodes: {min: 2, max: 2} of pool a"]
    assert advised(*changes(fixed.pool("a", least=1, most=1)))[1:] == []


@pytest.mark.parametrize(
    ("culled_after", "every", "named"),
    [(3600, 120, ["culling.timeout: 30m"]), (3600, 1860, []), (2700, 120, ["culling.timeout: 23m"]), (1140, 120, [])],
)
def test_servers_are_culled_no_sooner_than_they_are_looked_at_or_ten_minutes(
    culled_after: int, every: int, named: list[str]
) -> None:
    found = replace(situation(pool(), start_timeout=PATIENT), culled_after=culled_after, looked_every=every)
    assert advised(*changes(found)) == named
