"""`--policy-pack policy` by the real engine: the program's own stack, on a cluster that is empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from lab.labkit import settings as lab
from lab.plugins.tests.calls import Lab
from tests.cli.cluster import EmptyCluster, empty_cluster
from tests.cli.language_host import install
from tests.faulty.cases import GOOD, ROOT, STACK, write

pytestmark = pytest.mark.e2e

CIPHERTEXT = "v1:AAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA"
PROD = "elab:environment: prod"
LIMIT = "memory: {request: 1Gi, limit: 2Gi}"
TOO_FAR = "memory: {request: 1Gi, limit: 8Gi}"
PRICELESS = "allocatable: {cpu: 15500m, memory: 60Gi}", "allocatable: {cpu: 63500m, memory: 250Gi}"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project directory beside the repository, whose program is the repository's, and a lab of its own."""

    lab: Lab
    folder: Path
    cluster: EmptyCluster

    def make(self) -> None:
        """Make the stack with its one secret."""
        self._write(f"config: {{elab:instance: {STACK}}}\n")
        for command in (("stack", "init", STACK), ("config", "set", "--secret", "elab:ldap_bind_password", "a-test")):
            done = self._run("cli", "--", *command)
            assert done.returncode == 0, done.stdout + done.stderr

    def does(self, verb: str, changes: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run `lab pulumi` with the pack, on the good stack file with these changes."""
        kept = yaml.safe_load((self.folder / f"Pulumi.{STACK}.yaml").read_text())
        text = GOOD.read_text().replace(CIPHERTEXT, kept["config"]["elab:ldap_bind_password"]["secure"])
        for old, new in {
            "context: prod": f"context: prod\n    kubeconfig: {self.cluster.kubeconfig}",
            **changes,
        }.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self._write(f"{text}encryptionsalt: {kept['encryptionsalt']}\n")
        return self._run(verb, "--policy-pack", str(ROOT / "policy"))

    def _write(self, text: str) -> None:
        write(self.folder, text)
        with (self.folder / "Pulumi.yaml").open("a") as file:
            file.write(f"main: {ROOT}\n")

    def _run(self, verb: str, *rest: str) -> subprocess.CompletedProcess[str]:
        where = ("--dir", self.folder, "--stack", STACK, "--python", sys.executable, "--plugins", "stand-in")
        return self.lab.run("pulumi", verb, *where, *rest)

    def state(self) -> list[str]:
        """The types of all that the stack holds."""
        return [one["type"] for one in json.loads(self._run("export").stdout)["deployment"].get("resources", ())]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generator[Project]:
    home = tmp_path_factory.mktemp("policies")
    (home / "lab").mkdir()
    (home / "lab/bin").symlink_to(lab.BIN)
    (home / "project").mkdir()
    with empty_cluster(home, "prod") as cluster:
        made = Project(lab=Lab(home=home / "lab"), folder=home / "project", cluster=cluster)
        made.make()
        yield made


def test_a_stack_that_breaks_no_rule_passes_and_the_pack_is_told_to_have_run(project: Project) -> None:
    done = project.does("preview", {})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✅ elab@v1.0.0" in done.stdout
    # Not even "can't run policy … during preview": what is not known yet hides nothing of what is.
    assert "[advisory]" not in done.stdout
    assert "[mandatory]" not in done.stdout
    assert "kubernetes:apps/v1:Deployment hub-hub-deployment create" in done.stdout


def test_a_pod_that_the_hub_would_make_is_refused_with_place_reason_and_fix(project: Project) -> None:
    done = project.does("preview", {LIMIT: TOO_FAR})
    assert done.returncode != 0
    assert "❌ elab@v1.0.0" in done.stdout
    assert f"[mandatory]  memory-ratio  (pulumi:pulumi:Stack: elab-{STACK})" in done.stdout
    assert "elab-users/pod-a-person-with-small-and-default: container notebook may use 8Gi of memory" in done.stdout
    assert "Memory can't be taken back" in done.stdout
    assert "Fix: Raise the request or lower the limit" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_rule_over_the_whole_stack_stops_an_up_before_anything_is_made(project: Project) -> None:
    prices = {words: f"{words}\n      price_per_hour: 1" for words in PRICELESS}
    done = project.does("up", {**prices, "elab:network:": "elab:policies: {monthly_cost: 100}\n  elab:network:"})
    assert done.returncode != 0
    assert "[mandatory]  cost-ceiling" in done.stdout
    assert "all pools at their largest cost 4380 a month, above 100" in done.stdout
    assert project.cluster.written == []
    assert project.state() == []


def test_the_same_rule_is_advice_in_dev_which_a_language_host_s_pack_is_told_by_a_call(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = project.does("preview", {PROD: "elab:environment: dev", LIMIT: TOO_FAR})
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"using pulumi-language-python from $PATH at {tmp_path}" in done.stdout
    assert "pulumi-analyzer-policy-python" not in done.stdout
    assert f"[advisory]  memory-ratio  (pulumi:pulumi:Stack: elab-{STACK})" in done.stdout
    assert "[mandatory]" not in done.stdout


def test_a_slip_in_the_stack_file_is_told_by_the_pack_in_words(project: Project) -> None:
    done = project.does("preview", {PROD: "elab:environment: production"})
    assert done.returncode != 0
    assert "policy pack elab: the stack's configuration has 1 problem" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
