"""Who may want to speak to whom: the platform's pods, people's servers, the cluster's own pods, and the world."""

from __future__ import annotations

import json
from collections.abc import Mapping

from planning.recording import Recording
from tests.harness.network import End
from tests.harness.platform import objects, pods

PORTS = (
    *(22, 53, 80, 443, 636, 1389, 3000, 5432, 6443, 8000, 8001, 8002, 8080, 8081, 8443, 8888),
    *(9090, 9091, 9093, 9100, 9283, 9402, 10250, 10259),
)
"""Every port that something of the platform listens on, and those of what is worth an attack."""

HUB, PROXY, SCHEDULER = "deployment-hub", "deployment-proxy", "deployment-user-scheduler"
PROMETHEUS, ALERTMANAGER, GRAFANA = "deployment-prometheus", "deployment-alertmanager", "deployment-grafana"
PUSHGATEWAY, OBJECTS = "deployment-pushgateway", "deployment-kube-state-metrics"
PLACEHOLDER, PULLER = "deployment-placeholder-general", "daemonset-puller-general"
ALICE, BOB, CONTROLLER, STRANGER = "alice", "bob", "controller", "stranger"
STRAYS = ("stray-hub", "stray-placeholders", "stray-monitoring", "stray-logging", "stray-node")
"""Pods in the platform's own namespaces that are none of its components."""

DNS = End(name="dns", address="10.244.0.2", namespace="kube-system", labels={"k8s-app": "kube-dns"})
API_SERVER = End(name="api", address="10.20.0.11")
API_SERVER_IPV6 = End(name="api-ipv6", address="fd00:20::11")
DIRECTORY = End(name="directory", address="10.30.0.7")
PUBLIC = End(name="public", address="203.0.113.9")
PUBLIC_IPV6 = End(name="public-ipv6", address="2600:9000::9")
METADATA = End(name="metadata", address="169.254.169.254")
METADATA_IPV6 = End(name="metadata-ipv6", address="fd00:ec2::254")


def cluster_pods(recording: Recording, door_namespace: str = "ingress-nginx") -> Mapping[str, End]:
    """The pods of a run by their names, with those that only a running hub or other people would make."""
    found = [(pod.owner.rpartition("/")[2], pod.namespace, pod.labels) for pod in pods(recording)]
    values = json.loads(objects(recording, "ConfigMap")["elab-hub/hub-values"]["data"]["values.json"])
    server = values["spawner"]["labels"]
    found += [(ALICE, "elab-users", server), (BOB, "elab-users", server)]
    found += [(CONTROLLER, door_namespace, {"app": "door"}), (STRANGER, "default", {})]
    found += [(name, f"elab-{name.removeprefix('stray-')}", {"app": "stray"}) for name in STRAYS]
    return {
        name: End(name=name, address=f"10.244.1.{index}", namespace=namespace, labels=labels)
        for index, (name, namespace, labels) in enumerate(found, start=1)
    }
