"""Two commands that change one lab come one after the other."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

LAB = Path(__file__).parents[1] / "lab"


def test_a_second_command_says_that_it_waits_and_goes_on_after_the_first(tmp_path: Path) -> None:
    environment = {**os.environ, "LAB_HOME": str(tmp_path)}
    with (tmp_path / "lock").open("a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        # Nothing is built for this lab: when its turn has come, this says so and ends.
        with subprocess.Popen(
            [sys.executable, LAB, "up"], env=environment, stderr=subprocess.PIPE, text=True
        ) as second:
            assert second.stderr is not None
            told = second.stderr.readline()
            assert told == f"lab: waiting for another command that changes the lab in {tmp_path}\n"
            fcntl.flock(first, fcntl.LOCK_UN)
            assert "lab build" in second.communicate(timeout=20)[1]
