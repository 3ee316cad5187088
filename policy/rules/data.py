"""Rules for data and money: how long it is kept, what protects it, and what the stack may cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import yaml

from .model import Context, Fault, Resource, Rule, containers
from .quantities import quantity

_METRICS_DAYS = 30
_RETENTION = "--storage.tsdb.retention.time="
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "y": 365}
_KEYS = ("random:", "tls:index/privateKey:PrivateKey")
_LOG_STORE = re.compile(r"(^|/)(elasticsearch|opensearch)[:@]")


def metrics_retention(resource: Resource, _context: Context) -> Iterator[str]:
    """At least 30 days of metrics."""
    for container in containers(resource):
        words = [str(word) for word in (*(container.body.get("command") or ()), *(container.body.get("args") or ()))]
        if not any(word.startswith("--storage.tsdb.path") for word in words):
            continue
        stated = [word.removeprefix(_RETENTION) for word in words if word.startswith(_RETENTION)]
        if not stated:
            yield f"container {container.name} states no retention, so metrics are kept for 15 days"
        elif (_days(stated[-1]) or 0) < _METRICS_DAYS:
            yield f"container {container.name} keeps metrics for {stated[-1]}"


def log_retention(resources: Sequence[Resource], _context: Context) -> Iterator[Fault]:
    """A retention that something in the log store's namespace states."""
    stores = [
        one for one in resources if any(_LOG_STORE.search(str(each.body.get("image"))) for each in containers(one))
    ]
    for store in stores:
        if store.kind not in ("StatefulSet", "Deployment"):
            continue
        found = [days for one in resources if one.namespace == store.namespace for days in _stated_retention(one)]
        if not found:
            yield Fault(resource=store, what="nothing in its namespace states how long logs are kept")
        elif min(found) < 1:
            yield Fault(resource=store, what=f"logs are kept for {min(found):g} days, less than one")


def _stated_retention(resource: Resource) -> Iterator[float]:
    if resource.kind == "ConfigMap":
        for text in (resource.inputs.get("data") or {}).values():
            yield from _lifecycles(_document(str(text)))
    for container in containers(resource):
        for variable in container.body.get("env") or ():
            days = _days(str(variable.get("value"))) if str(variable.get("name")).endswith("RETENTION") else None
            if days is not None:
                yield days


