"""The real program over many configurations: every cloud, every kind of entry, and whatever a test changes."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from planning import homes
from planning.manifests import manifests
from planning.pods import PodTemplate, pod_templates
from planning.recorder import record
from planning.recording import Recorded, Recording
from settings import SECRETS, Settings, read
from stack import unfinished_allowed
from tests.harness.shared import shared

PROJECT = Path(__file__).parents[2]
_BASE = Path(__file__).with_name("platform.yaml")

_ADDRESSES: dict[str, Any] = {
    "pod_cidrs": ["10.244.0.0/16", "fd00:244::/48"],
    "service_cidrs": ["10.96.0.0/12", "fd00:96::/108"],
}


_RENTED: dict[str, Any] = {**_ADDRESSES, "api_server": {"cidrs": ["10.20.0.11/32", "fd00:20::11/128"], "port": 6443}}


def _pools(general: str, memory: str, nodes: int = 1) -> list[dict[str, Any]]:
    """The base configuration's pools, of a cloud's own machines."""
    found = copy.deepcopy(_base()["pools"])
    for pool, machine in zip(found, (general, memory), strict=True):
        pool["machine"] = machine
    found[0]["nodes"]["min"] = nodes
    found[1]["allocatable"]["memory"] = "117Gi"
    return found


def _fixed_pools() -> list[dict[str, Any]]:
    """The base configuration's pools where nothing adds nodes."""
    found = copy.deepcopy(_base()["pools"])
    for pool in found:
        pool["nodes"]["min"] = pool["nodes"]["max"]
    return found


@functools.cache
def _base() -> dict[str, Any]:
    return yaml.safe_load(_BASE.read_text(encoding="utf-8"))


CLOUDS: Mapping[str, dict[str, Any]] = {
    "onprem-ceph-csi": {},
    "onprem-rook": {"cloud.ceph": {"kind": "rook", "pool": "replicapool"}},
    "openshift": {
        "cloud": {
            "kind": "openshift",
            **_RENTED,
            "autoscaler": {
                "kind": "machine-sets",
                "cluster_autoscaler": True,
                "from_zero": True,
                "machine_sets": {"general": ["workers-a", "workers-b"], "memory": ["memory-a"]},
            },
        },
        "storage": {"class_name": "ocs-storagecluster-ceph-rbd", "create": False},
        "monitoring": {"verify_kubelets": False, "node_exporter": {"port": 9101}},
    },
    "aws": {
        "cloud": {
            "kind": "aws",
            **_RENTED,
            "autoscaler": {
                "kind": "karpenter",
                "discovery": "elab",
                "node_role": "elab-nodes",
                "ami": "al2023@v20260917",
            },
        },
        "pools": _pools("m6i.2xlarge", "r6i.4xlarge", nodes=0),
    },
    "gcp": {
        "cloud": {"kind": "gcp", **_RENTED, "project": "elab-test", "location": "us-central1", "cluster": "elab"},
        "pools": _pools("n2-standard-8", "n2-highmem-16"),
    },
    "azure": {
        "cloud": {"kind": "azure", **_RENTED, "resource_group": "elab", "cluster": "elab"},
        "pools": _pools("Standard_D8s_v5", "Standard_E16s_v5"),
    },
    "local": {"cloud": {"kind": "local", **_ADDRESSES, "node_cidrs": ["10.20.2.0/24"]}, "pools": _fixed_pools()},
}
"""Every cloud, and every kind of disk that it can have, as a change of the base configuration."""

ENTRIES: Mapping[str, dict[str, Any]] = {
    "ingress": {},
    "gateway": {
        "entry": {
            "kind": "gateway",
            "host": "jupyter.example.org",
            "gateway": "public",
            "gateway_namespace": "gateways",
            "data_plane_namespace": "envoy",
        }
    },
    "route": {
        "entry": {"kind": "route", "host": "jupyter.example.org", "shared_host": True},
    },
    "load_balancer": {
        "entry": {
            "kind": "load_balancer",
            "host": "jupyter.example.org",
            "tls": {"kind": "secret", "name": "jupyter-tls"},
            "allowed_cidrs": ["192.0.2.0/24"],
        }
    },
    "node_port": {"entry": {"kind": "node_port", "host": "jupyter.example.org", "port": 30080}},
}
"""Every kind of door."""

