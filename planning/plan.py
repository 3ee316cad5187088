"""The plan of a stack: its real program run under the recorder, and everything that can be read from that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi

from clouds.pools import NodePool
from policy.judge import Violation
from settings import SECRETS, Settings, read
from stack import built_folder, unfinished, unfinished_allowed
from stackfile.configuration import configured
from stackfile.loader import StackFile, load_stack
from stackfile.problems import Problem, StackError

from . import applications as apps
from . import checks, digests, duties, grammar, graph, homes, metrics, neighbours, policies, schemas, vocabulary
from .applications import PlannedApplication
from .capacity import Fit, fits
from .external import expected
from .findings import Finding
from .logs import LogsCost, logs_cost
from .manifests import Manifest, manifests
from .metrics import MetricsCost, metrics_cost
from .people import People, people
from .pods import PodTemplate, pod_templates
from .recorder import record
from .recording import Recording
from .rooms import Node, Totals, reserve_owners, totals, tree
from .simulation.situation import SimulatedDay, days, situation


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A stack and the settings that its file gives."""

    file: StackFile
    settings: Settings
    unfinished: tuple[Problem, ...]
    """Secrets and digests that are still to be set: an `up` would refuse, a plan goes on and names them."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an `up` of the stack would make, and what there is to say about it."""

    subject: Subject
    recording: Recording
    manifests: tuple[Manifest, ...]
    people: People
    tree: Node
    totals: Totals
    fits: tuple[Fit, ...]
    images: Mapping[str, tuple[str, ...]]
    """Every image reference with the containers that use it."""
    days: tuple[SimulatedDay, ...]
    """Built-in days, simulated."""
    metrics: MetricsCost | None
    """None where the stack has no monitoring."""
    logs: LogsCost | None
    """None where the stack keeps no logs."""
    applications: tuple[PlannedApplication, ...]
    """Of the notebook image, where the stack builds it or names the folder that it was built from."""
    violations: tuple[Violation, ...]
    """Of policies, what is exempted included."""
    findings: tuple[Finding, ...]

    @property
    def pods(self) -> tuple[PodTemplate, ...]:
        """Everything that the platform itself runs."""
        return tuple(pod_templates(self.manifests))

    @property
    def pools(self) -> tuple[NodePool, ...]:
        """The stack's node pools."""
        return self.subject.settings.node_pools


def subject(project: Path, stack: str) -> Subject:
    """Reads a stack's file. Raises StackError with every problem, each with its line."""
    file = load_stack(project, stack)
    settings = configured(read, file.config, project=file.project, secrets=SECRETS, file=file)
    known = {key.removeprefix(f"{file.project}:") for key in file.secret_keys}
    return Subject(file=file, settings=settings, unfinished=tuple(unfinished(settings, known, stack)))


def recorded(project: Path, found: Subject) -> Recording:
    """Runs the project's `__main__.py` for a stack. Raises StackError where a file it needs is no good."""
    file = found.file
    try:
        with unfinished_allowed():
            return record(
                project / "__main__.py",
                project=file.project,
                stack=file.stack,
                config=file.config,
                secret_keys=file.secret_keys,
                references=homes.references(file.config, file.project),
            )
    except pulumi.RunError as error:
        # What the CLI would show without a traceback; what it was made of says more.
        if isinstance(error.__context__, StackError):
            raise file.located(error.__context__) from None
        raise


def make(project: Path, stack: str) -> Plan:
    """Plans a stack. Raises StackError where its file is no good; everything else is a finding."""
    today = datetime.now(UTC).date()
    found = subject(project, stack)
    recording = recorded(project, found)
    plan = manifests(recording)
    servers = people(found.settings, recording.outputs["notebook_image"])
    pods, reserve = tuple(pod_templates(plan)), reserve_owners(plan)
    folder, _ = built_folder(found.settings)
    applications = tuple(apps.applications(folder, found.settings.users))
    broken = policies.violations(found.settings, recording, servers.manifests, today)
    return Plan(
        subject=found,
        recording=recording,
        manifests=plan,
        people=servers,
        tree=tree(recording),
        totals=totals(plan, found.settings.node_pools),
        fits=tuple(fits(found.settings.node_pools, servers.persons, pods, reserve)),
        images=checks.images((*plan, *servers.manifests)),
        days=days(situation(found.settings, servers.persons, pods, reserve), found.settings),
        metrics=metrics_cost(found.settings),
        logs=logs_cost(found.settings),
        applications=applications,
        violations=broken,
        findings=(
            *_findings(found, recording, plan, servers),
            *duties.findings(found.settings, today),
            *neighbours.findings(project, found.file, found.settings),
            *homes.findings(project, found.file, found.settings),
            *apps.findings(applications, found.settings.users),
            *policies.findings(broken),
        ),
    )


def _findings(found: Subject, recording: Recording, plan: tuple[Manifest, ...], servers: People) -> Iterator[Finding]:
    for problem in found.unfinished:
        what = f"found {problem.found}, needed before an up: {problem.allowed}"
        yield Finding(level="warning", where=problem.where, what=what, fix=problem.fix)
    yield from checks.findings(recording, plan)
    yield from grammar.findings(plan, servers.manifests)
    yield from schemas.findings((*plan, *servers.manifests))
    yield from graph.findings(plan, servers.manifests, expected(found.settings))
    yield from vocabulary.findings(plan, found.settings.monitoring.alerting.routes)
    yield from metrics.findings(found.settings)
    yield from digests.findings(found.settings)


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan's figures and findings as plain data, for other programs."""
    return json.loads(json.dumps(_plain(plan), default=_dataclass))


def _plain(plan: Plan) -> dict[str, Any]:
    return {
        "stack": plan.subject.file.stack,
        "resources": len(plan.recording.resources),
        "objects": [manifest.key for manifest in plan.manifests],
        "tree": plan.tree,
        "totals": plan.totals,
        "fits": plan.fits,
        "images": plan.images,
        "days": plan.days,
        "metrics": plan.metrics,
        "logs": plan.logs,
        "applications": plan.applications,
        "findings": plan.findings,
    }


def _dataclass(value: object) -> dict[str, object]:
    return dict(vars(value))
