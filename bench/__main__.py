"""Entry point of `make bench`: everything twice, turn about, so that whatever else the machine does hits both hubs."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

from bench import hubs, metrics, report, usage
from bench.browser import BrowserError
from bench.starts import Start, start, storm
from operate import rig
from operate.steps import OperationError, Steps, output

_RUN_SECONDS = 450
"""For everything but taking the hubs away again."""
_STARTS_SECONDS = 270
"""For the starts one after another; a busy machine makes fewer of them."""
_AT_ONCE = 8
_SETTLE_SECONDS = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0 if every goal is met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--starts", type=int, default=20, help="starts one after another, of each hub (20)")
    parser.add_argument("--no-plan", action="store_true", help="leave the time of a plan out")
    args = parser.parse_args(argv)
    steps = Steps()
    try:
        with steps.step("the lab and its images"):
            rig.build()
            rig.start()
            rig.images()
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(_RUN_SECONDS)
        if not args.no_plan:
            with steps.step("plan time: python -m planning plan --stack prod"):
                output([sys.executable, "-m", "planning", "plan", "--stack", "prod"])
        found = _measure(steps, args.starts)
    except (OperationError, BrowserError, TimeoutError, OSError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the bench's hubs were taken away", file=sys.stderr)
        return 130
    return 0 if report.met(found) else 1


def _too_late(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"the benchmark was not done after {_RUN_SECONDS} s; the machine is too busy, or a hub hangs")


def _measure(steps: Steps, rounds: int) -> dict[str, float]:
    people = hubs.people(_AT_ONCE + 1)
    running: list[hubs.RunningHub] = []
    with steps.step("what an earlier run left"):
        _away()
    try:
        with steps.step("a directory of its own"):
            people_of = hubs.directory_up(people)
        with steps.step("up to a usable hub: bare"):
            running.append(hubs.bare_up())
        with steps.step("up to a usable hub: elab"):
            running.append(hubs.elab_up(people_of))
        with steps.step("both settle"):
            # The second one's programs have only just been started, and take processors from the first people.
            time.sleep(_SETTLE_SECONDS)
        before = {hub.name: usage.platform(hub.hub_namespace) for hub in running}
        with steps.step(f"{rounds} starts of each, turn about ({usage.load()})"):
            starts = _turn_about(running, people[0], rounds)
        print(f"\nlogin to a notebook API that answers, seconds\n{report.starts_table(starts)}")
        print(f"\nwhere they go\n{report.parts_table(starts)}\n")
        with steps.step(f"{_AT_ONCE} people at once, each for the first time ({usage.load()})"):
            storms = {hub.name: storm(hub, people[1:]) for hub in running}
        print(f"\n{_AT_ONCE} at once, seconds\n{report.starts_table(storms)}\n")
        for hub in running:
            print(report.usage_table(before[hub.name], usage.platform(hub.hub_namespace), hub.name))
        print(f"\n{metrics.table()}")
    finally:
        signal.alarm(0)
        with steps.step("taking both away"):
            for hub in running:
                hub.watch.stop()
            _away()
    found = report.ratios(starts, storms)
    print(f"\nelab by bare ({usage.load()}, {time.strftime('%Y-%m-%d %H:%M')})\n{report.goals_table(found)}")
    return found


def _turn_about(running: Sequence[hubs.RunningHub], person: hubs.Person, rounds: int) -> dict[str, list[Start]]:
    starts: dict[str, list[Start]] = {hub.name: [] for hub in running}
    deadline = time.monotonic() + _STARTS_SECONDS
    for number in range(rounds):
        if time.monotonic() > deadline:
            break
        order = running if number % 2 else list(reversed(running))
        for hub in order:
            starts[hub.name].append(start(hub, person))
    return starts


def _away() -> None:
    hubs.bare_down()
    hubs.elab_down()
    hubs.directory_down()


if __name__ == "__main__":
    sys.exit(main())
