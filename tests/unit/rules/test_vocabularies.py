"""The files that say what each scrape job yields are whole, and there is one for every job that rules may rely on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring.jobs import JOBS
from planning.scraped import VOCABULARY

FILES = sorted(VOCABULARY.glob("*.yaml"))
OPEN = {"pods", "services"}
"""Jobs whose targets are whatever the institution annotates: nothing may rely on what they yield."""
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


def _parts(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [*([document["recorded"]] if "recorded" in document else []), *document.get("listed", [])]


def test_every_scrape_job_has_a_vocabulary() -> None:
    assert {path.stem for path in FILES} == {job.name for job in JOBS} - OPEN


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_vocabulary_says_where_it_comes_from_and_what_each_metric_is(path: Path) -> None:
    document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    assert document.keys() <= {"recorded", "listed"}
    for part in _parts(document):
        assert part["source"].strip()
        assert part["metrics"]
        for name, metric in part["metrics"].items():
            assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name)
            assert metric.keys() <= {"type", "labels", "allowlist"}, name
            assert metric["type"] in TYPES, name
            assert not {"le", "quantile"} & set(metric["labels"]), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_listed_that_was_recorded(path: Path) -> None:
    document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    names = [name for part in _parts(document) for name in part["metrics"]]
    assert len(names) == len(set(names))
