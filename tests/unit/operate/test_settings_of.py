"""A faulty stack file stops `make up` before it starts or changes anything."""

from pathlib import Path

import pytest

from operate import rig
from operate.__main__ import main
from tests.faulty.cases import GOOD, write


@pytest.mark.parametrize("stack", ["local", "faulty"])
def test_a_faulty_file_ends_every_up_with_its_message_before_anything_is_started(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(*arguments: object) -> None:
        raise AssertionError("something was started")

    write(tmp_path, GOOD.read_text())
    (tmp_path / f"Pulumi.{stack}.yaml").write_text(GOOD.read_text().replace("timeout: 1h", "timeout: 1:00"))
    monkeypatch.setattr(rig, "ROOT", tmp_path)
    monkeypatch.setattr(rig, "build", start)
    monkeypatch.setattr("subprocess.run", start)
    assert main(["up", "--stack", stack]) == 1
    printed = capsys.readouterr().err
    assert f"Pulumi.{stack}.yaml:65 culling.timeout" in printed
    assert 'quote it: "1:00"' in printed
