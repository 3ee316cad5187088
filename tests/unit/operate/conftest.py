"""Programs that note what they are told, instead of the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.operate.clusters import Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Makes stand-ins the only programs on PATH; returns the file where they note what they were told."""
    folder, told = tmp_path / "bin", tmp_path / "told"
    folder.mkdir()
    told.touch()
    monkeypatch.setenv("PATH", str(folder))

    def make(**scripts: str) -> Path:
        for name, script in scripts.items():
            program = folder / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >> {told}\n{script}\n')
            program.chmod(0o755)
        return told

    return make
