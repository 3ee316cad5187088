"""Which nodes a profile's servers run on, and in which order pools are tried: what its strategy becomes.

The order is a preference of the scheduler's, which fills what is there; which pool grows when all are full is the
autoscaler's to decide.
"""

from collections.abc import Sequence

from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from clouds.pools import NodePool
from components.hub.profiles import Profile

_FIRST_WEIGHT = 100
"""The largest weight that Kubernetes knows; each further pool has half of the one before."""

PROFILE_LABEL = "elab.dev/profile"
"""Says on a server's pod of which profile it is; `files/hub/elab_servers.py` sets it."""

SPREAD_OVER = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
"""Kubernetes' own labels of a node's zone and name."""


def pools_of(profile: Profile, pools: Sequence[NodePool]) -> list[NodePool]:
    """The profile's pools, the preferred one first. The settings have checked that each is there."""
    by_name = {pool.name: pool for pool in pools}
    listed = [by_name[name] for name in profile.pools]
    match profile.strategy:
        case "spot-first":
            return sorted(listed, key=lambda pool: not pool.spot)
        case "on-demand-first":
            return sorted(listed, key=lambda pool: pool.spot)
        case _:
            return listed


def prefers_pools(profile: Profile) -> bool:
    """Whether a free node of an earlier pool is better than one of a later pool."""
    return profile.strategy not in ("pack", "spread")


def _term(pool: NodePool) -> core.NodeSelectorTermArgs:
    return core.NodeSelectorTermArgs(
        match_expressions=[
            core.NodeSelectorRequirementArgs(key=str(key), operator="In", values=[str(value)])
            for key, value in sorted(pool.selector.items())
        ]
    )


def pool_terms(pools: Sequence[NodePool]) -> list[core.NodeSelectorTermArgs]:
    """Nodes of any of the pools."""
    return [_term(pool) for pool in pools]


def required_terms(profile: Profile, pools: Sequence[NodePool]) -> list[core.NodeSelectorTermArgs]:
    """The profile runs on nodes of its pools and on no others."""
    return pool_terms(pools_of(profile, pools))


def preferred_terms(profile: Profile, pools: Sequence[NodePool]) -> list[core.PreferredSchedulingTermArgs]:
    """The pools in their order; nothing to prefer where there is one, or where all are alike."""
    ordered = pools_of(profile, pools)
    if len(ordered) == 1 or not prefers_pools(profile):
        return []
    return [
        core.PreferredSchedulingTermArgs(weight=max(1, _FIRST_WEIGHT >> index), preference=_term(pool))
        for index, pool in enumerate(ordered)
    ]


def spread_constraints(profile: Profile, instance: str) -> list[core.TopologySpreadConstraintArgs]:
    """Servers of a profile that spreads, over zones and nodes. A wish only: a disk may bind its person to one zone."""
    if profile.strategy != "spread":
        return []
    alike = {"app.kubernetes.io/instance": instance, PROFILE_LABEL: str(profile.name)}
    return [
        core.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=meta.LabelSelectorArgs(match_labels=alike),
        )
        for key in SPREAD_OVER
    ]


def scheduler_of(profile: Profile, packing: str | None) -> str | None:
    """The packing scheduler would undo what spreads; the cluster's own one spreads by itself."""
    return None if profile.strategy == "spread" else packing


def pool_tolerations(pools: Sequence[NodePool]) -> list[core.TolerationArgs]:
    """What pods of these pools must tolerate, each taint once."""
    taints = sorted({(str(taint.key), str(taint.value), taint.effect) for pool in pools for taint in pool.taints})
    return [core.TolerationArgs(key=key, operator="Equal", value=value, effect=effect) for key, value, effect in taints]


def tolerations(profile: Profile, pools: Sequence[NodePool]) -> list[core.TolerationArgs]:
    """The taints of the profile's pools."""
    return pool_tolerations(pools_of(profile, pools))
