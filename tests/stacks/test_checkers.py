"""Prometheus and Alertmanager read what each committed stack mounts for them, by their own promtool and amtool."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operate.rig import HOME
from planning.pods import pod_templates
from planning.recording import Recorded
from tests.harness.stacks import STACKS, plan


def _held(stack: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    """What each ConfigMap and Secret holds, by kind and name; values of secrets are the recorder's fakes."""

    def data(resource: Recorded) -> Mapping[str, Any]:
        return {**(resource.inputs.get("data") or {}), **(resource.inputs.get("stringData") or {})}

    return {
        (resource.inputs["kind"], resource.inputs["metadata"]["name"]): data(resource)
        for resource in plan(stack).recording.kubernetes()
        if resource.inputs.get("kind") in ("ConfigMap", "Secret")
    }


def _mounted(stack: str, program: str, folder: Path) -> int:
    """Writes the pod's volume `config` as the kubelet would; how many files it has."""
    held = _held(stack)
    (pod,) = [one for one in pod_templates(plan(stack).manifests) if one.owner.endswith(f"/deployment-{program}")]
    (volume,) = [one for one in pod.spec["volumes"] if one["name"] == "config"]
    files = 0
    for source in volume["projected"]["sources"]:
        ((kind, named),) = source.items()
        content = held[("ConfigMap" if kind == "configMap" else "Secret", named["name"])]
        for item in named["items"]:
            path = folder / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content[item["key"]], encoding="utf-8")
            files += 1
    return files


def _checked(program: str, *arguments: str | Path) -> str:
    """What a checker says; fails where it refuses."""
    path = HOME / "bin" / program
    if not path.exists():
        pytest.skip(f"{path} is not there: lab/lab build --checkers makes it")
    done = subprocess.run([path, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("stack", STACKS)
def test_prometheus_reads_jobs_and_rules(stack: str, tmp_path: Path) -> None:
    assert _mounted(stack, "prometheus", tmp_path) > 15
    # Credentials are mounted elsewhere, so their files are not looked for; then neither are those of the jobs.
    for file in (tmp_path / "prometheus.yml", *sorted((tmp_path / "scrape").iterdir())):
        _checked("promtool", "check", "config", "--syntax-only", file)
    rules = sorted((tmp_path / "rules").iterdir())
    assert _checked("promtool", "check", "rules", *rules).count("rules found") == len(rules)


@pytest.mark.parametrize("stack", STACKS)
def test_alertmanager_reads_receivers_and_routes(stack: str, tmp_path: Path) -> None:
    _mounted(stack, "alertmanager", tmp_path)
    said = _checked("amtool", "check-config", tmp_path / "alertmanager.yml")
    assert "inhibit rules" in said
