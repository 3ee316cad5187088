"""Others' definitions: pinned by version and sum, and told of where they are missing."""

import json
from pathlib import Path

import pytest

from lab.labkit import definitions, prerequisites, settings

MODULE = {"Path": "example.org/kinds", "Version": "v1.2.3", "Sum": "h1:abc="}


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of one definition, whose module a Go that only says so has unpacked."""
    module, source = tmp_path / "module", tmp_path / "crds/only"
    module.mkdir()
    source.mkdir(parents=True)
    (module / "kinds.yaml").write_text("kind: CustomResourceDefinition\n")
    (source / "go.mod").write_text("module test\n")
    (source / "go.sum").write_text("example.org/kinds v1.2.3 h1:abc=\n")
    (source / "definitions.txt").write_text("example.org/kinds kinds.yaml\n")
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps({**MODULE, 'Dir': str(module)}, indent=1)}\nEND\n")
    go.chmod(0o755)
    monkeypatch.setattr(prerequisites, "go", lambda: str(go))
    monkeypatch.setattr(definitions, "SOURCE", source.parent)
    monkeypatch.setattr(settings, "HOME", tmp_path / "home")
    return source


@pytest.mark.usefixtures("pinned")
def test_a_set_is_fetched_once() -> None:
    assert [definitions.fetch(name) for name in (*definitions.sets(), *definitions.sets())] == [True, False]
    assert [file.name for file in definitions.files("only")] == ["kinds.yaml"]


def test_a_set_whose_pins_have_changed_is_stale_until_it_is_fetched_again(pinned: Path) -> None:
    definitions.fetch("only")
    (pinned / "go.mod").write_text("module other\n")
    with pytest.raises(SystemExit, match="lab build --definitions"):
        definitions.files("only")
    assert definitions.fetch("only")
    assert definitions.files("only")


def test_a_module_of_a_sum_that_is_not_pinned_is_refused(pinned: Path) -> None:
    (pinned / "go.sum").write_text("example.org/kinds v1.2.3/go.mod h1:abc=\n")
    with pytest.raises(SystemExit, match=r"has no sum of example.org/kinds v1.2.3"):
        definitions.fetch("only")
    with pytest.raises(SystemExit, match="missing or stale"):
        definitions.files("only")


def test_each_committed_set_names_files_of_modules_that_it_pins() -> None:
    for name in definitions.sets():
        folder = definitions.SOURCE / name
        named = {line.split()[0] for line in (folder / "definitions.txt").read_text().splitlines()}
        required = {line.split()[0] for line in (folder / "go.mod").read_text().splitlines() if line.startswith("\t")}
        assert named == required
