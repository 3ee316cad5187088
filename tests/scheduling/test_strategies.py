"""The same people on the same nodes: where the simulation puts them, and where the real kube-scheduler does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from clouds.pools import NodePool
from components.hub.placement import pools_of, prefers_pools
from components.hub.profiles import Profile, Strategy
from components.hub.users import user_pod
from components.kit import plain
from planning.capacity import empty_node
from planning.pods import Requests
from planning.simulation.cluster import Cluster, Node, Pool, Size
from stackfile.quantities import Bytes, Cpu
from stackfile.resources import resources
from tests.e2e.cluster import found, kubectl, until
from tests.harness.rooms import settings_of
from tests.scheduling.conftest import INSTANCE
from tests.scheduling.nodes import nodes

pytestmark = pytest.mark.usefixtures("packing")
_SEAT = resources(cpu=("250m", "1"), memory=("256Mi", "512Mi"))


def pool(name: str, count: int, *, spot: bool = False) -> NodePool:
    """Four people fit a node, and a little of the lab's own DaemonSets."""
    return NodePool.model_validate(
        {
            "name": name,
            "selector": {"elab.dev/fake-pool": name},
            "taints": [{"key": "elab.dev/fake", "value": name}],
            "nodes": {"min": count, "max": count},
            "allocatable": {"cpu": "1200m", "memory": "2Gi"},
            "spot": spot,
        }
    )


class People:
    """People who come and go, in the simulation and in the cluster at once."""

    def __init__(self, strategy: Strategy, pools: Sequence[NodePool], namespace: str) -> None:
        self.namespace = namespace
        names = [pool.name for pool in pools]
        self.profile = Profile.model_validate(
            {
                "name": "small",
                "title": "Small",
                "default": True,
                "resources": _SEAT,
                "pools": names,
                "strategy": strategy,
            }
        )
        settings = settings_of("prod")
        users = settings.users.model_copy(update={"profiles": (self.profile,)})
        changed = settings.model_copy(update={"instance": INSTANCE, "users": users, "pools": tuple(pools)})
        self.args = changed.values_args
        self.asked = Requests(cpu=Cpu("250m").millicores, memory=Bytes("256Mi").bytes)
        self.size = Size(
            pools=tuple(str(one.name) for one in pools_of(self.profile, pools)),
            asked=self.asked,
            prefers_pools=prefers_pools(self.profile),
            packs=strategy != "spread",
        )
        planned = {
            str(one.name): Pool(
                name=str(one.name),
                room=empty_node([], one),
                least=one.nodes.min,
                most=one.nodes.max,
                placeholders=0,
                placeholder=self.asked,
                node_start=one.node_start.seconds,
                price_per_hour=None,
            )
            for one in pools
        }
        self.cluster = Cluster(pools=planned)
        self.cluster.begin()
        self.seats: dict[str, Node] = {}

    def come(self, *people: str) -> None:
        """One after the other, as a hub's people do."""
        for person in people:
            node = self.cluster.place(self.size, now=0)
            assert node is not None
            self.seats[person] = node
            kubectl("-n", self.namespace, "create", "-f", "-", text=json.dumps(self._pod(person)))
            until(f"a node for {person}", lambda person=person: person in self.placed(), 30, every=0.1)

    def go(self, *people: str) -> None:
        """Their servers are culled."""
        for person in people:
            self.seats.pop(person).give_back(self.asked, now=0)
        kubectl("-n", self.namespace, "delete", "pods", *people, "--force", "--grace-period=0", "--wait")

    def _pod(self, person: str) -> dict[str, object]:
        body = plain(user_pod(self.args, self.profile, "registry.example.org/notebook:1"))
        body["metadata"] |= {"name": person, "namespace": self.namespace}
        spec = body["spec"]
        # No disk, no priority of an instance that is not there, and the lab's scheduler for what doesn't pack.
        spec["volumes"], spec["containers"][0]["volumeMounts"] = [], []
        del spec["priorityClassName"]
        return body

    def placed(self) -> dict[str, str]:
        """Each person's node, as the scheduler has chosen it."""
        return {
            pod["metadata"]["name"]: pod["spec"]["nodeName"]
            for pod in found("pods", self.namespace)
            if pod["spec"].get("nodeName")
        }

    def simulated(self) -> Counter[str]:
        """Nodes in use of each pool, as the simulation has it."""
        return Counter(node.pool.name for node in self.cluster.nodes if node.people)

    def real(self) -> Counter[str]:
        """The same of the cluster."""
        return Counter(name.split("-")[1] for name in set(self.placed().values()))


@pytest.mark.parametrize(
    ("strategy", "pools"),
    [
        ("pack", [pool("a", 3), pool("b", 2)]),
        ("burst", [pool("a", 2), pool("b", 3)]),
        ("spot-first", [pool("a", 2), pool("b", 2, spot=True)]),
        ("on-demand-first", [pool("a", 2, spot=True), pool("b", 2)]),
        ("spread", [pool("a", 5)]),
    ],
)
def test_the_real_scheduler_uses_the_nodes_that_the_simulation_does(
    strategy: Strategy, pools: list[NodePool], namespace: str
) -> None:
    with nodes(pools):
        people = People(strategy, pools, namespace)
        try:
            people.come(*(f"p{index}" for index in range(10)))
            first = people.simulated(), people.real()
            people.go("p1", "p3", "p5", "p8")
            people.come("p10", "p11", "p12")
            then = people.simulated(), people.real()
        finally:
            kubectl("-n", namespace, "delete", "pods", "--all", "--force", "--grace-period=0")
    for simulated, real in (first, then):
        assert abs(simulated.total() - real.total()) <= 1, (simulated, real)
    if strategy in ("burst", "spot-first", "on-demand-first"):
        assert first[0] == first[1], "the order of the pools is the same"
