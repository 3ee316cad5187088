"""The event loop and the waiting that a recording needs of Pulumi's runtime, at a fraction of their cost.

The runtime is made for an engine that answers after seconds, over a network. The recorder answers at once, so most of
the time went into hand-overs between threads, into looking again and again through all that still waits (which grows
with the square of the program), and into notes of where in the source a resource was made, which nobody reads here.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import Any

from pulumi.runtime.settings import SETTINGS


class RecordingLoop(asyncio.SelectorEventLoop):
    """An event loop that calls what is meant for its default executor at once, in the loop's own thread.

    So requests reach the monitor one after the other, in one order at every run.
    """

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., Any], *args: object
    ) -> asyncio.Future[Any]:
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        answer = self.create_future()
        try:
            answer.set_result(func(*args))
        except Exception as error:
            answer.set_exception(error)
        return answer


async def settled() -> None:
    """Waits until every output has its value, or one fails: what fails is left to Pulumi, which raises it."""
    while not any(_failed(output) for output in SETTINGS.outputs):
        waiting = [output for output in SETTINGS.outputs if not output.done()]
        if not waiting:
            return
        await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)


def end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Ends what an error has left waiting: collected later, without its loop, it would complain of that to anybody."""
    while left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        # Every task that waited for one which wanted to exit wants to exit, too, and that ends a loop each time.
        with suppress(SystemExit):
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def _failed(output: asyncio.Future[Any]) -> bool:
    return output.done() and (output.cancelled() or output.exception() is not None)


@contextmanager
def without_source_positions() -> Generator[None]:
    """Has Pulumi look at no more than its own innermost frame when it notes a resource's callers."""
    before: int | None = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 1
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before


@contextmanager
def without_garbage_collection() -> Generator[None]:
    """Leaves cycles to later: a run makes a great many objects that all stay to its end."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
