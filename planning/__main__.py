"""`python -m planning plan|simulate|snapshot|diff|images`: plans stacks without cluster, engine or Pulumi CLI."""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from stackfile.problems import StackError

FINDINGS, BAD_SETTINGS, LOSS = 1, 2, 3
"""Exit codes besides 0: an error among the findings, a mandatory policy that holds no longer or a base that can't be
planned; settings that can't be used; data that would be lost."""


def main(arguments: Sequence[str]) -> int:
    """Runs one command. Bad settings are printed as they are, with nothing else."""
    options = _parser().parse_args(arguments)
    project = Path.cwd()
    try:
        if options.command == "plan":
            return _plan(project, options.stack, options.json)
        if options.command == "simulate":
            return _simulate(project, options.stack, options.arrivals)
        if options.command == "snapshot":
            return _snapshot(project, options.stack)
        if options.command == "images":
            return _images(project, options.stack, options.mirror, options.sizes)
        return _diff(project, options.base, options.stack, options.markdown)
    except StackError as error:
        print(error, file=sys.stderr)
        return BAD_SETTINGS
    except BrokenPipeError:
        # The reader has seen enough (`… | head`); Python's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m planning", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    plan = commands.add_parser("plan", help="what an up would make; manifests go to build/<stack>/")
    plan.add_argument("--stack", required=True)
    plan.add_argument("--json", action="store_true", help="figures and findings for other programs")
    simulate = commands.add_parser("simulate", help="a day of a stack: nodes, waiting times, cost")
    simulate.add_argument("--stack", required=True)
    simulate.add_argument("--arrivals", type=Path, help="CSV with time, minutes and profile; none: built-in days")
    snapshot = commands.add_parser("snapshot", help="the plan as JSON, for a diff by another commit")
    snapshot.add_argument("--stack", required=True, action="append", help="may be given several times")
    diff = commands.add_parser(
        "diff",
        help="what changes since a commit; exit 3: data would be lost, 1: a policy is broken, or a base has no plan",
    )
    diff.add_argument("--base", required=True, help="a commit, branch or tag")
    diff.add_argument("--stack", default="all", help="one stack, or all (the default)")
    diff.add_argument("--markdown", action="store_true", help="one comment for a pull request")
    images = commands.add_parser(
        "images", help="every image of a stack, and a script to mirror them; exit 1: one could not be asked for"
    )
    images.add_argument("--stack", required=True)
    what = images.add_mutually_exclusive_group()
    what.add_argument("--mirror", metavar="REGISTRY", help="print a script that copies them there, and the setting")
    what.add_argument("--sizes", action="store_true", help="ask each registry for sizes and digests, by skopeo")
    return parser


# Each command imports what it needs: the SDKs take most of a plan's time, and a bad stack file needs none of them.


def _plan(project: Path, stack: str, as_json: bool) -> int:
    from . import plan as plans
    from . import render
    from .manifests import write

    plan = plans.make(project, stack)
    folder = Path("build") / stack
    write(plan.manifests, project / folder)
    print(json.dumps(plans.as_json(plan), indent=1) if as_json else render.text(plan, str(folder)))
    return FINDINGS if any(finding.level == "error" for finding in plan.findings) else 0


def _simulate(project: Path, stack: str, arrivals: Path | None) -> int:
    from . import plan as plans
    from .rooms import reserve_owners
    from .simulation import report
    from .simulation.situation import day_of, situation

    plan = plans.make(project, stack)
    settings = plan.subject.settings
    days = plan.days
    if arrivals is not None:
        found = situation(settings, plan.people.persons, plan.pods, reserve_owners(plan.manifests))
        days = (day_of(found, settings, arrivals),)
    print("\n".join(report.text(days)))
    return 0


def _snapshot(project: Path, stacks: Sequence[str]) -> int:
    from . import plan as plans
    from .commits import UNDATED, to_json
    from .figures import figures
    from .snapshot import snapshot

    found, today = [], None if os.environ.get(UNDATED) else datetime.now(UTC).date()
    for stack in stacks:
        subject = plans.subject(project, stack)
        recording = plans.recorded(project, subject)
        found.append(snapshot(recording, figures(subject.settings, recording, today)))
    print(to_json(found))
    return 0


def _images(project: Path, stack: str, mirror: str | None, sizes: bool) -> int:
    from . import images
    from . import plan as plans

    plan = plans.make(project, stack)
    found = images.inventory(plan)
    if mirror:
        from .mirror import script

        print(script(found, plan.subject.settings, mirror))
        return 0
    if not sizes:
        print("\n".join([*images.text(found), "Sizes, and digests to paste: SIZES=1, which asks the registries."]))
        return 0
    if shutil.which("skopeo") is None:
        print("\n".join(images.text(found)))
        print("error: skopeo asks the registries, and is not installed; its package has that name", file=sys.stderr)
        return FINDINGS
    from .downloads import downloads

    asked = downloads(plan, found)
    print("\n".join(asked.text()))
    return FINDINGS if asked.faults else 0


def _diff(project: Path, base: str, stack: str, markdown: bool) -> int:
    from .comment import comment
    from .compare import compare

    reports = list(compare(project, base, stack))
    print(comment(base, reports) if markdown else "\n".join(report.text for report in reports))
    if any(report.losses for report in reports):
        return LOSS
    return FINDINGS if any(report.policies.refused or report.unplanned for report in reports) else 0


if __name__ == "__main__":
    # A run is short and keeps nearly all that it makes, the SDKs' modules above all.
    gc.disable()
    sys.exit(main(sys.argv[1:]))
