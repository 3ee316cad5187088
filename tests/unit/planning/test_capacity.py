"""How many people fit: figures worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from clouds.pools import Allocatable, NodeCount, NodePool, Taint
from planning.capacity import Fit, Person, fits, may_run_on
from planning.people import people
from planning.pods import PodTemplate
from stackfile.labels import LabelKey, LabelValue
from stackfile.quantities import Bytes, Cpu
from stackfile.references import Name
from stackfile.resources import GPU
from tests.harness.platform import CLOUDS, settings

TAINT = Taint(key="people", value="only")
TOLERATION = {"key": "people", "operator": "Equal", "value": "only", "effect": "NoSchedule"}


def _pool(
    *,
    taints: tuple[Taint, ...] = (TAINT,),
    pods: int = 110,
    disks: int | None = None,
    gpus: int = 0,
    price: float | None = None,
) -> NodePool:
    return NodePool(
        name=Name("small"),
        selector={LabelKey("pool"): LabelValue("small")},
        taints=taints,
        nodes=NodeCount(min=1, max=3),
        allocatable=Allocatable(cpu=Cpu("4"), memory=Bytes("16Gi"), pods=pods, disks=disks, gpus=gpus),
        price_per_hour=price,
    )


def _pod(
    cpu: str,
    memory: str,
    *,
    kind: str = "Pod",
    replicas: int = 1,
    tolerant: bool = False,
    owner: str = "n/x",
    disk: bool = False,
    gpus: int = 0,
) -> PodTemplate:
    asked = {"requests": {"cpu": cpu, "memory": memory}, **({"limits": {GPU: str(gpus)}} if gpus else {})}
    container = {"name": "c", "resources": asked}
    spec: dict[str, Any] = {"containers": [container], "tolerations": [TOLERATION] if tolerant else []}
    if disk:
        spec["volumes"] = [{"name": "home", "persistentVolumeClaim": {"claimName": "claim"}}]
    return PodTemplate(owner=owner, kind=kind, namespace="n", labels={}, spec=spec, replicas=replicas)


def _fit(pool: NodePool, person: PodTemplate, *platform: PodTemplate, reserve: frozenset[str] = frozenset()) -> Fit:
    (found,) = fits([pool], [Person(profile="p", pools=("small",), pod=person)], platform, reserve)
    return found


def test_the_scarcest_resource_decides() -> None:
    by_memory = _fit(_pool(), _pod("500m", "4Gi"))
    by_cpu = _fit(_pool(), _pod("1", "1Gi"))
    by_pods = _fit(_pool(pods=3), _pod("10m", "1Mi"))
    by_disks = _fit(_pool(disks=3), _pod("10m", "1Mi", disk=True))
    by_gpus = _fit(_pool(gpus=5), _pod("10m", "1Mi", gpus=2))
    found = (by_memory, by_cpu, by_pods, by_disks, by_gpus)
    assert [(fit.per_node, fit.at_min, fit.at_max, fit.bound) for fit in found] == [
        (4, 4, 12, "memory"),
        (4, 4, 12, "cpu"),
        (3, 3, 9, "pods"),
        (3, 3, 9, "disks"),
        (2, 2, 6, "gpus"),
    ]


def test_who_asks_for_a_gpu_fits_no_node_without_and_others_leave_gpus_alone() -> None:
    assert (_fit(_pool(), _pod("1", "1Gi", gpus=1)).per_node, _fit(_pool(gpus=1), _pod("1", "1Gi")).per_node) == (0, 4)


@pytest.mark.parametrize("disks", [None, 5])
def test_disks_that_are_more_than_people_change_nothing(disks: int | None) -> None:
    fit = _fit(_pool(disks=disks), _pod("1", "1Gi", disk=True))
    assert (fit.per_node, fit.at_max, fit.bound) == (4, 12, "cpu")


def test_disks_of_the_platform_take_their_part_of_a_pool_that_it_shares() -> None:
    database = _pod("10m", "1Mi", disk=True)
    assert _fit(_pool(taints=(), disks=3), _pod("10m", "1Mi", disk=True), database).at_max == 8
    assert _fit(_pool(taints=(), disks=3), _pod("10m", "1Mi", disk=True), _pod("10m", "1Mi")).at_max == 9


@pytest.mark.parametrize(
    ("cloud", "held"), [("aws", (25, "disks")), ("azure", (31, "cpu")), ("onprem-rook", (31, "cpu"))]
)
def test_the_disks_that_a_cloud_lets_a_machine_have_bound_its_people(cloud: str, held: tuple[int, str]) -> None:
    """Of 16 processors, half a one each: Amazon attaches 25 disks, Azure 32, and Ceph as many as there are."""
    found = settings(CLOUDS[cloud])
    persons = people(found, "registry.example.org/notebook:1").persons
    (fit,) = (one for one in fits(found.node_pools, persons, []) if (one.pool, one.profile) == ("memory", "small"))
    assert (fit.per_node, fit.bound) == held


def test_daemon_sets_take_their_part_of_every_node() -> None:
    daemon = _pod("10m", "1Mi", kind="DaemonSet", replicas=0, tolerant=True)
    assert _fit(_pool(), _pod("1", "1Gi"), daemon).at_max == 9


def test_daemon_sets_that_do_not_tolerate_the_pool_take_nothing() -> None:
    daemon = _pod("10m", "1Mi", kind="DaemonSet", replicas=0)
    assert _fit(_pool(), _pod("1", "1Gi"), daemon).at_max == 12


def test_the_platform_takes_its_part_of_a_pool_that_it_shares() -> None:
    hub = _pod("3", "1Gi", replicas=2)
    shared = _fit(_pool(taints=()), _pod("1", "1Gi"), hub)
    # A node holds one hub pod beside one person; the second hub pod needs a node of its own.
    assert (shared.per_node, shared.at_min, shared.at_max, shared.shared) == (4, 1, 6, True)
    assert _fit(_pool(), _pod("1", "1Gi"), hub).at_max == 12


def test_placeholders_make_way() -> None:
    placeholder = _pod("4", "1Gi", replicas=3, tolerant=True, owner="holders/placeholder")
    assert _fit(_pool(), _pod("1", "1Gi"), placeholder).at_max == 0
    assert _fit(_pool(), _pod("1", "1Gi"), placeholder, reserve=frozenset({"holders/placeholder"})).at_max == 12


def test_a_person_who_fits_nowhere_is_zero_and_has_no_price() -> None:
    fit = _fit(_pool(price=1.0), _pod("8", "1Gi"))
    assert (fit.per_node, fit.at_max, fit.price_per_person_hour) == (0, 0, None)


def test_the_price_is_shared_by_the_people_of_a_node() -> None:
    assert _fit(_pool(price=1.0), _pod("1", "1Gi")).price_per_person_hour == 0.25


@pytest.mark.parametrize(
    ("spec", "runs"),
    [
        ({}, True),
        ({"nodeSelector": {"pool": "small"}}, True),
        ({"nodeSelector": {"pool": "large"}}, False),
        ({"nodeSelector": {"kubernetes.io/os": "linux"}}, True),
    ],
)
def test_node_selectors_choose_pools(spec: dict[str, Any], runs: bool) -> None:
    assert may_run_on(spec, _pool(taints=())) is runs


@pytest.mark.parametrize(
    ("operator", "values", "runs"),
    [("In", ["small", "large"], True), ("In", ["large"], False), ("NotIn", ["small"], False), ("Exists", [], True)],
)
def test_required_affinity_chooses_pools(operator: str, values: list[str], runs: bool) -> None:
    term = {"matchExpressions": [{"key": "pool", "operator": operator, "values": values}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    assert may_run_on({"affinity": {"nodeAffinity": required}}, _pool(taints=())) is runs


@pytest.mark.parametrize(
    ("toleration", "runs"),
    [
        (TOLERATION, True),
        ({**TOLERATION, "value": "other"}, False),
        ({**TOLERATION, "effect": "NoExecute"}, False),
        ({"operator": "Exists"}, True),
        ({"key": "people", "operator": "Exists"}, True),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_taints_keep_out_what_does_not_tolerate_them(toleration: dict[str, str], runs: bool) -> None:
    assert may_run_on({"tolerations": [toleration]}, _pool()) is runs