WAYS: Mapping[str, dict[str, Any]] = {
    **CLOUDS,
    **{f"by {name}": changes for name, changes in ENTRIES.items() if name != "ingress"},
}
"""Every cloud behind one kind of door, and every other kind on one cloud: neither changes what the other does."""

BUILT: Mapping[str, Any] = {
    "notebook_image": {
        "kind": "build",
        "repository": "registry.example.org/elab/notebook",
        "tag_prefix": "2025.11",
        "context": "tests/harness/image",
    }
}
"""A stack that builds its notebook image."""

SECRET_VALUES = {key: f"the secret of {key}" for key in SECRETS}

Changes = Mapping[str, Any]


def data(changes: Changes) -> dict[str, Any]:
    """The base configuration with values replaced by dotted path; None removes what stands there."""
    found = copy.deepcopy(_base())
    for path, value in changes.items():
        *parents, last = path.split(".")
        at = found
        for step in parents:
            at = at.setdefault(step, {})
        if value is None:
            del at[last]
        else:
            at[last] = copy.deepcopy(value)
    return found


def settings(changes: Changes = {}) -> Settings:  # noqa: B006  never changed
    """The settings of a configuration."""
    return read(data(changes))


def platform(changes: Changes = {}) -> Recording:  # noqa: B006  never changed
    """What the program registers for a configuration; each is run once for all tests of all workers."""
    return _recorded(json.dumps(changes, sort_keys=True))


def unmonitored(changes: Changes = {}) -> Recording:  # noqa: B006  never changed
    """The same without monitoring, which is half the work: for tests of another room."""
    return platform({"monitoring": {"enabled": False}, **changes})


@functools.cache
def _recorded(changes: str) -> Recording:
    return shared(changes, lambda: _run(json.loads(changes)))


def with_secrets(secrets: Mapping[str, str], changes: Changes = {}) -> Recording:  # noqa: B006  never changed
    """What the program registers where these secrets have values of their own."""
    return _run(changes, {**SECRET_VALUES, **secrets})


def _run(changes: Changes, secrets: Mapping[str, str] = SECRET_VALUES) -> Recording:
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data(changes).items()}
    config = {f"elab:{key}": text for key, text in {**values, **secrets}.items()}
    with unfinished_allowed():
        return record(
            PROJECT / "__main__.py",
            config=config,
            secret_keys=frozenset(f"elab:{key}" for key in SECRETS),
            references=homes.references(config),
        )


def objects(recording: Recording, kind: str) -> dict[str, Mapping[str, Any]]:
    """The objects of a kind, by `namespace/name`, or by name for the whole cluster's."""
    return {_identity(one.inputs): one.inputs for one in recording.kubernetes() if one.inputs["kind"] == kind}


def resource(recording: Recording, kind: str, identity: str) -> Recorded:
    """The registration of one object."""
    (found,) = (
        one for one in recording.kubernetes() if one.inputs["kind"] == kind and _identity(one.inputs) == identity
    )
    return found


def _identity(body: Mapping[str, Any]) -> str:
    metadata = body["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]


def pods(recording: Recording) -> Iterator[PodTemplate]:
    """The pods of every workload."""
    return iter(_pods(recording))


@functools.cache
def _pods(recording: Recording) -> tuple[PodTemplate, ...]:
    return tuple(pod_templates(manifests(recording)))


def pod(recording: Recording, name: str) -> PodTemplate:
    """The pods of one workload, by its name in lower case with its kind before: `deployment-hub`."""
    (found,) = (one for one in pods(recording) if one.owner.rpartition("/")[2] == name)
    return found


def container(recording: Recording, name: str) -> Mapping[str, Any]:
    """The one container of a workload."""
    (found,) = pod(recording, name).containers
    return found


def waits_for(recording: Recording, urn: str) -> set[str]:
    """All that is there before a resource is: what it depends on, and what its ancestors do, on and on."""
    by_urn = {one.urn: one for one in recording.resources}
    found: set[str] = set()
    ahead = [urn]
    while ahead:
        one = by_urn.get(ahead.pop())
        for other in (*one.dependencies, one.parent) if one else ():
            if other and other not in found:
                found.add(other)
                ahead.append(other)
    return found
