"""A day from a file: what is read, and what is told of a file that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from planning.simulation.arrivals import Visit, from_csv
from stackfile.problems import StackError


def read(tmp_path: Path, text: str) -> tuple[Visit, ...]:
    file = tmp_path / "day.csv"
    file.write_text(text)
    return from_csv(file, ["small", "large"], "small")


def test_a_file_is_read_in_order_of_time_with_the_default_profile(tmp_path: Path) -> None:
    visits = read(tmp_path, "time,minutes,profile\n10:30,60,large\n09:00,90,\n")
    assert visits == (
        Visit(at=9 * 3600, active=5400, profile="small"),
        Visit(at=37800, active=3600, profile="large"),
    )
    assert read(tmp_path, "minutes,time\n5,00:00\n")[0].profile == "small"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when,minutes\n09:00,5\n", ["day.csv:1", "time,minutes,profile"]),
        ("time,minutes\n", ["nobody"]),
        ("", ["nothing", "time,minutes,profile"]),
        ("time,minutes\n9:00,5\n09:00,0\n", ["day.csv:2 time", '"9:00"', "day.csv:3 minutes"]),
        ("time,minutes\n24:00,5\n", ["day.csv:2 time"]),
        ("time,minutes\n09:00\n", ["day.csv:2 minutes"]),
        (f"time,minutes\n09:00,{'9' * 5000}\n", ["the file of arrivals has 1", "day.csv:2 minutes", "5000 characters"]),
        (f"time,minutes\n09:00,{'9' * 140_000}\n", ["the file of arrivals has 1", "day.csv:2\n", "131072"]),
        (f"{'t' * 140_000}\n09:00,9\n", ["the file of arrivals has 1", "day.csv:1\n", "131072"]),
        ("time,minutes\n09:00,\u0665\n", ["day.csv:2 minutes"]),
        ("time,minutes\n09:00,5,6\n", ["more fields than columns"]),
        ("time,minutes,profile\n09:00,5,huge\n", ['"huge"', "small, large"]),
    ],
)
def test_a_file_that_cant_be_used_is_told_by_line(text: str, expected: list[str], tmp_path: Path) -> None:
    with pytest.raises(StackError) as error:
        read(tmp_path, text)
    for part in expected:
        assert part in str(error.value)


def test_a_file_that_is_not_there_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="correct ARRIVALS"):
        from_csv(tmp_path / "none.csv", ["small"], "small")
