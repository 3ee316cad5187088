"""What a run prints: figures of both hubs, their ratios, and which goals are met."""

import math
import statistics
from collections.abc import Mapping, Sequence

from bench.starts import PARTS, Start
from bench.usage import Usage

GOALS = {"p50": 0.85, "p95": 0.6, "max": 0.6, "8 at once": 0.8}
"""elab's time by the bare hub's, at most (issue 3, part 12)."""


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """min, p50, p95 (nearest rank) and max."""
    ranked = sorted(seconds)
    return {
        "min": ranked[0],
        "p50": statistics.median(ranked),
        "p95": ranked[math.ceil(0.95 * len(ranked)) - 1],
        "max": ranked[-1],
    }


def starts_table(found: Mapping[str, Sequence[Start]]) -> str:
    """The starts one after another: a line for each hub."""
    lines = [f"{'':8}{'starts':>8}" + "".join(f"{name:>8}" for name in ("min", "p50", "p95", "max"))]
    for name, starts in found.items():
        figures = summary([start.total for start in starts])
        lines.append(f"{name:8}{len(starts):>8}" + "".join(f"{value:>8.2f}" for value in figures.values()))
    return "\n".join(lines)


def parts_table(found: Mapping[str, Sequence[Start]]) -> str:
    """Where the time goes: the median and the maximum of each part, by hub."""
    lines = [f"{'':15}" + "".join(f"{part:>9}" for part in PARTS)]
    for name, starts in found.items():
        split = [start.parts for start in starts if start.parts is not None]
        for label, choose in (("p50", statistics.median), ("max", max)):
            row = (choose([parts[part] for parts in split]) for part in PARTS)
            lines.append(f"{name + ' ' + label:15}" + "".join(f"{value:>9.3f}" for value in row))
    return "\n".join(lines)


def usage_table(before: Mapping[str, Usage], after: Mapping[str, Usage], name: str) -> str:
    """Memory before and after, and processor time between, of each program of one hub."""
    return "\n".join(
        f"{name:8}{program:16}{before[program].memory:>8.0f} -> {after[program].memory:>4.0f} MiB"
        f"{after[program].processor - before[program].processor:>10.1f} s of processor"
        for program in sorted(set(before) & set(after))
    )


def ratios(starts: Mapping[str, Sequence[Start]], storms: Mapping[str, Sequence[Start]]) -> dict[str, float]:
    """elab's figures by the bare hub's, by the goals' names."""
    elab, bare = (summary([start.total for start in starts[name]]) for name in ("elab", "bare"))
    together = {name: statistics.median(start.total for start in found) for name, found in storms.items()}
    found = {name: elab[name] / bare[name] for name in ("p50", "p95", "max")}
    return found | {"8 at once": together["elab"] / together["bare"]}


def goals_table(found: Mapping[str, float]) -> str:
    """Each ratio with its goal."""
    return "\n".join(
        f"{name:12}{found[name]:>6.2f}   goal {goal:.2f}   {'met' if found[name] <= goal else 'MISSED'}"
        for name, goal in GOALS.items()
    )


def met(found: Mapping[str, float]) -> bool:
    """Whether every goal is met."""
    return all(found[name] <= goal for name, goal in GOALS.items())
