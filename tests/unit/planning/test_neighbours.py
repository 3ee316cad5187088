"""Two elabs of one cluster can't have one name, or one port of every node: the stack files beside each other tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from planning import neighbours
from planning.plan import subject
from tests.faulty.cases import GOOD, STACK, write

PORT = "    node_exporter: {port: 9101}\n"
TEXT = GOOD.read_text()
OTHER = TEXT.replace("elab:instance: elab\n", "elab:instance: other\n")


def found(folder: Path, other: str) -> list[str]:
    write(folder, TEXT)
    (folder / "Pulumi.other.yaml").write_text(other)
    subject_ = subject(folder, STACK)
    return [
        f"{one.level}: {one.where}: {one.what}" for one in neighbours.findings(folder, subject_.file, subject_.settings)
    ]


def test_a_port_that_another_stack_of_the_cluster_takes_is_an_error(tmp_path: Path) -> None:
    (told,) = found(tmp_path, OTHER)
    assert told.startswith("error: monitoring.node_exporter.port: found 9100, which stack other takes too")


def test_a_copy_that_is_still_called_as_the_first_is_told_so_whatever_its_port(tmp_path: Path) -> None:
    (told,) = found(tmp_path, TEXT.replace("    retention: 30d\n", "    enabled: false\n"))
    assert told.startswith("error: instance: found elab, which stack other is called in the same cluster")


@pytest.mark.parametrize(
    "other",
    [
        OTHER.replace("    retention: 30d\n", f"    retention: 30d\n{PORT}"),
        OTHER.replace("    context: prod\n    identifier: prod\n", "    context: else\n    identifier: else\n"),
        OTHER.replace("    retention: 30d\n", "    enabled: false\n"),
        OTHER.replace("    retention: 30d\n", "    node_exporter: 9100\n"),
        "config: [",
    ],
    ids=["another-port", "another-cluster", "no-monitoring", "no-section", "unreadable"],
)
def test_nothing_is_said_where_they_do_not_meet(other: str, tmp_path: Path) -> None:
    assert found(tmp_path, other) == []


def test_a_cluster_is_the_same_by_its_identifier_whatever_a_kubeconfig_calls_it(tmp_path: Path) -> None:
    assert len(found(tmp_path, OTHER.replace("    context: prod\n", "    context: admin@prod\n"))) == 1
