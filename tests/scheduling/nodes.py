"""Nodes that are only objects: no kubelet, so that pods are placed on them and never run."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from clouds.pools import NodePool
from tests.e2e.cluster import found, kubectl, try_kubectl, until

LABEL = "elab.dev/fake"
_BEAT_SECONDS = 10
"""The node controller gives a node up after 40 s of silence."""


def _names(pool: NodePool) -> list[str]:
    return [f"fake-{pool.name}-{index}" for index in range(pool.nodes.min)]


def _node(name: str, pool: NodePool) -> dict[str, object]:
    taints = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in pool.taints]
    labels = {LABEL: "true", "kubernetes.io/hostname": name, **pool.selector}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints},
    }


def _alive(name: str, pool: NodePool) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    has = {
        "cpu": str(pool.allocatable.cpu),
        "memory": str(pool.allocatable.memory),
        "pods": str(pool.allocatable.pods),
    }
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
    status = {"capacity": has, "allocatable": has, "conditions": [ready]}
    patch = json.dumps({"status": status})
    # It may be taken away just now.
    try_kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", patch)


@contextmanager
def nodes(pools: Sequence[NodePool]) -> Generator[None]:
    """Each pool's smallest number of nodes, ready, until the end."""
    every = [(name, pool) for pool in pools for name in _names(pool)]
    remove()
    items = [_node(name, pool) for name, pool in every]
    kubectl("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    done = threading.Event()

    def beat() -> None:
        while True:
            for name, pool in every:
                _alive(name, pool)
            if done.wait(_BEAT_SECONDS):
                return

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        until("nodes without the taints of a new one", lambda: not _new(), 60)
        yield
    finally:
        done.set()
        heart.join()
        remove()


def _new() -> list[str]:
    return [
        node["metadata"]["name"]
        for node in found("nodes", None, "-l", LABEL)
        if any(taint["key"].startswith("node.kubernetes.io/") for taint in node["spec"].get("taints", []))
    ]


def remove() -> None:
    """Takes the nodes away, with whatever DaemonSets put on them."""
    kubectl("delete", "nodes", "-l", LABEL, "--ignore-not-found", "--wait=false")
