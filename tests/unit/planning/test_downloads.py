"""What each node pulls: which images can come to it, and how much they are together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clouds.pools import Allocatable, NodeCount, NodePool, Taint
from planning.downloads import ARCHITECTURE, Downloads, NodeImages, node_images
from planning.images import StackImage
from planning.pods import PodTemplate
from planning.registry import Served, Unanswered
from stackfile.labels import LabelKey, LabelValue
from stackfile.quantities import Bytes, Cpu
from stackfile.references import Name

PLATFORM = "linux/amd64"


def pool(name: str, labels: Mapping[str, str] = {}, *, taints: tuple[Taint, ...] = (Taint(key="people"),)) -> NodePool:
    return NodePool(
        name=Name(name),
        selector={LabelKey(key): LabelValue(value) for key, value in {"pool": name, **labels}.items()},
        taints=taints,
        nodes=NodeCount(min=1, max=3),
        allocatable=Allocatable(cpu=Cpu("4"), memory=Bytes("16Gi")),
    )


def pod(image: str, kind: str = "Deployment", *, of_pool: str | None = None, tolerant: bool = True) -> PodTemplate:
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": image}]}
    if tolerant:
        spec["tolerations"] = [{"operator": "Exists"}]
    if of_pool:
        term = {"matchExpressions": [{"key": "pool", "operator": "In", "values": [of_pool]}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        spec["affinity"] = {"nodeAffinity": required}
    return PodTemplate(owner=f"n/{image}", kind=kind, namespace="n", labels={}, spec=spec, replicas=1)


PODS = (
    pod("exporter", "DaemonSet"),
    pod("puller", "DaemonSet", of_pool="big"),
    pod("placeholder", of_pool="small"),
    pod("hub", tolerant=False),
)
SERVERS = (pod("notebook", "Pod", of_pool="small"), pod("gpu", "Pod", of_pool="big"))


def sets(*pools: NodePool) -> dict[str, tuple[set[str], set[str], set[str]]]:
    found = node_images(pools, PODS, SERVERS)
    return {node.pool: (set(node.always), set(node.with_servers), set(node.at_most)) for node in found}


def test_a_node_pulls_what_daemons_servers_and_the_platform_may_run_there() -> None:
    found = sets(pool("small"), pool("big"))
    assert found["small"] == ({"exporter"}, {"exporter", "notebook"}, {"exporter", "notebook", "placeholder"})
    assert found["big"] == ({"exporter", "puller"}, {"exporter", "puller", "gpu"}, {"exporter", "puller", "gpu"})


def test_what_no_pool_takes_has_nodes_of_its_own() -> None:
    assert sets(pool("small"), pool("big"))["none"] == ({"exporter"}, {"exporter"}, {"exporter", "hub"})


def test_where_a_pool_takes_everything_no_other_node_is_made_up() -> None:
    found = sets(pool("small", taints=()), pool("big"))
    assert found.keys() == {"small", "big"}
    assert found["small"][2] == {"exporter", "notebook", "placeholder", "hub"}


def test_a_pools_label_says_what_its_machines_are() -> None:
    found = node_images([pool("small", {ARCHITECTURE: "arm64"}), pool("big")], PODS, SERVERS)
    assert [node.platform for node in found] == ["linux/arm64", PLATFORM, PLATFORM]


def downloads(images: Mapping[str, Mapping[str, int]], *nodes: NodeImages) -> Downloads:
    served = {name: Served(digest="d", tagged="d", blobs={PLATFORM: blobs}) for name, blobs in images.items()}
    return Downloads(stack="s", found=(), nodes=nodes, served=served, faults={}, unbuilt=frozenset())


def test_what_images_share_is_pulled_once() -> None:
    found = downloads({"a": {"base": 1024 * 1024, "own": 1024}, "b": {"base": 1024 * 1024, "other": 2048}})
    assert found.size(["a", "b"], PLATFORM) == "1 MiB"
    assert downloads({"a": {"x": 2048}, "b": {"y": 2048}}).size(["a", "b"], PLATFORM) == "4 KiB"


def test_a_sum_without_an_image_that_could_not_be_asked_for_says_so() -> None:
    found = downloads({"a": {"x": 2048}})
    assert found.size(["a", "lost"], PLATFORM) == "more than 2 KiB"
    assert found.size(["lost"], PLATFORM) == "unknown"
    assert found.size([], PLATFORM) == "0 B"


def test_the_table_has_a_row_for_each_kind_of_node() -> None:
    node = NodeImages(
        pool="small",
        platform=PLATFORM,
        always=frozenset({"a"}),
        with_servers=frozenset({"a", "b"}),
        at_most=frozenset({"a", "b", "c"}),
    )
    text = downloads({"a": {"x": 1024}, "b": {"y": 1024}, "c": {"z": 1024}}, node).text()
    (row,) = [line.split("  ") for line in text if line.startswith("  small")]
    assert [cell.strip() for cell in row if cell] == ["small", PLATFORM, "1 KiB", "2 KiB", "3 KiB"]


def test_what_a_mirror_lacks_is_to_be_copied_there_and_what_its_own_registry_lacks_is_named_wrongly() -> None:
    away = StackImage(reference="mirror.example.org/quay.io/a:1", source="quay.io/a:1", digest="", users=())
    home = StackImage(reference="quay.io/b:1", source="quay.io/b:1", digest="", users=())
    faults = {one.reference: Unanswered("manifest unknown", "correct its name", missing=True) for one in (away, home)}
    found = Downloads(stack="s", found=(away, home), nodes=(), served={}, faults=faults, unbuilt=frozenset())
    fixes = [line.strip() for line in found.text() if "fix: " in line]
    assert fixes == ["fix: the mirror lacks it: run what make images MIRROR=… prints", "fix: correct its name"]
