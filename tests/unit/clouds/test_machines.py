"""Machines that a cloud rents: their price, their disks, and which can't be had."""

from __future__ import annotations

from typing import Any

import pytest

from stackfile.problems import StackError
from tests.harness.platform import CLOUDS, settings
from tests.unit.clouds.pools import SPOT

N4 = {"pools": [{**pool, "machine": "n4-standard-16", "price_per_hour": 0.7} for pool in CLOUDS["gcp"]["pools"]]}
"""Of a generation that takes hyperdisks only."""

RENTED = ("aws", "gcp", "azure")


@pytest.mark.parametrize("name", RENTED)
def test_a_rented_pool_has_the_list_price_of_its_machine_unless_the_stack_has_one(name: str) -> None:
    changes = CLOUDS[name]
    prices = settings(changes).facts.prices
    assert prices is not None
    assert prices.dated
    assert prices.source
    (general, memory) = settings(changes).node_pools
    assert general.price_per_hour == prices.machines[str(general.machine)].per_hour
    own = [{**changes["pools"][0], "price_per_hour": 0.11}, changes["pools"][1]]
    assert [pool.price_per_hour for pool in settings({**changes, "pools": own}).node_pools] == [
        0.11,
        memory.price_per_hour,
    ]


@pytest.mark.parametrize("name", RENTED)
def test_a_rented_machine_takes_as_many_disks_as_the_cloud_says_unless_the_stack_knows_better(name: str) -> None:
    changes = CLOUDS[name]
    found = settings(changes)
    assert found.facts.prices is not None
    machines = found.facts.prices.machines
    assert all(machine.disks for machine in machines.values())
    assert [one.allocatable.disks for one in found.node_pools] == [
        machines[str(one.machine)].disks for one in found.pools
    ]
    own = [{**pool, "allocatable": {**pool["allocatable"], "disks": 7}} for pool in changes["pools"]]
    assert {pool.allocatable.disks for pool in settings({**changes, "pools": own}).node_pools} == {7}


@pytest.mark.parametrize(
    ("name", "change"), [("onprem-rook", {}), ("openshift", {}), ("gcp", {"cloud.disk": "hyperdisk-balanced", **N4})]
)
def test_where_the_cloud_knows_of_no_bound_disks_have_none(name: str, change: dict[str, Any]) -> None:
    found = settings({**CLOUDS[name], **change})
    assert {pool.allocatable.disks for pool in found.node_pools} == {None}


@pytest.mark.parametrize("name", RENTED)
@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"machine": None}, "pools.0.machine"),
        ({"machine": "x1.enormous"}, "pools.0.machine"),
        ({"spot": True, "taints": [SPOT]}, "pools.0.price_per_hour"),
        ({"allocatable": {"cpu": "9", "memory": "28Gi"}}, "pools.0.allocatable.cpu"),
        ({"allocatable": {"cpu": "7", "memory": "33Gi"}}, "pools.0.allocatable.memory"),
    ],
    ids=["no machine", "no price", "spot without a price", "too many processors", "too much memory"],
)
def test_a_machine_that_the_cloud_does_not_have_is_refused(name: str, change: dict[str, Any], where: str) -> None:
    pools = [{**CLOUDS[name]["pools"][0], **change}, CLOUDS[name]["pools"][1]]
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS[name], "pools": pools})
    assert [problem.where for problem in refused.value.problems] == [where]


@pytest.mark.parametrize("spot", [False, True])
@pytest.mark.parametrize("name", RENTED)
def test_any_machine_can_be_had_whose_price_the_stack_states(name: str, spot: bool) -> None:
    general, memory = CLOUDS[name]["pools"]
    whole = {"cpu": "95", "memory": "700Gi", "disks": 40}
    other = {**general, "machine": "x1.enormous", "price_per_hour": 9.5, "allocatable": whole, "spot": spot}
    found = settings({**CLOUDS[name], "pools": [{**other, "taints": [SPOT]}, memory]})
    pool = found.node_pools[0]
    assert (pool.price_per_hour, pool.allocatable.disks) == (9.5, 40)
    assert "x1.enormous" in str([*found.scaling.commands, *(one.spec() for one in found.scaling.objects)])


def test_a_hyperdisk_that_google_keeps_in_one_zone_is_refused_in_two() -> None:
    hyperdisk = {**CLOUDS["gcp"], "cloud.disk": "hyperdisk-balanced", **N4}
    settings(hyperdisk)
    with pytest.raises(StackError) as refused:
        settings({**hyperdisk, "cloud.regional": True})
    assert [problem.where for problem in refused.value.problems] == ["cloud.disk"]


@pytest.mark.parametrize(
    ("disk", "machine", "refused"),
    [
        ("hyperdisk-balanced", "n2-standard-8", True),
        ("hyperdisk-balanced", "e2-standard-8", True),
        ("hyperdisk-balanced", "n4-standard-8", False),
        ("hyperdisk-balanced", "c3-standard-8", False),
        ("pd-balanced", "c3-standard-8", False),
        ("pd-balanced", "c4-standard-8", True),
        ("pd-ssd", "n4-standard-8", True),
    ],
)
def test_a_machine_of_googles_that_cannot_attach_the_stacks_disks_is_refused(
    disk: str, machine: str, refused: bool
) -> None:
    pools = [{**pool, "machine": machine, "price_per_hour": 0.4} for pool in CLOUDS["gcp"]["pools"]]
    pools[1]["allocatable"] = pools[0]["allocatable"]
    changes = {**CLOUDS["gcp"], "cloud.disk": disk, "pools": pools}
    try:
        settings(changes)
        found = []
    except StackError as error:
        found = [problem.where for problem in error.problems if "cloud.disk" in problem.found]
    assert found == ["pools.0.machine", "pools.1.machine"] * refused


@pytest.mark.parametrize(("name", "pods"), [("gcp", 257), ("gcp", 7), ("azure", 251), ("azure", 9)])
def test_a_node_counts_on_no_more_pods_than_its_cloud_lets_it_run(name: str, pods: int) -> None:
    general, memory = CLOUDS[name]["pools"]
    allocatable = {**general["allocatable"], "pods": pods}
    changes = {**CLOUDS[name], "pools": [{**general, "allocatable": allocatable}, memory]}
    with pytest.raises(StackError) as refused:
        settings(changes)
    assert "pools.0.allocatable.pods" in [problem.where for problem in refused.value.problems]
    within = {**allocatable, "pods": 256 if name == "gcp" else 250}
    assert settings({**changes, "pools": [{**general, "allocatable": within}, memory]})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("autoscaler.node_role", "arn:aws:iam::123456789012:role/elab-nodes"),
        ("autoscaler.zones", ["us-east-1"]),
        ("autoscaler.disk", "10Gi"),
        ("kms_key", "arn:aws:kms:us-east-1:key"),
    ],
)
def test_names_that_amazon_refuses_when_the_first_node_or_disk_is_to_come_are_refused_before(
    setting: str, value: object
) -> None:
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["aws"], f"cloud.{setting}": value})
    (problem,) = refused.value.problems
    assert problem.where.startswith(f"cloud.{setting}")


@pytest.mark.parametrize("zone", ["us-gov-west-1b", "us-east-1-bos-1a", "us-east-1-wl1-bos-wlz-1", "eusc-de-east-1a"])
def test_zones_of_every_kind_are_taken(zone: str) -> None:
    assert settings({**CLOUDS["aws"], "cloud.autoscaler.zones": [zone]})
