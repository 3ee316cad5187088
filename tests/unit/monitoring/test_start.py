"""`start.sh`, run by a real shell: no bad configuration ends a program, and a mended one is read without a restart."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.monitoring.documents import FILES

PATIENCE = 3
PROGRAM = """
trap 'echo told "$(cat "$1")" >> "$2"' HUP
echo began "$(cat "$1")" >> "$2"
while :; do sleep 0.05; done
"""
CHECK = """
grep -q good "$1"
"""


class Pod:
    """A pod's volumes: a mounted folder that changes as the kubelet changes it, and the program's own disk."""

    def __init__(self, folder: Path) -> None:
        self.mounted, self.disk, self.said = folder / "mounted", folder / "disk", folder / "said"
        self.mounted.mkdir()
        self.disk.mkdir()
        self._versions = 0
        self._programs = folder / "programs"
        self._programs.mkdir()
        for name, text in (("program", PROGRAM), ("check", CHECK)):
            (folder / name).write_text(text)
        # Looked at once a second, so that a test need not wait for five.
        text = (FILES / "start.sh").read_text()
        assert "every=5\n" in text
        self.script = folder / "start.sh"
        self.script.write_text(text.replace("every=5\n", "every=1\n"))

    def mount(self, text: str) -> None:
        """A whole new folder behind the link `..data`, as the kubelet does it."""
        self._versions += 1
        folder = self.mounted / f"..version-{self._versions}"
        (folder / "rules").mkdir(parents=True)
        (folder / "config.yml").write_text(text)
        (folder / "rules" / "some.yaml").write_text("rules")
        link = self.mounted / "..new"
        link.symlink_to(folder.name)
        link.rename(self.mounted / "..data")
        if not (self.mounted / "config.yml").exists():
            (self.mounted / "config.yml").symlink_to("..data/config.yml")
            (self.mounted / "rules").symlink_to("..data/rules")

    def fill_disk(self) -> None:
        """From here on nothing can be copied."""
        (self._programs / "cp").write_text("#!/bin/sh\nexit 1\n")
        (self._programs / "cp").chmod(0o755)

    @contextmanager
    def started(self) -> Generator[None]:
        """The program, started and at the end killed as a node that fails kills it."""
        folder = self.script.parent
        check = f"sh {folder / 'check'}"
        options = [self.mounted, self.disk, "config.yml", str(PATIENCE), check, "--"]
        command = ["sh", self.script, *options, "sh", folder / "program", self.disk / "config/config.yml", self.said]
        environment = {"PATH": f"{self._programs}:{os.environ['PATH']}"}
        running = subprocess.Popen(
            command, start_new_session=True, stderr=subprocess.DEVNULL, env=environment, preexec_fn=_as_in_a_pod
        )
        try:
            yield
            assert running.poll() is None, "the program ended"
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()

    def says(self) -> list[str]:
        """What the program has read, and when: at its start, or when it was told."""
        return self.said.read_text().splitlines() if self.said.exists() else []

    def wait(self, until: Callable[[], bool], seconds: float = 10) -> None:
        """Waits until something holds."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, self.says()
            time.sleep(0.05)


def _as_in_a_pod() -> None:
    """Under nohup SIGHUP is ignored, and a shell can't trap what was ignored when it began."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


def test_it_starts_with_what_is_mounted_and_reads_a_changed_one_without_a_restart(pod: Pod) -> None:
    pod.mount("good 1")
    with pod.started():
        pod.wait(lambda: pod.says() == ["began good 1"])
        pod.mount("good 2")
        pod.wait(lambda: pod.says() == ["began good 1", "told good 2"])


def test_a_start_with_a_bad_configuration_takes_the_last_good_one_whole(pod: Pod) -> None:
    pod.mount("good 1")
    with pod.started():
        pod.wait(lambda: pod.says() == ["began good 1"])
    pod.mount("bad 2")
    with pod.started():
        pod.wait(lambda: pod.says()[1:] == ["began good 1"])
        assert (pod.disk / "config/rules/some.yaml").read_text() == "rules"


def test_what_is_mended_after_such_a_start_is_read_at_once(pod: Pod) -> None:
    pod.mount("good 1")
    with pod.started():
        pod.wait(lambda: pod.says() == ["began good 1"])
    pod.mount("bad 2")
    with pod.started():
        pod.wait(lambda: pod.says()[1:] == ["began good 1"])
        pod.mount("good 3")
        pod.wait(lambda: pod.says()[2:] == ["told good 3"], PATIENCE)


def test_a_bad_one_is_shown_once_the_program_runs_so_that_its_own_metrics_tell_of_it(pod: Pod) -> None:
    pod.mount("good 1")
    with pod.started():
        pod.wait(lambda: pod.says() == ["began good 1"])
        pod.mount("bad 2")
        time.sleep(1.5)
        assert pod.says() == ["began good 1"], "it may not have read any yet, and would end over this one"
        pod.wait(lambda: pod.says()[1:] == ["told bad 2"])
    with pod.started():
        pod.wait(lambda: pod.says()[2:] == ["began good 1"])


def test_a_program_that_never_had_a_good_one_says_itself_what_is_wrong(pod: Pod) -> None:
    pod.mount("bad 1")
    with pod.started():
        pod.wait(lambda: pod.says() == ["began bad 1"])


def test_a_kill_between_two_steps_of_keeping_a_copy_leaves_one_to_start_with(pod: Pod) -> None:
    pod.mount("good 1")
    with pod.started():
        pod.wait(lambda: pod.says() == ["began good 1"])
    shutil.copytree(pod.disk / "good", pod.disk / "good.new")
    (pod.disk / "good.new/config.yml").write_text("half")
    with pod.started():
        pod.wait(lambda: pod.says()[1:] == ["began good 1"])


def test_a_full_disk_keeps_no_copy_but_neither_ends_the_program_nor_the_watch(pod: Pod) -> None:
    pod.mount("good 1")
    with pod.started():
        pod.wait(lambda: pod.says() == ["began good 1"])
    pod.fill_disk()
    pod.mount("good 2")
    with pod.started():
        pod.wait(lambda: pod.says()[1:] == ["began good 2"])
        for number in (3, 4):
            pod.mount(f"good {number}")
            pod.wait(lambda: pod.says()[-1] == f"told good {number}")  # noqa: B023  it is called at once
        assert (pod.disk / "good/config.yml").read_text() == "good 1"
