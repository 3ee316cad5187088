"""How many placeholders a pool has, and what one keeps room for."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from clouds.pools import NodePool
from components.hub.scheduling import PlaceholdersArgs, placeholder_deployment
from components.kit import Labels, plain
from settings import Settings
from stackfile.problems import StackError
from stackfile.resources import GPU
from tests.harness.platform import CLOUDS, data, settings

ARRIVALS = {"people": 60, "within": "3m"}


def with_arrivals(size: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    pools = data({})["pools"]
    pools[0] |= {"placeholders": 0, "arrivals": {**ARRIVALS, **changes}, "nodes": {"min": 1, "max": 30}}
    return {"pools": pools, **({"scheduling.placeholder": size} if size else {})}


@pytest.mark.parametrize(("changes", "seats"), [({}, 200), ({"at_most": 60}, 60), ({"within": "7m"}, 86)])
def test_placeholders_are_as_many_as_come_while_a_node_starts(changes: dict[str, Any], seats: int) -> None:
    """Research: 60 people in 3 minutes and 10 minutes for a node make 200 seats."""
    assert settings(with_arrivals(**changes)).node_pools[0].placeholders == seats


def test_a_pool_whose_nodes_start_faster_needs_fewer_placeholders() -> None:
    changes = with_arrivals()
    changes["pools"][0]["node_start"] = "5m"
    assert settings(changes).node_pools[0].placeholders == 100


def test_one_large_placeholder_keeps_room_for_several_people() -> None:
    """Few large ones leave the scheduler's queue free for people. Three of the default profile fit into this one."""
    size = {"cpu": {"request": "2", "limit": "2"}, "memory": {"request": "6Gi", "limit": "6Gi"}}
    assert settings(with_arrivals(size)).node_pools[0].placeholders == 67


LARGE = {"cpu": {"request": "2", "limit": "2"}, "memory": {"request": "6Gi", "limit": "6Gi"}}


@pytest.mark.parametrize(
    ("bound", "size", "count"),
    [
        ({"disks": 14}, None, 60),
        ({"disks": 10}, None, 6 * 14),
        ({"disks": 11}, None, 5 * 14 + 5),
        ({"pods": 11}, None, 60),
        ({"disks": 9}, LARGE, 20),
        ({"disks": 7}, LARGE, 8 * 3 + 2),
        ({"pods": 7}, LARGE, 8 * 3 + 2),
    ],
)
def test_placeholders_fill_the_nodes_that_people_will_need(
    bound: dict[str, int], size: dict[str, Any] | None, count: int
) -> None:
    """A node has room for 14 of the default profile or for three large placeholders, but not for so many disks."""
    changes = with_arrivals(size, at_most=60)
    changes["pools"][0]["allocatable"] |= bound
    assert settings(changes).node_pools[0].placeholders == count


def test_a_pool_whose_nodes_are_too_small_for_one_placeholder_is_told_so_once() -> None:
    found = settings({})
    pools = [pool.model_dump(mode="json") for pool in found.pools]
    small = {"cpu": "100m", "memory": "200Mi"}
    pools.append({**pools[1], "name": "tiny", "selector": {"pool": "tiny"}, "allocatable": small, "placeholders": 1})
    profiles = [profile.model_dump(mode="json") for profile in found.users.profiles]
    tiny = {"cpu": {"request": "50m", "limit": "1"}, "memory": {"request": "64Mi", "limit": "128Mi"}}
    profiles.append({"name": "tiny", "title": "Tiny", "pools": ["tiny"], "resources": tiny})
    with pytest.raises(StackError) as refused:
        settings({"pools": pools, "users.profiles": profiles})
    (problem,) = refused.value.problems
    assert (problem.where, problem.fix.startswith("set it to 0")) == ("pools.2.placeholders", True)


def test_arrivals_that_the_disks_of_a_whole_pool_cannot_seat_are_refused() -> None:
    changes = with_arrivals(at_most=60)
    changes["pools"][0]["nodes"] = {"min": 1, "max": 5}
    settings(changes)
    changes["pools"][0]["allocatable"]["disks"] = 10
    with pytest.raises(StackError) as refused:
        settings(changes)
    (problem,) = refused.value.problems
    assert (problem.where, "84 placeholders" in problem.found) == ("pools.0.arrivals", True)


