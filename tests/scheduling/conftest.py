"""The lab's API server, and elab's packing scheduler as a process beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.hub.scheduler import configuration
from components.namespaces import NamespaceNames
from operate import rig
from tests.e2e.cluster import kubectl

INSTANCE = NAMESPACE = "e2e-scheduling"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run by `make e2e`: they need the lab."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def namespace() -> Iterator[str]:
    """Where the pods are; without quota, so that only nodes decide."""
    rig.start()
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", seconds=90)
    kubectl("create", "namespace", NAMESPACE)
    yield NAMESPACE
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="session")
def packing(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The lab's own kube-scheduler with elab's configuration, as the user scheduler's pods run it."""
    folder = tmp_path_factory.mktemp("scheduler")
    config = yaml.safe_load(configuration(NamespaceNames(instance=INSTANCE)))
    # One process, and the administrator's rights: what the rights of the real one are is tested elsewhere.
    config["leaderElection"] = {"leaderElect": False}
    config["clientConnection"] = {"kubeconfig": rig.kubeconfig()}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [rig.HOME / "bin/kube-scheduler", f"--config={folder / 'config.yaml'}", "--secure-port=0"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        yield
        process.terminate()
        process.wait(30)
