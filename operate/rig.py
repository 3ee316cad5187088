"""The lab as `make up` uses it: its cluster, its images, and its Pulumi engine."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from operate.steps import OperationError, output, run

ROOT = Path(__file__).resolve().parent.parent
LAB = (sys.executable, ROOT / "lab/lab")
"""By this Python, which has pip: the machine's may have none, or be too old."""
HOME = Path(os.environ.get("LAB_HOME") or Path.home() / ".cache/k8s-lab").resolve()

IMAGES = {
    "base": (),
    "ldap": (),
    "hub": ("quay.io/jupyterhub/k8s-hub:4.4.0",),
    "proxy": ("quay.io/jupyterhub/configurable-http-proxy:5.2.0",),
    "kube-scheduler": ("registry.k8s.io/kube-scheduler:v1.34.4",),
    "pause": ("registry.k8s.io/pause:3.10.1",),
    "singleuser": (),
    "prometheus": ("quay.io/prometheus/prometheus:v3.14.0",),
    "alertmanager": ("quay.io/prometheus/alertmanager:v0.34.0",),
    "node-exporter": ("quay.io/prometheus/node-exporter:v1.12.1",),
    "pushgateway": ("quay.io/prometheus/pushgateway:v1.11.3",),
    "kube-state-metrics": ("registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0",),
}
"""The lab's images and the references that the local stack knows them by."""


def build() -> None:
    """Build whatever programs are missing."""
    run([*LAB, "build"])
    run([*LAB, "build", "--engine"])


def start() -> None:
    """Start the cluster; what runs already is left alone."""
    run([*LAB, "up"])


def images() -> None:
    """Build and import what the local stack runs."""
    for name, references in IMAGES.items():
        run([*LAB, "image", name, *(part for reference in references for part in ("--as", reference))])
    run([*LAB, "notebook"])


def kubeconfig() -> str:
    """The path of the administrator's kubeconfig."""
    return output([*LAB, "kubeconfig"]).strip()


def kubectl(*arguments: str, text: str | None = None) -> str:
    """What kubectl prints, as the cluster's administrator."""
    return output([*LAB, "kubectl", *arguments], text=text)


def pulumi(command: str, project: Path, stack: str, *options: str | Path) -> None:
    """Run one of the lab's Pulumi commands, its output shown."""
    run([*LAB, "pulumi", command, "--dir", project, "--stack", stack, "--python", sys.executable, *options])


def pulumi_cli(project: Path, stack: str, arguments: Sequence[str], text: str | None = None) -> str:
    """What the Pulumi CLI itself prints, with the same state and plugins."""
    command = [*LAB, "pulumi", "cli", "--dir", project, "--stack", stack, "--python", sys.executable, "--", *arguments]
    return output(command, text=text)


def pulumi_json(project: Path, stack: str, *arguments: str) -> dict[str, Any]:
    """What a command of the Pulumi CLI that prints JSON says; nothing where it prints nothing.

    Raises:
        OperationError: it printed something else, as it may while another command writes the state.
    """
    text = pulumi_cli(project, stack, [*arguments, "--stack", stack])
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        shown = " ".join(arguments)
        raise OperationError(f"`pulumi {shown}` gave no answer; wait for other commands on {stack} to end") from None
