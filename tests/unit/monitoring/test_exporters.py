"""Who reaches whom around monitoring; node-exporter alone sees its host; what is pushed is kept."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from components.monitoring.graph import address_problems, receiver_ports
from tests.harness.network import End, network
from tests.harness.platform import CLOUDS, container, objects, platform, pod, settings, with_secrets
from tests.unit.components.ends import API_SERVER, DIRECTORY, DNS, PORTS, PUBLIC, cluster_pods

NODE = End(name="node", address="10.20.2.5")
CEPH = End(name="ceph", address="10.20.3.11")
STORE = End(name="store", address="192.0.2.9")
HOOK = End(name="hook", address="10.244.7.7", namespace="alerts", labels={"app": "hook"})
JOB = End(name="job", address="10.244.7.8", namespace="science", labels={"app": "nightly"})
OTHER = End(name="other", address="10.244.7.9", namespace="elsewhere")
OUTSIDE = (DNS, API_SERVER, DIRECTORY, PUBLIC, NODE, CEPH, STORE, HOOK, JOB, OTHER)
NODES = {"cloud.node_cidrs": ["10.20.2.0/24"]}
RESOLVES = {("dns", 53)}


def reached(source: str, changes: dict[str, Any]) -> set[tuple[str, int]]:
    walked, pods = network(platform(changes)), cluster_pods(platform(changes))
    return {(end.name, port) for end in OUTSIDE for port in PORTS if walked.allows(pods[source], end, port)}


def test_prometheus_reaches_kubelets_and_exporters_on_nodes_the_api_server_and_names_alone() -> None:
    assert reached("deployment-prometheus", NODES) == RESOLVES | {("node", 9100), ("node", 10250), ("api", 6443)}


def test_where_nodes_are_not_known_no_pod_is_taken_for_one() -> None:
    found = reached("deployment-prometheus", {})
    assert {("node", 9100), ("node", 10250)} <= found
    assert not {name for name, _ in found} & {"hook", "job", "other"}


def test_prometheus_reaches_what_the_stack_has_it_watch_by_those_ports_alone() -> None:
    changes = {
        **NODES,
        "monitoring.storage_class": "local-nvme",
        "monitoring.ceph": {"managers": ["10.20.3.11:9283"]},
        "monitoring.annotated_namespaces": ["science"],
        "monitoring.remote_write": {"url": "https://store.example.org/push", "cidrs": ["192.0.2.9/32"]},
    }
    more = reached("deployment-prometheus", changes) - reached("deployment-prometheus", NODES)
    assert more == {("ceph", 9283), ("store", 443), *(("job", port) for port in PORTS)}


def test_prometheus_reaches_the_logs_exporter_and_shipper_and_not_elasticsearch() -> None:
    recording = platform({"logging": {"enabled": True}})
    walked, pods = network(recording), cluster_pods(recording)

    def ports(name: str) -> set[int]:
        return {
            port
            for port in (2020, 5066, 5601, 9114, 9200)
            if walked.allows(pods["deployment-prometheus"], pods[name], port)
        }

    assert ports("deployment-elasticsearch-exporter") == {9114}
    assert ports("daemonset-fluent-bit") == {2020}
    assert ports("statefulset-elasticsearch") | ports("daemonset-filebeat") == set()


def test_prometheus_reaches_rooks_daemons_on_the_network_of_their_hosts_too() -> None:
    rook = {**NODES, "monitoring.storage_class": "local-nvme", "monitoring.ceph": {"namespace": "elsewhere"}}
    more = reached("deployment-prometheus", rook) - reached("deployment-prometheus", NODES)
    assert more == {("other", 9283), ("node", 9283)}


def test_alertmanager_reaches_its_receivers_alone_and_nobody_without_any() -> None:
    assert reached("deployment-alertmanager", {}) == set()
    hook = {"name": "hook", "kind": "webhook", "url": "http://hook.alerts.svc:8080/x"}
    inside = {"receivers": [hook], "severities": {"critical": ["hook"]}, "namespaces": ["alerts"]}
    assert reached("deployment-alertmanager", {"monitoring.alerting": inside}) == RESOLVES | {
        ("hook", port) for port in PORTS
    }
    outside = {**inside, "namespaces": [], "cidrs": ["192.0.2.0/24"]}
    assert reached("deployment-alertmanager", {"monitoring.alerting": outside}) == RESOLVES | {("store", 8080)}


@pytest.mark.parametrize(
    "other",
    [
        {"receivers": [{"name": "chat", "kind": "slack", "channel": "#elab"}], "severities": {"warning": ["chat"]}},
        {"receivers": [{"name": "duty", "kind": "pagerduty"}], "severities": {"warning": ["duty"]}},
        {"receivers": [{"name": "open", "kind": "webhook"}], "severities": {"warning": ["open"]}},
        {"heartbeat": {}},
    ],
    ids=["slack", "pagerduty", "address-that-is-a-secret", "heartbeat"],
)
def test_receivers_in_the_cluster_shut_no_way_to_those_outside(other: dict[str, Any]) -> None:
    """Who is outside would be told of nothing, and of that nobody either."""
    hook = {"name": "hook", "kind": "webhook", "url": "http://hook.alerts.svc.cluster.local:8080/x"}
    both = {
        "receivers": [hook, *other.get("receivers", [])],
        "severities": {"critical": ["hook"], **other.get("severities", {})},
        "namespaces": ["alerts"],
    } | {key: value for key, value in other.items() if key == "heartbeat"}
    found = reached("deployment-alertmanager", {"monitoring.alerting": both})
    assert {("hook", port) for port in PORTS} | {("public", 443)} <= found
    # What is inside opens no port to others.
    assert ("public", 8080) not in found
    narrow = reached("deployment-alertmanager", {"monitoring.alerting": {**both, "cidrs": ["192.0.2.0/24"]}})
    assert narrow == RESOLVES | {("hook", port) for port in PORTS} | {("store", 443)}


def test_mail_goes_out_beside_receivers_in_the_cluster() -> None:
    mail = {"name": "mail", "kind": "email", "to": ["a@example.org"]}
    smtp = {"server": "mail.example.org:587", "sender": "elab@example.org"}
    changes = {"receivers": [mail], "severities": {"critical": ["mail"]}, "smtp": smtp, "namespaces": ["alerts"]}
    alerting = settings({"monitoring.alerting": changes}).monitoring.alerting
    assert receiver_ports(alerting) == (587,)
    within = {**changes, "smtp": {**smtp, "server": "mail.alerts:587"}}
    assert receiver_ports(settings({"monitoring.alerting": within}).monitoring.alerting) == ()


def test_only_named_namespaces_can_push_and_only_prometheus_reads() -> None:
    changes = {"monitoring.pushgateway": {"namespaces": ["science"]}}
    walked, pods = network(platform(changes)), cluster_pods(platform(changes))
    everybody = {**pods, "job": JOB, "other": OTHER, "node": NODE}
    reaching = {name for name, end in everybody.items() if walked.allows(end, pods["deployment-pushgateway"], 9091)}
    # A pod reaches itself whatever a policy says, and the harness does not walk that.
    assert reaching - {"deployment-pushgateway"} == {"deployment-prometheus", "job"}


def test_nobody_but_grafana_reaches_prometheus_and_alertmanager_which_have_no_login() -> None:
    walked, pods = network(platform()), cluster_pods(platform())
    everybody = {**pods, "other": OTHER, "public": PUBLIC, "node": NODE}
    for name, port, expected in (
        ("deployment-prometheus", 9090, {"deployment-grafana"}),
        ("deployment-alertmanager", 9093, {"deployment-grafana", "deployment-prometheus"}),
    ):
        assert {one for one, end in everybody.items() if walked.allows(end, pods[name], port)} - {name} == expected


def test_prometheus_reads_no_server_of_a_person() -> None:
    walked, pods = network(platform()), cluster_pods(platform())
    assert [port for port in PORTS if walked.allows(pods["deployment-prometheus"], pods["alice"], port)] == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_node_exporter_sees_three_paths_of_its_host_read_only_and_runs_on_every_node(cloud: str) -> None:
    recording = platform(CLOUDS[cloud])
    spec = pod(recording, "daemonset-node-exporter").spec
    assert [volume["hostPath"]["path"] for volume in spec["volumes"]] == ["/proc", "/sys", "/"]
    (found,) = spec["containers"]
    assert all(mount["readOnly"] for mount in found["volumeMounts"])
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert "nodeSelector" not in spec
    assert "affinity" not in spec
    assert objects(recording, "DaemonSet")["elab-node/node-exporter"]["metadata"]["namespace"] == "elab-node"


def test_a_disk_of_its_own_for_images_is_told_of_and_what_pods_mount_is_not() -> None:
    found = container(platform(), "daemonset-node-exporter")["args"]
    (left_out,) = (one.partition("=")[2] for one in found if "mount-points-exclude" in one)
    for disk in ("/", "/data", "/var/lib/containerd", "/var/lib/kubelet", "/var/lib/docker"):
        assert not re.match(left_out, disk), disk
    for mount in (
        "/dev/shm",
        "/run/user/1000",
        "/var/lib/kubelet/pods/0f/volumes/kubernetes.io~csi/home/mount",
        "/run/containerd/io.containerd.runtime.v2.task/k8s.io/ab/rootfs",
        "/var/lib/docker/overlay2/ab/merged",
    ):
        assert re.match(left_out, mount), mount


def test_node_exporter_listens_on_the_nodes_own_address_at_the_port_that_the_stack_names() -> None:
    found = container(platform({"monitoring.node_exporter": {"port": 9200}}), "daemonset-node-exporter")
    assert "--web.listen-address=[$(HOST_IP)]:9200" in found["args"]
    assert found["ports"] == [{"name": "metrics", "containerPort": 9200, "hostPort": 9200}]
    assert ("node", 9200) not in reached("deployment-prometheus", NODES)


def test_what_is_pushed_outlives_the_pod() -> None:
    found = container(platform(), "deployment-pushgateway")
    (mount,) = found["volumeMounts"]
    (file,) = (one.partition("=")[2] for one in found["args"] if one.startswith("--persistence.file="))
    assert file.startswith(f"{mount['mountPath']}/")


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "pushgateway", "kube-state-metrics", "node-exporter"])
def test_every_program_of_the_room_is_probed(name: str) -> None:
    kind = "daemonset" if name == "node-exporter" else "deployment"
    found = container(platform(), f"{kind}-{name}")
    for probe in ("readinessProbe", "livenessProbe"):
        port = found[probe]["httpGet"]["port"]
        assert port in {one["name"] for one in found["ports"]}, probe


def test_interfaces_of_pods_are_left_out_by_whichever_name_their_cluster_gives_them() -> None:
    """Each would be fifty series, and other ones with every server that starts; the budget is for a host alone."""
    found = container(platform(), "daemonset-node-exporter")["args"]
    for flag in ("--collector.netdev.device-exclude=", "--collector.netclass.ignored-devices="):
        (left_out,) = (one.removeprefix(flag) for one in found if one.startswith(flag))
        pods = [
            "veth12ab34cd",
            "cali0123456789a",
            "lxc1a2b",
            "eni0a1b2c3d4e5",
            "azv768e8de",
            "gke0a1b2c3d4e5",
            "0a1b2c3d4e5f6a7",
        ]
        assert [name for name in pods if not re.match(left_out, name)] == []
        hosts = ["eth0", "ens5", "eno1", "enp3s0", "bond0", "br-ex"]
        assert [name for name in hosts if re.match(left_out, name)] == []


HOOK_BY_SECRET = {"receivers": [{"name": "hook", "kind": "webhook"}], "severities": {"critical": ["hook"]}}


def test_an_address_that_is_a_secret_is_refused_where_the_policy_would_stop_the_way_to_it() -> None:
    """Nobody would be told of anything, and of that nobody either."""
    changes = {"monitoring.alerting": HOOK_BY_SECRET}
    with pytest.raises(pulumi.RunError, match=r"elab:alert_webhook_url has port 8443") as refused:
        with_secrets({"alert_webhook_url": "https://hook.example.org:8443/key-of-the-hook"}, changes)
    assert "key-of-the-hook" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "changes", "ports"),
    [
        ("https://hook.example.org/x", {}, []),
        ("https://hook.example.org:8443/x", {"ports": [8443]}, []),
        ("https://hook.alerts.svc:8443/x", {"namespaces": ["alerts"]}, []),
        ("https://hook.example.org:8443/x", {"namespaces": ["alerts"]}, [8443]),
        ("http://hook.example.org/x", {}, [80]),
        ("no address at all", {}, []),
    ],
    ids=["443", "stated", "in-the-cluster", "beside-the-cluster", "http", "none"],
)
def test_the_way_to_an_address_that_is_a_secret_is_open_or_refused(
    address: str, changes: dict[str, Any], ports: list[int]
) -> None:
    found = settings({"monitoring.alerting": {**HOOK_BY_SECRET, **changes}})
    problems = list(address_problems(found.monitoring.alerting, found.network, {"alert_webhook_url": address}))
    assert [one.fix for one in problems] == [f"add {port}, or correct the address" for port in ports]
    assert receiver_ports(found.monitoring.alerting) == tuple(sorted({443, *changes.get("ports", ())}))


def test_ports_alone_open_no_way() -> None:
    assert receiver_ports(settings({"monitoring.alerting": {"ports": [8443]}}).monitoring.alerting) == ()