def _document(text: str) -> object:
    try:
        return json.loads(text) if text.lstrip().startswith(("{", "[")) else yaml.load(text, yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return None


def _lifecycles(value: object) -> Iterator[float]:
    """Data streams' lifecycle, and the delete phase of index lifecycle management."""
    if isinstance(value, Mapping):
        stated = value.get("data_retention", value.get("retention"))
        if isinstance(value.get("delete"), Mapping):
            stated = stated or value["delete"].get("min_age")
        days = _days(str(stated)) if stated else None
        if days is not None:
            yield days
        for child in value.values():
            yield from _lifecycles(child)
    elif isinstance(value, list):
        for child in value:
            yield from _lifecycles(child)


def _days(text: str) -> float | None:
    parts = re.findall(r"(\d+)([hdwy])", text)
    return sum(int(number) * _DAYS[unit] for number, unit in parts) if parts else None


def protected(resources: Sequence[Resource], _context: Context) -> Iterator[Fault]:
    """Claims, keys and the namespaces that hold claims."""
    holders = {one.namespace for one in resources if one.kind == "PersistentVolumeClaim"}
    for one in resources:
        holds = one.kind == "Namespace" and (
            one.name in holders or one.labels.get("app.kubernetes.io/part-of") == "users"
        )
        data = one.kind == "PersistentVolumeClaim" or one.type.startswith(_KEYS) or holds
        if data and one.protect is False:
            yield Fault(resource=one, what="nothing keeps `pulumi destroy`, or a later change, from deleting it")


def retained(resource: Resource, _context: Context) -> Iterator[str]:
    """Volumes outlive their claims."""
    if resource.kind == "StorageClass" and resource.inputs.get("reclaimPolicy") != "Retain":
        yield "a deleted claim of this class takes its volume with it"


def classes(resource: Resource, _context: Context) -> Iterator[str]:
    """Every claim names its class."""
    if resource.kind == "PersistentVolumeClaim" and not resource.spec.get("storageClassName"):
        yield "it takes whatever class is the cluster's default that day"
    if resource.kind == "StatefulSet":
        for claim in resource.spec.get("volumeClaimTemplates") or ():
            if not (claim.get("spec") or {}).get("storageClassName"):
                yield "a claim template takes whatever class is the cluster's default that day"


def claims_within_quota(resources: Sequence[Resource], _context: Context) -> Iterator[Fault]:
    """Claims together within the namespace's quota, and each within its limit range."""
    claims = [one for one in resources if one.kind == "PersistentVolumeClaim"]
    for claim in claims:
        if _size(claim) is None:
            yield Fault(resource=claim, what="it asks for no size that Kubernetes could read")
    for bound in resources:
        sizes = [(one, _size(one) or 0) for one in claims if one.namespace == bound.namespace]
        if bound.kind == "ResourceQuota":
            most = (bound.spec.get("hard") or {}).get("requests.storage")
            limit = quantity(most)
            if limit is not None and sum(size for _, size in sizes) > limit:
                yield Fault(resource=bound, what=f"the claims of its namespace ask for more than its {most} of disk")
        if bound.kind == "LimitRange":
            for item in bound.spec.get("limits") or ():
                most = (item.get("max") or {}).get("storage")
                limit = quantity(most)
                for claim, size in sizes:
                    if item.get("type") == "PersistentVolumeClaim" and limit is not None and size > limit:
                        yield Fault(resource=claim, what=f"it asks for more than {bound.key} allows, {most}")


def _size(claim: Resource) -> Decimal | None:
    return quantity(((claim.spec.get("resources") or {}).get("requests") or {}).get("storage"))


def cost(_resources: Sequence[Resource], context: Context) -> Iterator[Fault]:
    """All pools at their largest within the ceiling."""
    if context.monthly_cost is None:
        return
    if context.nodes_cost is None:
        yield Fault(resource=None, what="a pool has no price, so the ceiling of costs can't be checked")
    elif context.nodes_cost > context.monthly_cost:
        what = f"all pools at their largest cost {context.nodes_cost:.0f} a month, above {context.monthly_cost:.0f}"
        yield Fault(resource=None, what=what)


RULES = (
    Rule(
        name="metrics-retention",
        one=metrics_retention,
        dev="advisory",
        reason="A month of metrics is what a capacity plan and a look back at last month's outage need.",
        fix="Set monitoring.retention to 30d or more.",
    ),
    Rule(
        name="log-retention",
        all=log_retention,
        texts=True,
        reason="Logs that nothing deletes fill the disk, and keep people's data longer than anybody decided.",
        fix="Set logging.retention.",
    ),
    Rule(
        name="data-protected",
        all=protected,
        dev="disabled",
        reason="People's disks, the keys of their sessions and the authority that clients trust can't be made anew.",
        fix="Leave protection.protect at its default in prod, or set it to true.",
    ),
    Rule(
        name="volumes-retained",
        one=retained,
        dev="disabled",
        reason="A claim that is deleted by mistake must not take a person's work with it.",
        fix="Leave storage.reclaim_policy at its default in prod, or set it to Retain; a class that is there already "
        "can't change it, so give that one another storage.class_name.",
    ),
    Rule(
        name="storage-class",
        one=classes,
        reason="The cluster's default class can change, and a claim can't.",
        fix="Name the class in storageClassName.",
    ),
    Rule(
        name="claims-within-quota",
        all=claims_within_quota,
        reason="A claim above its namespace's quota is refused when the pod that needs it starts.",
        fix="Lower the claims' sizes or raise the quota.",
    ),
    Rule(
        name="cost-ceiling",
        all=cost,
        dev="advisory",
        reason="An autoscaler spends up to the pools' maxima without asking again.",
        fix="Lower nodes.max of a pool, or raise policies.monthly_cost.",
    ),
)
