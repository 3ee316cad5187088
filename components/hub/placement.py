"""Which nodes a profile's servers run on, and in which order pools are tried."""

from collections.abc import Sequence

from pulumi_kubernetes.core import v1 as core

from clouds.pools import NodePool
from components.hub.profiles import Profile

_FIRST_WEIGHT = 100
"""The largest weight that Kubernetes knows; each further pool has half of the one before."""


def pools_of(profile: Profile, pools: Sequence[NodePool]) -> list[NodePool]:
    """The profile's pools, the preferred one first. The settings have checked that each is there."""
    by_name = {pool.name: pool for pool in pools}
    return [by_name[name] for name in profile.pools]


def _term(pool: NodePool) -> core.NodeSelectorTermArgs:
    return core.NodeSelectorTermArgs(
        match_expressions=[
            core.NodeSelectorRequirementArgs(key=key, operator="In", values=[value])
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
    """The pools in their order; nothing to prefer where there is one."""
    ordered = pools_of(profile, pools)
    if len(ordered) == 1:
        return []
    return [
        core.PreferredSchedulingTermArgs(weight=max(1, _FIRST_WEIGHT >> index), preference=_term(pool))
        for index, pool in enumerate(ordered)
    ]


def pool_tolerations(pools: Sequence[NodePool]) -> list[core.TolerationArgs]:
    """What pods of these pools must tolerate, each taint once."""
    taints = sorted({(taint.key, taint.value, taint.effect) for pool in pools for taint in pool.taints})
    return [core.TolerationArgs(key=key, operator="Equal", value=value, effect=effect) for key, value, effect in taints]


def tolerations(profile: Profile, pools: Sequence[NodePool]) -> list[core.TolerationArgs]:
    """The taints of the profile's pools."""
    return pool_tolerations(pools_of(profile, pools))
