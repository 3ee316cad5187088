"""Where servers go: what each strategy makes of a profile's pools."""

from __future__ import annotations

import pytest

from clouds.pools import NodePool
from components.hub.placement import preferred_terms, required_terms, scheduler_of, spread_constraints, tolerations
from components.hub.profiles import Profile, Strategy
from components.kit import plain
from stackfile.resources import resources

POOLS = tuple(
    NodePool.model_validate(
        {
            "name": name,
            "selector": {"pool": name},
            "taints": [{"key": "dedicated", "value": name}],
            "nodes": {"min": 0, "max": 4},
            "allocatable": {"cpu": "16", "memory": "64Gi"},
            "spot": spot,
        }
    )
    for name, spot in (("steady", False), ("cheap", True), ("large", False))
)


def profile(strategy: Strategy, *pools: str) -> Profile:
    size = resources(cpu=("1", "2"), memory=("2Gi", "4Gi"))
    names = pools or ("steady", "cheap", "large")
    return Profile.model_validate(
        {"name": "small", "title": "Small", "resources": size, "pools": names, "strategy": strategy}
    )


def order(strategy: Strategy) -> list[str]:
    """The pools by what the scheduler is told to prefer, the best first."""
    terms = sorted(plain(preferred_terms(profile(strategy), POOLS)), key=lambda term: -term["weight"])
    weights = [term["weight"] for term in terms]
    assert len(set(weights)) == len(weights), "two pools as good as each other have no order"
    return [term["preference"]["matchExpressions"][0]["values"][0] for term in terms]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("burst", ["steady", "cheap", "large"]),
        ("spot-first", ["cheap", "steady", "large"]),
        ("on-demand-first", ["steady", "large", "cheap"]),
        ("pack", []),
        ("spread", []),
    ],
)
def test_a_strategy_orders_pools_as_it_says(strategy: Strategy, expected: list[str]) -> None:
    assert order(strategy) == expected


@pytest.mark.parametrize("strategy", ["burst", "pack", "spread", "spot-first", "on-demand-first"])
def test_no_strategy_leads_out_of_the_profiles_pools(strategy: Strategy) -> None:
    terms = plain(required_terms(profile(strategy, "steady", "cheap"), POOLS))
    assert {term["matchExpressions"][0]["values"][0] for term in terms} == {"steady", "cheap"}
    tolerated = plain(tolerations(profile(strategy, "steady", "cheap"), POOLS))
    assert {one["value"] for one in tolerated} == {"steady", "cheap"}


def test_what_spreads_goes_by_zone_and_node_and_waits_for_neither() -> None:
    constraints = plain(spread_constraints(profile("spread"), "elab"))
    assert [one["topologyKey"] for one in constraints] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert {one["whenUnsatisfiable"] for one in constraints} == {"ScheduleAnyway"}
    alike = constraints[0]["labelSelector"]["matchLabels"]
    assert alike == {"app.kubernetes.io/instance": "elab", "elab.dev/profile": "small"}


def test_only_what_spreads_leaves_the_packing_scheduler() -> None:
    assert scheduler_of(profile("spread"), "elab-user-scheduler") is None
    assert scheduler_of(profile("burst"), "elab-user-scheduler") == "elab-user-scheduler"
    assert not spread_constraints(profile("burst"), "elab")
