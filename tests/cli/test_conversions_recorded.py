"""Whether the record of the CLI's readings still is what the CLI on this machine does."""

import json
from pathlib import Path

import pytest

from tests.cli.conversions import RECORD, record

pytestmark = pytest.mark.e2e


def test_the_record_is_what_the_real_cli_does(tmp_path: Path) -> None:
    """Takes about 50 s; after a change that is meant to be, `python -m tests.cli.conversions` records anew."""
    recorded = json.loads(RECORD.read_text())
    found = record(recorded, tmp_path)
    for kind in ("scalars", "files"):
        differing = [(new, old) for new, old in zip(found[kind], recorded[kind], strict=True) if new != old]
        assert not differing, f"Pulumi {found['cli']} reads these otherwise than {recorded['cli']}"
