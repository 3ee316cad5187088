"""A server extension that counts work as activity, so that a server which computes without a browser is not stopped.

Jupyter itself counts requests, and messages of kernels and terminals. This adds what makes no sound:

* a kernel that is busy;
* a process with a controlling terminal (a job that somebody started in one, in the background too), unless it is
  stopped, or waits for its person by its nature: a shell, a multiplexer, an editor, a pager, an interpreter's prompt;
  or for such a one that it started itself, as `git log` waits for its pager;
* any other process (RStudio's R, a job that outlived its terminal, what is computed at a prompt) that used more than a
  twentieth of a core since the last look. An idle R or Java machine stays far below.

It reads /proc and needs nothing but what every Jupyter image has, from Python 3.8 on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from elab_kernels import Watch
from tornado.ioloop import IOLoop, PeriodicCallback

WORKING_SHARE = 0.05
"""Of one core."""
WAITING = {
    *("bash", "sh", "dash", "zsh", "fish", "ksh", "csh", "tcsh"),
    *("tmux", "tmux: client", "tmux: server", "screen", "SCREEN"),
    *(
        "less",
        "more",
        "most",
        "man",
        "info",
        "vi",
        "vim",
        "vim.basic",
        "vim.tiny",
        "nvim",
        "nano",
        "emacs",
        "joe",
        "mc",
    ),
    *("top", "htop", "btop", "nvtop", "nvitop", "watch"),
}
"""Programs that do nothing of themselves: what they run counts, as a process of its own."""
INTERPRETERS = ("python", "ipython", "R", "julia", "node")
"""Programs that show a prompt where no argument says what to run; names may end in a version."""
CLIENTS = ("sqlite3", "psql", "mysql", "mariadb")
"""Programs that show a prompt whatever database they are given."""
RUN = ("-c", "-m", "-e", "-f", "--command", "--execute", "--file", "--eval")
"""How the options of either begin that say what to run."""
WITH_VALUE = {"-X", "-W", "-t", "-p", "-J", "-H", "-r", "--threads", "--profile", "--project", "--encoding"}
"""Options of interpreters whose value is the next argument."""
TICK = 1 / os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """What /proc tells about a process."""

    pid: int
    parent: int
    name: str
    state: str
    """R, S, D: alive; T, t: stopped; Z, X: ended."""
    terminal: bool
    foreground: bool
    """Whether it is among those that its terminal is for at the moment."""
    started: int
    """Ticks since the machine's start; tells a process from an earlier one of its number."""
    seconds: float
    """Processor time, that of its ended children included."""
    prompt: bool = False
    """Whether it is an interpreter that waits for a person to type."""


def processes(proc: Path = Path("/proc")) -> Iterator[Process]:
    """All processes of the container."""
    for folder in proc.iterdir():
        if folder.name.isdigit():
            try:
                process = parse(folder.joinpath("stat").read_text(errors="replace"))
                if process.terminal and kind_of(process.name) in (*INTERPRETERS, *CLIENTS):
                    line = folder.joinpath("cmdline").read_text(errors="replace")
                    # What a file or another program is read from, as in `python < job.py`, is no person.
                    typed = os.readlink(folder / "fd/0").startswith(("/dev/pts/", "/dev/tty"))  # noqa: PTH115
                    process = process._replace(prompt=typed and is_prompt(process.name, line.split("\0")[:-1]))
                yield process
            except (OSError, ValueError, IndexError):
                continue


def parse(stat: str) -> Process:
    """One line of /proc/<pid>/stat (proc(5)); the name, in parentheses, may hold anything."""
    pid, _, rest = stat.partition(" (")
    name, _, tail = rest.rpartition(") ")
    fields = tail.split()
    return Process(
        pid=int(pid),
        parent=int(fields[1]),
        name=name,
        state=fields[0],
        terminal=int(fields[4]) != 0,
        foreground=fields[2] == fields[5],
        started=int(fields[19]),
        seconds=sum(int(field) for field in fields[11:15]) * TICK,
    )


def kind_of(name: str) -> str:
    """A program's name without its version; sqlite3's digit is no version."""
    return name if name in CLIENTS else name.rstrip("0123456789.")


def is_prompt(name: str, command: list[str]) -> bool:
    """Whether an interpreter or client was told nothing to run: neither a file, nor a text or module by an option."""
    # A script's own interpreter comes before it: /opt/conda/bin/python /opt/conda/bin/ipython.
    own = [index for index, part in enumerate(command) if os.path.basename(part) == name]  # noqa: PTH119
    told = command[own[-1] + 1 :] if own else command[1:]
    if any(part.startswith(RUN) for part in told):
        return False
    values = {index + 1 for index, part in enumerate(told) if part in WITH_VALUE}
    return name in CLIENTS or all(part.startswith("-") or index in values for index, part in enumerate(told))


class Work:
    """Finds out whether anything in the container works."""

    def __init__(self, own: int) -> None:
        """`own` is the server's process number."""
        self.own = own
        self.looked = time.monotonic()
        self.before: dict[tuple[int, int], float] = {}

    def going_on(self, found: Iterator[Process], now: float) -> bool:
        """Whether a process is at work, or was since the last look."""
        span = max(now - self.looked, TICK)
        seconds = {}
        working = False
        alive = [process for process in found if process.state not in "ZXTt"]
        waiting = {process.pid for process in alive if process.name in WAITING or process.prompt}
        waiting |= {process.parent for process in alive if process.pid in waiting and process.foreground}
        for process in alive:
            if process.pid == self.own:
                continue
            key = (process.pid, process.started)
            seconds[key] = process.seconds
            used = process.seconds - self.before.get(key, process.seconds)
            job = process.terminal and process.pid not in waiting
            working = working or job or used > WORKING_SHARE * span
        self.before, self.looked = seconds, now
        return working


def end(now: float) -> dict[str, str]:
    """When the server reaches its maximum age and when to say so, for the page (labextensions/elab-notice)."""
    age, warning = float(os.environ.get("ELAB_MAX_AGE", "0")), float(os.environ.get("ELAB_WARNING", "0"))
    if not age:
        return {}
    return {"elabEndsAt": str(int(1000 * (now + age))), "elabWarnsAt": str(int(1000 * (now + age - warning)))}


def _load_jupyter_server_extension(app: Any) -> None:  # noqa: ANN401
    """Look from time to time, at least twice between two reports to the hub."""
    settings = app.web_app.settings
    settings.setdefault("page_config_data", {}).update(end(time.time()))
    work, kernels = Work(os.getpid()), Watch(settings["kernel_manager"])

    def look() -> None:
        kernels.follow()
        going_on = work.going_on(processes(), time.monotonic())
        if going_on or kernels.busy():
            settings.setdefault("last_activity_times", {})["elab"] = datetime.now(timezone.utc)  # noqa: UP017 (Python 3.8)

    interval = float(os.environ.get("JUPYTERHUB_ACTIVITY_INTERVAL", "300"))
    callback = PeriodicCallback(look, 1000 * min(30.0, interval / 2))
    IOLoop.current().add_callback(callback.start)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What jupyter_server asks an extension's module."""
    return [{"module": "elab_activity"}]
