"""A plan as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from components.notebook_image import ReadyImage
from stackfile.quantities import shown_bytes, shown_millicores

from .logs import LogsCost
from .metrics import MetricsCost
from .plan import Plan
from .pods import Requests
from .rooms import Node, RoomTotal
from .schemas import SUPPORTED
from .simulation import report
from .table import table

_MARKS = {"error": "✗", "warning": "!", "info": "·"}


def text(plan: Plan, folder: str) -> str:
    """Everything that `make plan` prints; `folder` is where the manifests were written."""
    sections = [_head(plan, folder), _tree(plan), _totals(plan), _people(plan), report.text(plan.days), _images(plan)]
    sections += [_metrics(plan.metrics)] if plan.metrics else []
    sections += [_logs(plan.logs)] if plan.logs else []
    sections += [_applications(plan)] if plan.applications else []
    sections.append(_findings(plan))
    return "\n\n".join("\n".join(section) for section in sections)


def _head(plan: Plan, folder: str) -> list[str]:
    resources = sum(resource.custom for resource in plan.recording.resources)
    return [
        f"elab, stack {plan.subject.file.stack} ({plan.subject.settings.environment}): {resources} resources; "
        f"{len(plan.manifests)} manifests in {folder}/, checked against Kubernetes {' and '.join(SUPPORTED)}"
    ]


def _tree(plan: Plan) -> list[str]:
    return ["Resources by component", *_node(plan.tree, "  ")]


def _node(node: Node, indent: str) -> Iterator[str]:
    kinds = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in node.resources)
    yield f"{indent}{node.name} ({node.total})" + (f": {kinds}" if kinds else "")
    for child in node.children:
        yield from _node(child, indent + "  ")


def _totals(plan: Plan) -> list[str]:
    totals = plan.totals
    rows: list[tuple[str, ...]] = [("room", "pods", "cpu: request", "limit", "memory: request", "limit", "disk")]
    rows += [_room(room) for room in totals.rooms]
    if len(totals.rooms) > 1:
        rows.append(_room(totals.all_rooms))
    if totals.reserve.pods:
        rows.append(_room(totals.reserve))
    rows += [(f"each node of {pool}", "", *_figures(requests), "") for pool, requests in totals.per_node]
    return [
        "What the platform itself asks for (people's servers not counted; the reserve makes way for them)",
        *table(rows),
    ]


def _room(room: RoomTotal) -> tuple[str, ...]:
    disk = shown_bytes(room.storage) if room.storage else ""
    return (room.room, str(room.pods), *_figures(room.requests), disk)


def _figures(requests: Requests) -> tuple[str, str, str, str]:
    return (
        shown_millicores(requests.cpu),
        shown_millicores(requests.cpu_limit),
        shown_bytes(requests.memory),
        shown_bytes(requests.memory_limit),
    )


def _people(plan: Plan) -> list[str]:
    nodes = {str(pool.name): pool.nodes for pool in plan.pools}
    rows = [("pool", "profile", "a node", "at its smallest", "at its largest", "ends by", "a person and hour")]
    for fit in plan.fits:
        size = nodes[fit.pool]
        price = "" if fit.price_per_person_hour is None else f"{fit.price_per_person_hour:.4f}"
        rows.append(
            (
                fit.pool + ("*" if fit.shared else ""),
                fit.profile,
                str(fit.per_node),
                f"{fit.at_min} on {size.min}",
                f"{fit.at_max} on {size.max}",
                fit.bound,
                price,
            )
        )
    lines = ["How many people fit, if all choose the same profile", *table(rows)]
    if any(fit.shared for fit in plan.fits):
        lines.append("  * the platform's own pods may run there too: all of them are counted in these pools")
    for pool in plan.pools:
        if pool.price_per_hour is not None:
            low, high = pool.nodes.min * pool.price_per_hour, pool.nodes.max * pool.price_per_hour
            lines.append(f"  {pool.name}: {low:.2f} to {high:.2f} an hour")
    return lines


def _metrics(cost: MetricsCost) -> list[str]:
    rows = [("job", "every", "series", "owner")]
    rows += [(job.job, job.interval, str(job.series), job.owner) for job in cost.jobs]
    rows.append(("all", "", str(cost.series), ""))
    return [
        "Metrics, at most: every pool at its largest, every node full of the smallest profile",
        *table(rows),
        f"  {cost.retention} of {cost.samples_per_second:.0f} samples a second need {shown_bytes(cost.needed)}; "
        f"of a disk of {shown_bytes(cost.disk)}, {shown_bytes(cost.cap)} may be filled before the oldest go",
        f"  Prometheus has {shown_bytes(cost.memory)} of memory, of which so many series need "
        f"{shown_bytes(cost.needed_memory)}",
    ]


def _logs(cost: LogsCost) -> list[str]:
    each = "Elasticsearch" if cost.nodes == 1 else f"Each of Elasticsearch's {cost.nodes} nodes"
    kept = "once" if cost.copies == 1 else "twice, on different nodes"
    return [
        "Logs, at most: every pool at its largest, every node full of the smallest profile",
        f"  {cost.retention} of {shown_bytes(cost.a_day)} a day, each line kept {kept}",
        f"  {each} needs {shown_bytes(cost.needed)} of a disk of {shown_bytes(cost.disk)}, "
        f"and has {shown_bytes(cost.memory)} of memory",
    ]


def _images(plan: Plan) -> list[str]:
    lines = ["Images"]
    for image, users in plan.images.items():
        pinned = "by digest" if "@sha256:" in image else "by tag"
        lines.append(f"  {image}")
        lines.append(
            f"      {pinned}; {', '.join(users[:3])}" + (f" and {len(users) - 3} more" if len(users) > 3 else "")
        )
    return lines


def _applications(plan: Plan) -> list[str]:
    rows = [("application", "path", "version", "memory", "too small for it")]
    rows += [
        (found.title, f"/{found.name}/", found.version, str(found.memory), ", ".join(found.too_small))
        for found in plan.applications
    ]
    image = plan.subject.settings.notebook_image
    now = f", as {image.applications}/ has them now" if isinstance(image, ReadyImage) else ""
    return [f"Applications of the notebook image{now}, and the memory that a server needs for each", *table(rows)]


def _findings(plan: Plan) -> list[str]:
    if not plan.findings:
        return ["Findings: none"]
    lines = ["Findings"]
    for level in ("error", "warning", "info"):
        for finding in plan.findings:
            if finding.level == level:
                lines.append(f"  {_MARKS[level]} {level}: {finding.where}: {finding.what}")
                lines.append(f"      {finding.fix}")
    return lines
