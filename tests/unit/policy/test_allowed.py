"""The allow-lists: read whole, or refused with place and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy.rules.allowed import FILE, read
from stackfile.problems import StackError


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("host_access:", "host_acces:", "policy/allowed.yaml host_acces"),
        ("    why: the one address\n", "", "policy/allowed.yaml public_services.0.why"),
        ("containers: [pause, placeholder]", "containers: pause", "policy/allowed.yaml without_probes.0.containers"),
        ("containers: [pause, placeholder]", "containers: [pause", "policy/allowed.yaml:"),
    ],
)
def test_a_slip_is_told_by_its_place(tmp_path: Path, old: str, new: str, where: str) -> None:
    file = tmp_path / "allowed.yaml"
    text = FILE.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(StackError, match=r"^policy/allowed.yaml has ") as refused:
        read(file)
    assert any(problem.where.startswith(where) for problem in refused.value.problems)


@pytest.mark.parametrize("text", ["", "- a", "host_access"])
def test_a_file_of_another_shape_is_one_clear_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "allowed.yaml"
    file.write_text(text)
    with pytest.raises(StackError) as refused:
        read(file)
    (problem,) = refused.value.problems
    assert problem.where == "policy/allowed.yaml"
