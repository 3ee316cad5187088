"""What the nodes of a stack download, and whether its digests are still what its tags mean: asked of its registries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import yaml

from clouds.pools import NodePool
from components.notebook_image import BuiltImage
from stackfile.labels import LabelKey
from stackfile.quantities import shown_bytes

from . import images
from .capacity import may_run_on
from .images import StackImage
from .plan import Plan
from .pods import PodTemplate, pod_templates
from .registry import Served, Unanswered, ask
from .table import table

ARCHITECTURE = LabelKey("kubernetes.io/arch")
"""The label by which a pool's selector says what its machines are."""
_OTHERWISE = "linux/amd64"
_AT_ONCE = 8
"""Questions to registries; each is a process that mostly waits."""


@dataclass(frozen=True, kw_only=True)
class NodeImages:
    """The images that a node of a pool may pull, each set within the next; all by reference."""

    pool: str
    platform: str
    always: frozenset[str]
    """By DaemonSets, the puller among them."""
    with_servers: frozenset[str]
    """And by every kind of server that people can start there."""
    at_most: frozenset[str]
    """And by all else of the platform that may be scheduled there."""


@dataclass(frozen=True, kw_only=True)
class Downloads:
    """What the registries said."""

    stack: str
    found: Sequence[StackImage]
    nodes: Sequence[NodeImages]
    served: Mapping[str, Served]
    """By the reference that the cluster is told, as all else."""
    faults: Mapping[str, Unanswered]
    unbuilt: frozenset[str]
    """What the stack's next `up` builds and pushes; until then no registry has it."""

    def size(self, references: Iterable[str], platform: str) -> str:
        """Of several images together, what they share counted once."""
        references = frozenset(references)
        known = references & self.served.keys()
        blobs: dict[str, int] = {}
        for reference in known:
            blobs |= self.served[reference].blobs.get(platform, {})
        if references and not known:
            return "unknown"
        return ("" if known == references else "more than ") + shown_bytes(sum(blobs.values()))

    def text(self) -> list[str]:
        """The inventory with sizes, what nodes pull, and digests to look at and to paste, for a terminal."""
        lines = images.text(self.found, {one.reference: self._lines(one) for one in self.found})
        return [*lines, "", *self._nodes(), *self._moved(), *self._to_paste(), *self._end()]

    def _lines(self, one: StackImage) -> list[str]:
        if fault := self.faults.get(one.reference):
            mirrored = fault.missing and one.mirrored
            fix = "the mirror lacks it: run what make images MIRROR=… prints" if mirrored else fault.fix
            return [f"error: {fault.found}", f"fix: {fix}"]
        if one.reference in self.unbuilt:
            return ["not in its registry yet: the next up builds it"]
        served = self.served[one.reference]
        return [
            f"{shown_bytes(sum(blobs.values()))} for {platform}, in {len(blobs) - 1} layers"
            for platform, blobs in served.blobs.items()
        ]

    def _nodes(self) -> list[str]:
        rows = [["node of pool", "platform", "DaemonSets", "and any server", "and all else that may run there"]]
        for node in self.nodes:
            parts = (node.always, node.with_servers, node.at_most)
            rows.append([node.pool, node.platform, *(self.size(part, node.platform) for part in parts)])
        lines = ["What a node pulls, compressed; what images share counts once", *table(rows)]
        for platform in dict.fromkeys(node.platform for node in self.nodes):
            pulled = frozenset[str]().union(*(node.at_most for node in self.nodes if node.platform == platform))
            lines.append(f"All images of the cluster for {platform}: {self.size(pulled, platform)}")
        return lines

    def _moved(self) -> list[str]:
        lines = []
        for one in self.found:
            served = self.served.get(one.reference)
            if served and one.source and one.tag and served.tagged != served.digest:
                lines.append(f"  {one.source.partition('@')[0]}")
                lines.append(f"      the stack's digest: {served.digest}")
                lines.append(f"      the tag's now:      {served.tagged or 'none, the tag is gone'}")
        return ["", "Tags that mean something else by now than the stack says", *lines] if lines else []

    def _to_paste(self) -> list[str]:
        digests = {
            one.source: self.served[one.reference].digest
            for one in self.found
            if one.source and not one.digest and one.reference in self.served
        }
        if not digests:
            return []
        setting = yaml.safe_dump({"elab:images": {"digests": digests}}, width=1000).splitlines()
        head = f"Digests that Pulumi.{self.stack}.yaml lacks, as they are served now"
        return ["", head, *(f"  {line}" for line in setting)]

    def _end(self) -> list[str]:
        if not self.faults:
            return []
        return ["", f"error: {len(self.faults)} of {len(self.found)} images could not be asked for; see above"]


