"""Runs a Pulumi program with no engine, CLI, provider or network, and returns all that it registered."""

from __future__ import annotations

import asyncio
import contextvars
import os
import runpy
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pulumi.runtime import mocks, reset_options
from pulumi.runtime.config import set_all_config
from pulumi.runtime.settings import configure
from pulumi.runtime.stack import run_in_stack

from .loop import RecordingLoop, end_tasks, settled, without_garbage_collection, without_source_positions
from .monitor import RecordingEngine, RecordingMonitor
from .recording import STACK_TYPE, Recording

Program = Callable[[], None] | Path


def record(
    program: Program,
    *,
    project: str = "elab",
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    secret_keys: frozenset[str] = frozenset(),
    preview: bool = False,
    references: Mapping[str, Mapping[str, Any]] = {},
) -> Recording:
    """Runs a callable, or a `__main__.py`, as the language host would, and returns what it registered.

    `config` holds what the CLI would hand over: full keys (`elab:hub`) and strings. With `preview` outputs that only an
    `up` can know stay unknown. `references` holds the outputs of other stacks that StackReference may ask for. Whatever
    the program raises is raised here; nothing leaks from one run into the next.
    """

    def run() -> Recording:
        monitor = RecordingMonitor(project=project, stack=stack, preview=preview, references=references)
        return _record(program, monitor, project, stack, dict(config or {}), secret_keys, preview)

    # In a thread, since the caller may run an event loop in its own.
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: context.run(run)).result()


def _record(
    program: Program,
    monitor: RecordingMonitor,
    project: str,
    stack: str,
    config: dict[str, str],
    secret_keys: frozenset[str],
    preview: bool,
) -> Recording:
    engine = RecordingEngine()
    monitor.secrets.update(config[key] for key in secret_keys & config.keys())
    reset_options(project=project, stack=stack, preview=preview)
    configure(
        mocks.MockSettings(
            monitor=monitor, engine=engine, project=project, stack=stack, dry_run=preview, organization="organization"
        )
    )
    set_all_config(config, sorted(secret_keys))
    with _own_loop() as loop, _loud_outputs(), without_source_positions(), without_garbage_collection():
        loop.run_until_complete(run_in_stack(lambda: _start(program)))
    stack_urn = monitor.make_urn("", STACK_TYPE, f"{project}-{stack}")
    return Recording(
        project=project,
        stack=stack,
        resources=tuple(monitor.recorded.values()),
        registered_outputs={urn: value for urn, value in monitor.registered_outputs.items() if urn != stack_urn},
        outputs=monitor.registered_outputs.get(stack_urn, {}),
        secret_outputs=monitor.secret_outputs.get(stack_urn, frozenset()),
        secrets=frozenset(text for text in monitor.secrets if text),
        messages=tuple(engine.messages),
    )


async def _start(program: Program) -> None:
    if isinstance(program, Path):
        runpy.run_path(str(program), run_name="__main__")
    else:
        program()
    await settled()


@contextmanager
def _own_loop() -> Generator[asyncio.AbstractEventLoop]:
    try:
        before = asyncio.get_event_loop()
    except RuntimeError:
        before = None
    loop = RecordingLoop()
    asyncio.set_event_loop(loop)
    # What failed is raised by the run itself; every resource that waited for it fails too, which is not news.
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        yield loop
    except BaseException:
        end_tasks(loop)
        raise
    finally:
        loop.close()
        asyncio.set_event_loop(before)


@contextmanager
def _loud_outputs() -> Generator[None]:
    """Makes `f"{output}"` an error instead of a warning text that would be deployed."""
    before = os.environ.get("PULUMI_ERROR_OUTPUT_STRING")
    os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PULUMI_ERROR_OUTPUT_STRING"]
        else:
            os.environ["PULUMI_ERROR_OUTPUT_STRING"] = before