@pytest.mark.parametrize(("people", "accepted"), [(50, True), (51, False)])
def test_the_disks_of_a_clouds_machines_count_where_arrivals_are_checked(people: int, accepted: bool) -> None:
    """Two r6i.4xlarge take 25 disks each, and would have processors for 31."""
    general, memory = CLOUDS["aws"]["pools"]
    pools = [general, {**memory, "arrivals": {**ARRIVALS, "at_most": people}}]
    with contextlib.nullcontext() if accepted else pytest.raises(StackError):
        settings({**CLOUDS["aws"], "pools": pools})


def test_more_placeholders_than_the_pool_ever_holds_are_refused() -> None:
    with pytest.raises(StackError) as refused:
        settings({**with_arrivals(people=600)})
    (problem,) = refused.value.problems
    assert problem.where == "pools.0.arrivals"
    assert "2000 placeholders" in problem.found
    assert "420 placeholders" in problem.allowed


ACCELERATED = {
    "name": "accelerated",
    "selector": {"elab.dev/pool": "accelerated"},
    "nodes": {"min": 0, "max": 4},
    "allocatable": {"cpu": "3920m", "memory": "14Gi", "gpus": 1},
}


def with_gpus(*gpus: int, nodes: int = 4, **pool: Any) -> Settings:  # noqa: ANN401
    """A third pool, and a profile for it with each of these numbers of GPUs."""
    found = data({})
    sizes = [
        {"cpu": {"request": str(count), "limit": "4"}, "memory": {"request": "3Gi", "limit": "12Gi"}} for count in gpus
    ]
    profiles = [
        {"name": f"gpu-{count}", "title": "GPU", "pools": ["accelerated"], "gpus": count, "resources": size}
        for count, size in zip(gpus, sizes, strict=True)
    ]
    pools = [*found["pools"], {**ACCELERATED, "nodes": {"min": 0, "max": nodes}, **pool}]
    return settings({"pools": pools, "users.profiles": [*found["users"]["profiles"], *profiles]})


def asked(found: Settings, pool: NodePool) -> dict[str, Any]:
    """The resources of a pool's placeholder."""
    values = found.values_args
    args = PlaceholdersArgs(
        names=values.names,
        pools=values.pools,
        profiles=found.users.profiles,
        size=found.scheduling.placeholder,
        image=found.puller.pause_image,
        images=found.images,
        pod_security=found.facts.pod_security,
        scheduler_name=None,
        priority_class="placeholders",
    )
    body = plain(placeholder_deployment(args, pool, Labels(instance="elab", room="hub", component="placeholder")))
    return body["spec"]["template"]["spec"]["containers"][0]["resources"]


def test_a_placeholder_keeps_the_gpus_of_the_smallest_profile_that_asks_for_some() -> None:
    found = with_gpus(4, 2, placeholders=1, allocatable={"cpu": "7900m", "memory": "60Gi", "gpus": 8})
    requests = {"cpu": "2", "memory": "3Gi", GPU: "2"}
    assert asked(found, found.node_pools[2]) == {
        "requests": requests,
        "limits": {"cpu": "4", "memory": "12Gi", GPU: "2"},
    }
    assert GPU not in asked(found, found.node_pools[0])["requests"]


def test_a_placeholders_own_size_is_not_that_of_pools_whose_gpus_are_asked_for() -> None:
    """A large one would stand for several people, and has the GPU of one."""
    found = with_gpus(1, placeholders=1)
    large = found.model_copy(update={"scheduling": settings({"scheduling.placeholder": LARGE}).scheduling})
    assert asked(large, large.node_pools[0])["requests"] == {"cpu": "2", "memory": "6Gi"}
    assert asked(large, large.node_pools[2])["requests"] == {"cpu": "1", "memory": "3Gi", GPU: "1"}


FOUR = {"people": 4, "within": "3m", "at_most": 4}


@pytest.mark.parametrize(("nodes", "accepted"), [(4, True), (3, False)])
def test_arrivals_on_gpus_need_a_node_for_as_many_as_have_gpus(nodes: int, accepted: bool) -> None:
    """Of processors and memory a node would hold three such people."""
    with contextlib.nullcontext() if accepted else pytest.raises(StackError, match="at most 3 placeholders"):
        assert with_gpus(1, nodes=nodes, arrivals=FOUR).node_pools[2].placeholders == 4
