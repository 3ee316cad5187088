"""Node pools that are no objects of the cluster: the command of each, as the cloud's own program takes it."""

from __future__ import annotations

from typing import Any

import pytest

from components.hub.placement import pool_tolerations
from stackfile.problems import StackError
from tests.harness.platform import CLOUDS, settings
from tests.unit.clouds.pools import SPOT, commands, spot_pools


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_gke_is_told_by_its_own_command_line() -> None:
    words = commands(CLOUDS["gcp"])["general"]
    assert words[:5] == ["gcloud", "container", "node-pools", "create", "general"]
    assert (after(words, "--total-min-nodes"), after(words, "--total-max-nodes")) == ("1", "3")
    assert after(words, "--machine-type") == "n2-standard-8"
    assert after(words, "--node-labels") == "elab.dev/pool=general"
    assert after(words, "--node-taints") == "elab.dev/dedicated=users:NoSchedule"
    assert "--spot" not in words
    assert "--spot" in commands(spot_pools("gcp", []))["general"]


@pytest.mark.parametrize(
    ("location", "low", "high", "first"),
    [
        ("us-central1", 0, 3, "0"),
        ("us-central1", 1, 3, "1"),
        ("us-central1", 4, 12, "2"),
        # Three nodes, one a zone, would be more than the pool may have.
        ("us-central1", 1, 2, "0"),
        ("us-central1-b", 4, 12, "4"),
    ],
)
def test_a_pool_of_gkes_begins_with_its_smallest_number_and_not_with_three_a_zone(
    location: str, low: int, high: int, first: str
) -> None:
    general, memory = CLOUDS["gcp"]["pools"]
    pools = [{**general, "nodes": {"min": low, "max": high}, "placeholders": 0}, memory]
    words = commands({**CLOUDS["gcp"], "cloud.location": location, "pools": pools})["general"]
    assert after(words, "--num-nodes") == first


def test_gkes_nodes_take_as_many_pods_as_the_stack_counts_on() -> None:
    general, memory = CLOUDS["gcp"]["pools"]
    pools = [{**general, "allocatable": {**general["allocatable"], "pods": 64}}, memory]
    found = commands({**CLOUDS["gcp"], "pools": pools})
    assert [after(words, "--max-pods-per-node") for words in found.values()] == ["64", "110"]


GPU = {"key": "nvidia.com/gpu", "value": "present"}


def gpu_pool(taints: list[dict[str, str]]) -> dict[str, Any]:
    general, memory = CLOUDS["gcp"]["pools"]
    whole = {"cpu": "7", "memory": "28Gi", "gpus": 1}
    return {
        **CLOUDS["gcp"],
        "pools": [{**general, "machine": "g2-standard-8", "allocatable": whole, "taints": taints}, memory],
    }


def test_gke_gives_a_gpu_pool_its_gpus_with_their_driver() -> None:
    words = commands(gpu_pool([GPU]))["general"]
    assert after(words, "--accelerator") == "type=nvidia-l4,count=1,gpu-driver-version=default"
    assert after(words, "--node-taints") == "nvidia.com/gpu=present:NoSchedule"
    assert "--accelerator" not in commands(CLOUDS["gcp"])["general"]


def test_the_taint_that_gke_puts_on_gpu_nodes_is_the_pools_too_so_that_the_puller_tolerates_it() -> None:
    with pytest.raises(StackError) as refused:
        settings(gpu_pool([]))
    assert [problem.where for problem in refused.value.problems] == ["pools.0.taints"]
    (tolerated,) = pool_tolerations([settings(gpu_pool([GPU])).pools[0]])
    assert (tolerated.key, tolerated.value, tolerated.effect) == ("nvidia.com/gpu", "present", "NoSchedule")


def test_aks_is_told_by_its_own_command_line() -> None:
    words = commands(CLOUDS["azure"])["general"]
    assert words[:4] == ["az", "aks", "nodepool", "add"]
    assert (after(words, "--min-count"), after(words, "--max-count")) == ("1", "3")
    # Its default of three lies outside what the pool may have, or rents what nobody needs.
    assert after(words, "--node-count") == "1"
    assert after(commands(CLOUDS["azure"])["memory"], "--node-count") == "0"
    assert after(words, "--node-vm-size") == "Standard_D8s_v5"
    assert after(words, "--node-taints") == "elab.dev/dedicated=users:NoSchedule"
    # AKS adds the taint of spot nodes by itself.
    spot = commands(spot_pools("azure", [SPOT]))["general"]
    assert after(spot, "--priority") == "Spot"
    assert "--node-taints" not in spot


def test_a_resource_group_with_parentheses_is_one_word_of_the_commands() -> None:
    changes = {**CLOUDS["azure"], "cloud.resource_group": "elab(prod)"}
    assert after(commands(changes)["general"], "--resource-group") == "elab(prod)"
    assert "'elab(prod)'" in settings(changes).facts.about.network_policies.turn_on


@pytest.mark.parametrize("name", ["4memory", "pool-of-large-machines-for-the-new-course"])
def test_gke_names_its_pools_by_forty_characters_a_letter_first(name: str) -> None:
    general, memory = CLOUDS["gcp"]["pools"]
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["gcp"], "pools": [{**general, "name": name}, memory]})
    assert "pools.0.name" in [problem.where for problem in refused.value.problems]


def test_aks_names_no_pool_with_a_hyphen_and_tolerates_its_own_taint_of_spot_nodes() -> None:
    general, memory = CLOUDS["azure"]["pools"]
    named = {**CLOUDS["azure"], "pools": [{**general, "name": "all-of-us"}, memory]}
    with pytest.raises(StackError) as refused:
        settings(named)
    assert "pools.0.name" in {problem.where for problem in refused.value.problems}
    with pytest.raises(StackError) as refused:
        settings(spot_pools("azure", []))
    assert [problem.where for problem in refused.value.problems] == ["pools.0.taints"]


def test_cluster_api_is_told_a_whole_node_where_none_is_there_to_look_at() -> None:
    found = commands({"cloud.autoscaler": "cluster-autoscaler"})
    assert "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size=1" in found["general"]
    assert not any(word.startswith("capacity.") for word in found["general"])
    assert "capacity.cluster-autoscaler.kubernetes.io/memory=250Gi" in found["memory"]
    assert "capacity.cluster-autoscaler.kubernetes.io/labels=elab.dev/pool=memory" in found["memory"]


def test_cluster_api_is_told_of_the_gpus_of_a_node_that_is_not_there() -> None:
    general, memory = settings({}).pools
    pools = [general.model_dump(mode="json"), memory.model_dump(mode="json")]
    pools[1]["allocatable"]["gpus"] = 2
    found = commands({"cloud.autoscaler": "cluster-autoscaler", "pools": pools})
    assert "capacity.cluster-autoscaler.kubernetes.io/gpu-type=nvidia.com/gpu" in found["memory"]
    assert "capacity.cluster-autoscaler.kubernetes.io/gpu-count=2" in found["memory"]
    without = commands({"cloud.autoscaler": "cluster-autoscaler"})
    assert not any("gpu" in word for word in without["memory"])
