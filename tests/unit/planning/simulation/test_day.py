"""What must hold of any simulated day, whatever its figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planning.capacity import Room
from planning.pods import Requests
from planning.simulation.arrivals import SHAPES, Visit
from planning.simulation.cluster import Pool, Resident, Size
from planning.simulation.day import Situation, simulate

GIB = 1 << 30
SEAT = Requests(cpu=1000, memory=4 * GIB)
SERVER = Requests(cpu=1000, memory=4 * GIB, disks=1)
ON_GPU = replace(SERVER, gpus=1)
NODE_START = 600
PATIENT = 24 * 3600
NINE = 9 * 3600


def pool(
    name: str = "a",
    *,
    least: int = 0,
    most: int = 10,
    placeholders: int = 0,
    price: float | None = 1.0,
    disks: int | None = None,
    gpus: int = 0,
    placeholder: Requests = SEAT,
    node_start: int = NODE_START,
) -> Pool:
    """Four people fit a node, if their disks do."""
    return Pool(
        name=name,
        room=Room(cpu=4000, memory=16 * GIB, pods=110, disks=disks, gpus=gpus),
        least=least,
        most=most,
        placeholders=placeholders,
        placeholder=placeholder,
        node_start=node_start,
        price_per_hour=price,
    )


def size(*pools: str, prefers_pools: bool = True, packs: bool = True, asked: Requests = SERVER) -> Size:
    return Size(pools=pools or ("a",), asked=asked, prefers_pools=prefers_pools, packs=packs)


def situation(*pools: Pool, of: Size | None = None, start_timeout: int = PATIENT) -> Situation:
    sizes = {"small": of or size(*(one.name for one in pools))}
    return Situation(pools=pools, sizes=sizes, start_timeout=start_timeout, culled_after=3600)


def together(people: int, at: int = NINE, active: int = 3600) -> list[Visit]:
    return [Visit(at=at, active=active, profile="small")] * people


def test_where_nodes_are_ready_nobody_waits() -> None:
    assert set(simulate(situation(pool(least=2)), together(8)).waits) == {0}


def test_who_finds_no_node_waits_as_long_as_one_takes_to_start() -> None:
    outcome = simulate(situation(pool()), together(4))
    assert set(outcome.waits) == {NODE_START}
    assert outcome.peak == {"a": 1}


def test_a_pool_whose_nodes_start_faster_makes_no_other_pools_faster() -> None:
    fast, slow = pool("fast", node_start=120), pool("slow", node_start=900)
    sizes = {"small": size("fast"), "large": size("slow")}
    found = replace(situation(fast, slow), sizes=sizes)
    assert simulate(found, [*together(1), Visit(at=NINE, active=3600, profile="large")]).waits == (120, 900)


def test_placeholders_keep_room_for_the_next_people() -> None:
    without = simulate(situation(pool(least=1)), together(6))
    reserved = simulate(situation(pool(least=1, placeholders=6)), together(6))
    assert without.wait(1) == NODE_START
    assert reserved.wait(1) == 0


def test_placeholders_that_gave_way_call_for_nodes_and_these_go_again() -> None:
    outcome = simulate(situation(pool(least=1, placeholders=4)), together(4))
    assert outcome.peak == {"a": 2}
    assert outcome.nodes[NINE // 3600 + 4] == 1


def test_a_pool_never_outgrows_its_largest_and_the_rest_give_up() -> None:
    outcome = simulate(situation(pool(most=2), start_timeout=1200), together(9, active=20 * 3600))
    assert outcome.peak == {"a": 2}
    assert (len(outcome.waits), outcome.gave_up) == (8, 1)


@pytest.mark.parametrize(("start_timeout", "served"), [(NODE_START, 4), (NODE_START - 1, 0)])
def test_who_waits_for_a_node_beyond_their_patience_gets_no_server(start_timeout: int, served: int) -> None:
    outcome = simulate(situation(pool(), start_timeout=start_timeout), together(4))
    assert (len(outcome.waits), outcome.gave_up) == (served, 4 - served)
    assert outcome.peak == {"a": 1}, "the node was called for all the same"


def test_who_gave_up_leaves_their_place_to_others() -> None:
    """Four wait for the node until five minutes past nine, and it is there at ten past."""
    later = together(4, at=NINE + 360)
    outcome = simulate(situation(pool(most=1), start_timeout=300), [*together(4), *later])
    assert (outcome.waits, outcome.gave_up) == ((240,) * 4, 4)


def test_what_is_given_back_is_had_by_who_waits() -> None:
    outcome = simulate(situation(pool(least=1, most=1)), together(5))
    assert outcome.gave_up == 0
    assert outcome.wait(1) == pytest.approx(2 * 3600, abs=60), "an hour of work and an hour until it is culled"


@pytest.mark.parametrize(("disks", "nodes"), [(3, 4), (4, 3), (None, 3)])
def test_a_node_takes_no_more_people_than_disks(disks: int | None, nodes: int) -> None:
    assert simulate(situation(pool(disks=disks)), together(12)).peak == {"a": nodes}


def test_the_disk_of_who_has_gone_is_had_by_who_waits() -> None:
    outcome = simulate(situation(pool(least=1, most=1, disks=3)), together(4))
    assert outcome.gave_up == 0
    assert outcome.wait(1) == pytest.approx(2 * 3600, abs=60), "an hour of work and an hour until it is culled"


def test_placeholders_hold_room_that_nobody_can_take_where_a_nodes_disks_are_few() -> None:
    """As the scheduler places them: four on the one node, which has disks for three people."""
    few, many = (simulate(situation(pool(least=1, placeholders=4, disks=disks)), together(4)) for disks in (3, 4))
    assert (few.wait(1), many.wait(1)) == (NODE_START, 0)


@pytest.mark.parametrize(("gpus", "nodes"), [(1, 4), (2, 2)])
def test_a_node_takes_no_more_people_than_gpus(gpus: int, nodes: int) -> None:
    assert simulate(situation(pool(gpus=gpus), of=size(asked=ON_GPU)), together(4)).peak == {"a": nodes}


@pytest.mark.parametrize(("placeholder", "wait"), [(replace(SEAT, gpus=1), 0), (SEAT, NODE_START)])
def test_placeholders_keep_room_on_gpus_only_where_they_ask_for_them(placeholder: Requests, wait: int) -> None:
    """Four that ask for no GPU all fit the one node that is there, which has a GPU for one person."""
    found = situation(pool(least=1, placeholders=4, gpus=1, placeholder=placeholder), of=size(asked=ON_GPU))
    assert simulate(found, together(4)).wait(1) == wait


def residents(*asked: Requests) -> tuple[Resident, ...]:
    return tuple(Resident(pools=("a",), asked=one) for one in asked)


HUB = Requests(cpu=3000, memory=GIB)


def test_nodes_of_the_platforms_own_pods_stay_all_day() -> None:
    found = replace(situation(pool()), residents=residents(HUB, HUB))
    assert simulate(found, []).nodes == (2,) * 24


def test_the_platforms_own_pods_are_on_the_first_nodes_beside_people() -> None:
    """One person has room beside the hub, and three need a node of their own, which goes when they have gone."""
    found = replace(situation(pool(least=1)), residents=residents(HUB))
    outcome = simulate(found, together(4))
    assert (outcome.waits, outcome.peak) == ((0, *(NODE_START,) * 3), {"a": 2})
    assert outcome.nodes[NINE // 3600 + 4] == 1


def test_what_no_node_of_the_pools_holds_is_elsewhere() -> None:
    found = replace(situation(pool()), residents=residents(replace(HUB, cpu=5000)))
    assert simulate(found, []).nodes == (0,) * 24


def test_culling_saves_and_the_day_without_it_costs_more() -> None:
    found = situation(pool())
    visits = together(8, active=1800)
    culled, unculled = simulate(found, visits), simulate(found.unculled(), visits)
    assert culled.cost is not None
    assert unculled.cost is not None
    assert culled.cost < unculled.cost / 3


@pytest.mark.parametrize("at", [NINE, 23 * 3600])
def test_servers_that_never_end_are_paid_for_all_day_whenever_their_people_come(at: int) -> None:
    """The day before was as this one: a server is there already when its person comes."""
    outcome = simulate(situation(pool()).unculled(), together(8, at=at))
    assert outcome.nodes == (2,) * 24
    assert (outcome.node_hours, outcome.cost) == ({"a": 48}, 48)


@pytest.mark.parametrize("at", [23 * 3600, 23 * 3600 + 3300, 60])
def test_a_day_costs_the_same_whenever_its_people_come(at: int) -> None:
    """Who works across midnight does so every day: what a day hands on to the next it has had from the one before."""
    at_nine, at_night = (simulate(situation(pool()), together(4, at=when)) for when in (NINE, at))
    assert at_night.node_hours == pytest.approx(at_nine.node_hours, abs=1 / 60)
    assert (at_night.waits, at_night.gave_up) == (at_nine.waits, 0)


def test_a_day_begins_with_the_servers_of_the_evening_before() -> None:
    outcome = simulate(situation(pool()), together(4, at=23 * 3600))
    assert outcome.nodes[:3] == (1, 1, 0)
    assert outcome.nodes[23] == 1


def test_who_comes_before_midnight_may_be_given_a_server_or_give_up_after_it() -> None:
    late = together(1, at=24 * 3600 - 60)
    assert simulate(situation(pool(), start_timeout=NODE_START), late).waits == (NODE_START,)
    outcome = simulate(situation(pool(), start_timeout=NODE_START - 60), late)
    assert (outcome.waits, outcome.gave_up) == ((), 1)


def test_the_least_nodes_are_paid_for_all_day() -> None:
    assert simulate(situation(pool(least=3)), []).node_hours == {"a": 72}


def test_a_fixed_pool_has_its_nodes_all_day_whoever_comes_or_keeps_room() -> None:
    outcome = simulate(situation(pool(least=2, most=2, placeholders=3), start_timeout=1200), together(9))
    assert (outcome.nodes, outcome.node_hours) == ((2,) * 24, {"a": 48})
    assert (len(outcome.waits), outcome.gave_up) == (8, 1)


@pytest.mark.parametrize(("people", "expected"), [(8, {"a": 2, "b": 0}), (12, {"a": 2, "b": 1})])
def test_the_second_pool_takes_only_what_the_first_cant(people: int, expected: dict[str, int]) -> None:
    assert simulate(situation(pool("a", most=2), pool("b")), together(people)).peak == expected


def test_a_strategy_without_order_takes_the_fullest_node_of_all_pools() -> None:
    pools = (pool("a", least=1), pool("b", least=1))
    packed = situation(*pools, of=size("a", "b", prefers_pools=False))
    first, then = together(4), together(1, at=NINE + 60)
    outcome = simulate(packed, [*first, *then])
    assert outcome.peak == {"a": 1, "b": 1}
    spread = simulate(situation(pool("a", least=2), of=size("a", packs=False)), together(2))
    assert spread.node_hours == {"a": 48}


def test_an_unpriced_pool_that_was_used_leaves_the_cost_open() -> None:
    assert simulate(situation(pool(price=None)), together(1)).cost is None
    assert simulate(situation(pool("a"), pool("b", price=None)), together(1)).cost is not None


def test_the_oldest_servers_go_even_at_work() -> None:
    found = replace(situation(pool()), max_age=2 * 3600)
    assert simulate(found, together(1, active=10 * 3600)).node_hours["a"] < 3


def test_the_same_day_gives_the_same_figures() -> None:
    found = situation(pool(least=1, placeholders=2))
    visits = SHAPES["mixed"]("small", [])
    assert simulate(found, visits) == simulate(found, visits)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_a_day_in_order(shape: str) -> None:
    visits = SHAPES[shape]("small", ["large"])
    assert [visit.at for visit in visits] == sorted(visit.at for visit in visits)
    assert all(0 <= visit.at < 24 * 3600 and visit.active > 0 for visit in visits)
