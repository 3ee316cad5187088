"""What each cloud's autoscaler is told of the pools: objects where it reads objects, else the command to run."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from clouds.scaling import shares
from components.autoscaling import Autoscaling, AutoscalingArgs
from planning import schemas
from planning.manifests import Manifest, manifests
from planning.recorder import record
from stackfile.problems import StackError
from stackfile.references import LabelKey, LabelValue
from tests.harness.platform import CLOUDS, platform, settings

SPOT = {"key": "kubernetes.azure.com/scalesetpriority", "value": "spot"}


def made(changes: dict[str, Any]) -> dict[str, Manifest]:
    """The autoscaler's objects, by kind and name, as the component registers them."""
    objects = settings(changes).scaling.objects

    def program() -> None:
        Autoscaling("autoscaling", AutoscalingArgs(instance="elab", objects=objects))

    return {f"{one.kind}/{one.name}": one for one in manifests(record(program))}


def commands(changes: dict[str, Any]) -> dict[str, list[str]]:
    """The words of each pool's command."""
    return {one.pool: shlex.split(one.command) for one in settings(changes).scaling.commands}


def spot_pools(cloud: str, taints: list[dict[str, str]]) -> dict[str, Any]:
    general, memory = CLOUDS[cloud]["pools"]
    change = {"spot": True, "price_per_hour": 0.1, "taints": taints}
    return {**CLOUDS[cloud], "pools": [{**general, **change}, memory]}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_object_is_what_its_kind_allows(cloud: str) -> None:
    assert list(schemas.findings(made(CLOUDS[cloud]).values())) == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_pool_is_told_of_where_something_adds_nodes_and_nowhere_else(cloud: str) -> None:
    found = settings(CLOUDS[cloud])
    told = {command.pool for command in found.scaling.commands}
    text = str([one.spec() for one in found.scaling.objects])
    for pool in found.pools:
        known = pool.name in told or (pool.machine or "workers-a") in text
        assert known == (found.facts.autoscaler.kind != "none"), pool.name


def test_the_program_registers_them() -> None:
    kinds = {(one.inputs["kind"], one.inputs["metadata"]["name"]) for one in platform(CLOUDS["aws"]).kubernetes()}
    assert kinds >= {("NodePool", "elab-general"), ("NodePool", "elab-memory"), ("EC2NodeClass", "elab-people")}


def test_karpenter_rents_the_pools_machines_up_to_its_largest_number_with_its_labels_and_taints() -> None:
    spec = made(CLOUDS["aws"])["NodePool/elab-general"].body["spec"]
    template = spec["template"]
    assert template["metadata"]["labels"] == {"elab.dev/pool": "general"}
    assert template["spec"]["taints"] == [{"key": "elab.dev/dedicated", "value": "users", "effect": "NoSchedule"}]
    wanted = {one["key"]: one["values"] for one in template["spec"]["requirements"]}
    assert wanted == {
        "node.kubernetes.io/instance-type": ["m6i.2xlarge"],
        "karpenter.sh/capacity-type": ["on-demand"],
    }
    assert spec["limits"] == {"cpu": "24"}


def test_karpenter_takes_no_node_from_people() -> None:
    """Expiry drains a node whatever its pods say; consolidation and drift heed `karpenter.sh/do-not-disrupt`."""
    spec = made(CLOUDS["aws"])["NodePool/elab-general"].body["spec"]
    assert spec["template"]["spec"]["expireAfter"] == "Never"
    assert "terminationGracePeriod" not in spec["template"]["spec"]


def test_karpenter_rents_spot_machines_where_the_pool_says_so() -> None:
    spec = made(spot_pools("aws", []))["NodePool/elab-general"].body["spec"]
    wanted = {one["key"]: one["values"] for one in spec["template"]["spec"]["requirements"]}
    assert wanted["karpenter.sh/capacity-type"] == ["spot"]


def test_no_pod_reaches_the_credentials_of_a_node_that_karpenter_has_rented() -> None:
    options = made(CLOUDS["aws"])["EC2NodeClass/elab-people"].body["spec"]["metadataOptions"]
    assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)


@pytest.mark.parametrize(("ami", "device"), [("al2023@v20250920", "/dev/xvda"), ("bottlerocket@v1.42.0", "/dev/xvdb")])
def test_the_disk_that_karpenter_sizes_is_the_one_for_images_and_scratch_space(ami: str, device: str) -> None:
    changes = {**CLOUDS["aws"], "cloud.autoscaler": {**CLOUDS["aws"]["cloud"]["autoscaler"], "ami": ami}}
    (disk,) = made(changes)["EC2NodeClass/elab-people"].body["spec"]["blockDeviceMappings"]
    assert (disk["deviceName"], disk["ebs"]["volumeSize"]) == (device, "100Gi")


