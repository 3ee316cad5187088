"""What each cloud's autoscaler is told of the pools: objects where it reads objects, else the command to run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clouds.scaling import shares
from components.autoscaling import Autoscaling, AutoscalingArgs
from planning import schemas
from planning.manifests import Manifest, manifests
from planning.recorder import record
from stackfile.labels import LabelKey, LabelValue
from stackfile.problems import StackError
from tests.harness.platform import CLOUDS, platform, settings
from tests.unit.clouds.pools import commands, spot_pools


def made(changes: dict[str, Any]) -> dict[str, Manifest]:
    """The autoscaler's objects, by kind and name, as the component registers them."""
    objects = settings(changes).scaling.objects

    def program() -> None:
        Autoscaling("autoscaling", AutoscalingArgs(instance="elab", objects=objects))

    return {f"{one.kind}/{one.name}": one for one in manifests(record(program))}


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


def test_a_node_of_karpenters_takes_nobody_before_its_driver_has_told_how_many_disks_it_takes() -> None:
    """aws-ebs-csi-driver takes this taint away itself, once the node's CSINode has the number."""
    found = made(CLOUDS["aws"])
    (taint,) = found["NodePool/elab-general"].body["spec"]["template"]["spec"]["startupTaints"]
    storage = settings(CLOUDS["aws"]).facts.storage.class_spec
    assert storage is not None
    assert taint == {"key": f"{storage.provisioner}/agent-not-ready", "effect": "NoExecute"}


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


def test_karpenters_bound_counts_whole_processors_of_a_machine_that_only_the_stack_knows() -> None:
    general, memory = CLOUDS["aws"]["pools"]
    whole = {"cpu": "95690m", "memory": "700Gi"}
    other = {**general, "machine": "m7a.24xlarge", "price_per_hour": 5.5, "allocatable": whole}
    found = made({**CLOUDS["aws"], "pools": [other, memory]})
    assert found["NodePool/elab-general"].body["spec"]["limits"] == {"cpu": str(3 * 96)}


@pytest.mark.parametrize(
    "label", ["karpenter.sh/nodepool", "kubernetes.io/hostname", "node-role.kubernetes.io/people", "x.k8s.io/pool"]
)
def test_a_label_that_karpenter_refuses_is_refused_before_it_is_asked(label: str) -> None:
    general, memory = CLOUDS["aws"]["pools"]
    pools = [{**general, "selector": {label: "general"}}, memory]
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["aws"], "pools": pools})
    (problem,) = refused.value.problems
    assert problem.where == "pools.0.selector"
    assert label in problem.found
    grown = {"cloud.autoscaler": {"kind": "cluster-autoscaler", "cluster": "campus"}}
    settings({**CLOUDS["aws"], "pools": pools, **grown})


@pytest.mark.parametrize(
    "label", ["elab.dev/pool", "pool", "topology.kubernetes.io/zone", "node.kubernetes.io/pool", "kubernetes.io/arch"]
)
def test_a_label_that_karpenter_takes_is_taken(label: str) -> None:
    general, memory = CLOUDS["aws"]["pools"]
    settings({**CLOUDS["aws"], "pools": [{**general, "selector": {label: "general"}}, memory]})


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
    ("disk", "volume"), [("100Gi", "100Gi"), ("102400Mi", "100Gi"), ("1Ti", "1024Gi"), ("30G", "28Gi")]
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
    machine_sets = {"kind": "machine-sets", "from_zero": True, "machine_sets": {"general": ["a"], "memory": ["b"]}}
    found = made({**CLOUDS["openshift"], "cloud.autoscaler": machine_sets})
    assert {one.kind for one in found.values()} == {"MachineAutoscaler"}


@pytest.mark.parametrize(
    ("sets", "says"), [({"generel": ["a"]}, "generel"), ({"general": list("abcd"), "memory": ["m"]}, "4 Machine")]
)
def test_machine_sets_of_no_pool_or_more_than_its_nodes_are_refused(sets: dict[str, list[str]], says: str) -> None:
    changes = {
        **CLOUDS["openshift"],
        "cloud.autoscaler": {"kind": "machine-sets", "from_zero": True, "machine_sets": sets},
    }
    with pytest.raises(StackError) as refused:
        settings(changes)
    (problem,) = refused.value.problems
    assert problem.where == f"cloud.autoscaler.machine_sets.{next(iter(sets))}"
    assert says in problem.found


@pytest.mark.parametrize(
    ("sets", "where"),
    [
        # The second MachineAutoscaler of one name ended in a traceback.
        ({"general": ["a", "b"], "memory": ["a"]}, "cloud.autoscaler.machine_sets.memory.0"),
        ({"general": ["a", "a"], "memory": ["m"]}, "cloud.autoscaler.machine_sets.general.1"),
        # Nothing would make the second to fourth node that the plan counts on.
        ({"general": ["a", "b"]}, "pools.1.nodes"),
    ],
)
def test_each_growing_pool_has_machine_sets_of_its_own(sets: dict[str, list[str]], where: str) -> None:
    autoscaler = {"kind": "machine-sets", "from_zero": True, "machine_sets": sets}
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["openshift"], "cloud.autoscaler": autoscaler})
    assert [problem.where for problem in refused.value.problems] == [where]


def test_a_machine_set_goes_down_to_none_only_where_the_platform_can_start_it_again() -> None:
    """OpenShift's documentation of MachineAutoscaler, `minReplicas`: not on bare metal, for one."""
    autoscaler = {**CLOUDS["openshift"]["cloud"]["autoscaler"], "from_zero": False}
    changes = {**CLOUDS["openshift"], "cloud.autoscaler": autoscaler}
    with pytest.raises(StackError) as refused:
        settings(changes)
    # One node over two MachineSets, and none over one.
    assert [problem.where for problem in refused.value.problems] == ["pools.0.nodes.min", "pools.1.nodes.min"]
    general, memory = settings(CLOUDS["openshift"]).pools
    pools = [pool.model_dump(mode="json") for pool in (general, memory)]
    pools[0]["nodes"]["min"], pools[1]["nodes"]["min"] = 2, 1
    found = made({**changes, "pools": pools})
    assert all(one.body["spec"]["minReplicas"] >= 1 for one in found.values() if one.kind == "MachineAutoscaler")


@pytest.mark.parametrize(("total", "parts", "found"), [(12, 3, [4, 4, 4]), (2, 3, [1, 1, 0]), (0, 2, [0, 0])])
def test_shares_lose_no_node(total: int, parts: int, found: list[int]) -> None:
    assert shares(total, parts) == found
