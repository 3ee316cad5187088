"""Logs: whether they fit their disks, and whose containers are read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.logging.kibana import kibana_problems
from components.logging.sizing import volume_problems
from components.namespaces import ROOMS
from stackfile.problems import Problem

if TYPE_CHECKING:
    from settings import Settings


def problems(settings: "Settings") -> Iterator[Problem]:
    """Every contradiction between logging and the rest; none where it is off."""
    if not settings.logging.enabled:
        return
    logging, args = settings.logging, settings.logging_args
    found = [*volume_problems(logging, args.size)]
    grafana = settings.monitoring.grafana
    other = grafana.host if settings.monitoring.enabled and grafana.enabled else None
    found += kibana_problems(logging.kibana, settings.entry, other) if logging.kibana.enabled else []
    own = {args.names.of(room) for room in ROOMS}
    for index, namespace in enumerate(logging.fluent_bit.namespaces):
        if namespace in own:
            found.append(
                Problem(
                    where=f"fluent_bit.namespaces.{index}",
                    found=f'"{namespace}", which is of elab itself',
                    allowed="namespaces of the institution's own: elab's are read anyway",
                    fix="remove it",
                )
            )
    for problem in found:
        yield problem.below("logging")