def downloads(plan: Plan, found: Sequence[StackImage]) -> Downloads:
    """Asks the registry of each image, or the mirror that stands in its place."""
    nodes = node_images(plan.pools, plan.pods, tuple(pod_templates(plan.people.manifests)))
    notebook = plan.subject.settings.notebook_image
    of_builds = notebook.platforms if isinstance(notebook, BuiltImage) else ()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda one: _ask(one, _platforms(one, nodes) or of_builds), found)
        answered = dict(zip((one.reference for one in found), answers, strict=True))
    faults = {one: answer for one, answer in answered.items() if isinstance(answer, Unanswered)}
    unbuilt = frozenset(
        one.reference for one in found if not one.source and one.reference in faults and faults[one.reference].missing
    )
    return Downloads(
        stack=plan.subject.file.stack,
        found=found,
        nodes=nodes,
        served={one: answer for one, answer in answered.items() if isinstance(answer, Served)},
        faults={one: fault for one, fault in faults.items() if one not in unbuilt},
        unbuilt=unbuilt,
    )


def _ask(one: StackImage, platforms: Sequence[str]) -> Served | Unanswered:
    try:
        return ask(one.repository, one.tag, one.digest, platforms)
    except Unanswered as error:
        return error


def _platforms(one: StackImage, nodes: Iterable[NodeImages]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node.platform for node in nodes if one.reference in node.at_most))


def node_images(
    pools: Sequence[NodePool], pods: Sequence[PodTemplate], servers: Sequence[PodTemplate]
) -> tuple[NodeImages, ...]:
    """For each pool; and for nodes of none, where something of the platform has no other place."""
    found = [_on(pool, pods, servers) for pool in pools]
    if not all(any(may_run_on(pod.spec, pool) for pool in pools) for pod in pods):
        elsewhere = [pod for pod in pods if not _bound(pod, pools)]
        always = _images(pod for pod in elsewhere if pod.kind == "DaemonSet")
        at_most = _images(elsewhere)
        found.append(NodeImages(pool="none", platform=_OTHERWISE, always=always, with_servers=always, at_most=at_most))
    return tuple(found)


def _on(pool: NodePool, pods: Iterable[PodTemplate], servers: Iterable[PodTemplate]) -> NodeImages:
    here = [pod for pod in pods if may_run_on(pod.spec, pool)]
    always = _images(pod for pod in here if pod.kind == "DaemonSet")
    with_servers = always | _images(pod for pod in servers if may_run_on(pod.spec, pool))
    return NodeImages(
        pool=str(pool.name),
        platform=f"linux/{pool.selector[ARCHITECTURE]}" if ARCHITECTURE in pool.selector else _OTHERWISE,
        always=always,
        with_servers=with_servers,
        at_most=with_servers | _images(here),
    )


def _images(pods: Iterable[PodTemplate]) -> frozenset[str]:
    return frozenset(container["image"] for pod in pods for container in pod.containers)


def _bound(pod: PodTemplate, pools: Iterable[NodePool]) -> bool:
    """Whether a pod asks for labels that only pools' nodes carry."""
    labels = {label for pool in pools for label in pool.selector} - {ARCHITECTURE}
    affinity = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    asked = set(pod.spec.get("nodeSelector") or {})
    asked |= {expression["key"] for term in terms for expression in term.get("matchExpressions") or []}
    return not labels.isdisjoint(asked)
