"""What stand-ins for kubectl and pulumi say, and states of stacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Programs = Callable[..., Path]
"""Makes stand-ins the only programs on PATH; returns the file where they note what they were told."""
READY = "echo ok"
CLUSTER = """case "$*" in
*readyz*) echo ok ;;
*persistentvolumes*) echo '{"items": [
  {"metadata": {"name": "theirs"},
   "spec": {"claimRef": {"namespace": "elab-dev-users"}, "persistentVolumeReclaimPolicy": "Retain"}},
  {"metadata": {"name": "foreign"},
   "spec": {"claimRef": {"namespace": "elab-users"}, "persistentVolumeReclaimPolicy": "Retain"}},
  {"metadata": {"name": "unbound"}, "spec": {}}]}' ;;
*) echo namespace/there ;;
esac"""
"""A cluster that answers, with volumes of this instance, of another, and of nobody."""
ENFORCING = """case "$*" in
*"elab-users logs"*) echo '{"reached": [true, LEAK, false, false], "seconds": 0.4}' ;;
*readyz*) echo ok ;;
*exec*) echo '{"reached": [true], "seconds": 0.1}' ;;
*endpointslices*) echo '{"items": []}' ;;
*logs*) echo '{"reached": [true, LEAK, false, false, false], "seconds": 0.4}' ;;
*"get service"*) echo 10.96.0.9 ;;
esac"""
"""A cluster whose policies hold, unless LEAK is true."""
REFUSED = 'echo "connection refused" >&2; exit 1'


def state(*resources: dict[str, Any], pending: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources), "pending_operations": list(pending)}}


def urn(name: str) -> str:
    return f"urn:pulumi:local::elab::elab:hub:Hub$kubernetes:core/v1:PersistentVolumeClaim::{name}"