def test_karpenter_keeps_no_smallest_number_and_so_none_is_taken() -> None:
    pools = [{**CLOUDS["aws"]["pools"][0], "nodes": {"min": 1, "max": 3}}, CLOUDS["aws"]["pools"][1]]
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["aws"], "pools": pools})
    assert [problem.where for problem in refused.value.problems] == ["pools.0.nodes.min"]
    grown = {"cloud.autoscaler": {"kind": "cluster-autoscaler", "cluster": "campus"}}
    (command, _) = commands({**CLOUDS["aws"], "pools": pools, **grown}).values()
    assert command[-1] == "minSize=1,maxSize=3"
    assert command[command.index("--cluster-name") + 1] == "campus"


@pytest.mark.parametrize(
    ("label", "taken"),
    [
        ("elab.dev/pool", True),
        ("pool", True),
        ("kubernetes.io/os", True),
        ("node.kubernetes.io/instance-type", True),
        ("kubernetes.io/hostname", False),
        ("cloud.k8s.io/pool", False),
        ("karpenter.sh/nodepool", False),
        ("karpenter.k8s.aws/instance-family", False),
    ],
)
def test_a_label_that_karpenter_keeps_to_itself_is_refused_by_the_settings_and_by_the_schema(
    label: str, taken: bool
) -> None:
    found = settings(CLOUDS["aws"])
    pools = [found.pools[0].model_copy(update={"selector": {LabelKey(label): LabelValue("general")}})]
    told = [problem.where for problem in found.facts.pool_problems(pools)]
    assert told == ([] if taken else ["pools.0.selector"])
    body = json.loads(json.dumps(made(CLOUDS["aws"])["NodePool/elab-general"].body))
    body["spec"]["template"]["metadata"]["labels"] = {label: "general"}
    assert (schemas.custom_violations(Manifest(urn="", body=body)) == []) is taken


@pytest.mark.parametrize(
    ("disk", "volume"), [("100Gi", "100Gi"), ("102400Mi", "100Gi"), ("1Ti", "1024Gi"), ("20G", "19Gi")]
)
def test_a_nodes_disk_is_whole_gibibytes_as_ebs_takes_them(disk: str, volume: str) -> None:
    autoscaler = {**CLOUDS["aws"]["cloud"]["autoscaler"], "disk": disk}
    found = made({**CLOUDS["aws"], "cloud": {**CLOUDS["aws"]["cloud"], "autoscaler": autoscaler}})
    node_class = found["EC2NodeClass/elab-people"]
    assert node_class.body["spec"]["blockDeviceMappings"][0]["ebs"]["volumeSize"] == volume
    assert list(schemas.findings([node_class])) == []


def test_openshift_shares_a_pool_out_among_its_machine_sets_and_heeds_placeholders() -> None:
    found = made(CLOUDS["openshift"])
    sizes = {
        name.removeprefix("MachineAutoscaler/elab-"): (one.body["spec"]["minReplicas"], one.body["spec"]["maxReplicas"])
        for name, one in found.items()
        if one.kind == "MachineAutoscaler"
    }
    assert sizes == {"workers-a": (1, 2), "workers-b": (0, 1), "memory-a": (0, 2)}
    threshold = found["ClusterAutoscaler/default"].body["spec"]["podPriorityThreshold"]
    assert threshold <= settings(CLOUDS["openshift"]).facts.autoscaler.placeholder_priority


def test_the_one_cluster_autoscaler_of_openshift_is_made_only_where_the_stack_asks_for_it() -> None:
    machine_sets = {"kind": "machine-sets", "machine_sets": {"general": ["a"], "memory": ["b"]}}
    found = made({**CLOUDS["openshift"], "cloud.autoscaler": machine_sets})
    assert {one.kind for one in found.values()} == {"MachineAutoscaler"}


@pytest.mark.parametrize(("sets", "says"), [({"generel": ["a"]}, "generel"), ({"general": list("abcd")}, "4 Machine")])
def test_machine_sets_of_no_pool_or_more_than_its_nodes_are_refused(sets: dict[str, list[str]], says: str) -> None:
    changes = {**CLOUDS["openshift"], "cloud.autoscaler": {"kind": "machine-sets", "machine_sets": sets}}
    with pytest.raises(StackError) as refused:
        settings(changes)
    (problem,) = refused.value.problems
    assert problem.where == f"cloud.autoscaler.machine_sets.{next(iter(sets))}"
    assert says in problem.found


@pytest.mark.parametrize(("total", "parts", "found"), [(12, 3, [4, 4, 4]), (2, 3, [1, 1, 0]), (0, 2, [0, 0])])
def test_shares_lose_no_node(total: int, parts: int, found: list[int]) -> None:
    assert shares(total, parts) == found


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


def test_aks_is_told_by_its_own_command_line() -> None:
    words = commands(CLOUDS["azure"])["general"]
    assert words[:4] == ["az", "aks", "nodepool", "add"]
    assert (after(words, "--min-count"), after(words, "--max-count")) == ("1", "3")
    assert after(words, "--node-vm-size") == "Standard_D8s_v5"
    assert after(words, "--node-taints") == "elab.dev/dedicated=users:NoSchedule"
    # AKS adds the taint of spot nodes by itself.
    spot = commands(spot_pools("azure", [SPOT]))["general"]
    assert after(spot, "--priority") == "Spot"
    assert "--node-taints" not in spot


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
