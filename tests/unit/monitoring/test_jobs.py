"""Scrape jobs: each has a file, an owner and a budget; every series says of which cluster it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from components.monitoring.documents import FILES
from components.monitoring.jobs import JOBS, scrape_files
from components.monitoring.recording import label_of
from tests.harness.platform import CLOUDS, objects, platform, settings

ROOK = {"monitoring.storage_class": "local-nvme", "monitoring.ceph": {"namespace": "rook-ceph"}}
EVERYTHING = {
    "monitoring.storage_class": "local-nvme",
    "monitoring.cluster_name": "campus",
    "monitoring.annotated_namespaces": ["science"],
    "monitoring.ceph": {"managers": ["10.20.3.11:9283"], "exporters": ["10.20.3.11:9926", "[fd00:3::1]:9926"]},
    "monitoring.openstack": {"exporters": ["10.20.3.20:9180"]},
    "logging": {"enabled": True},
}


def jobs(changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    files = scrape_files(settings(changes).monitoring_args.jobs)
    return {
        name.removesuffix(".yaml"): yaml.load(text, yaml.CSafeLoader)["scrape_configs"][0]
        for name, text in files.items()
    }


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["plain", "everything"])
def test_prometheus_is_given_the_files_of_these_jobs(changes: dict[str, Any]) -> None:
    given = objects(platform(changes), "ConfigMap")["elab-monitoring/prometheus-scrape"]["data"]
    assert given == scrape_files(settings(changes).monitoring_args.jobs)


def test_every_file_is_a_job_with_an_owner_and_a_budget_and_every_job_has_a_file() -> None:
    assert sorted(path.stem for path in (FILES / "scrape").iterdir()) == sorted(job.name for job in JOBS)
    for job in JOBS:
        (config,) = yaml.safe_load((FILES / "scrape" / f"{job.name}.yaml").read_text())["scrape_configs"]
        assert config["job_name"] == job.name
        assert job.owner
        assert job.budget.fixed + job.budget.node + job.budget.pod + job.budget.target > 0


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_job_labels_its_series_with_the_cluster_last_so_that_no_target_says_otherwise(cloud: str) -> None:
    for name, config in jobs({**CLOUDS[cloud], **EVERYTHING}).items():
        assert config["relabel_configs"][-1] == {"target_label": "cluster", "replacement": "campus"}, name


def test_a_stack_has_the_jobs_that_have_targets_in_it() -> None:
    everything = set(jobs({**EVERYTHING, "entry.tls": {"kind": "cert-manager", "cluster_issuer": "i"}}))
    assert everything == {job.name for job in JOBS}
    plain = set(jobs({"entry.tls": {"kind": "secret", "name": "tls"}, "monitoring.grafana": {"enabled": False}}))
    without = {"pods", "services", "ceph", "ceph-exporter", "openstack", "cert-manager", "grafana"}
    without |= {"elasticsearch", "fluent-bit"}
    assert everything - plain == without


def test_no_job_looks_for_targets_in_all_namespaces_nor_where_people_work() -> None:
    for changes in ({}, EVERYTHING, ROOK):
        for name, config in jobs(changes).items():
            for discovery in config.get("kubernetes_sd_configs", []):
                namespaces = discovery.get("namespaces", {}).get("names", [])
                assert namespaces or discovery["role"] == "node", name
                assert "elab-users" not in namespaces, name


def test_named_targets_take_the_place_of_discovery() -> None:
    found = jobs(EVERYTHING)
    for name, targets in (
        ("ceph", ["10.20.3.11:9283"]),
        ("ceph-exporter", ["10.20.3.11:9926", "[fd00:3::1]:9926"]),
        ("openstack", ["10.20.3.20:9180"]),
    ):
        assert found[name]["static_configs"] == [{"targets": targets}]
        assert "kubernetes_sd_configs" not in found[name]
    rook = jobs(ROOK)
    for name in ("ceph", "ceph-exporter"):
        assert [one["namespaces"]["names"] for one in rook[name]["kubernetes_sd_configs"]] == [["rook-ceph"]]


def relabelled(config: dict[str, Any], labels: dict[str, str]) -> dict[str, str] | None:
    """A target's labels as Prometheus makes them; None where it is dropped. Only what the jobs' files use."""
    for step in config["relabel_configs"]:
        value = ";".join(labels.get(name, "") for name in step.get("source_labels", ()))
        match = re.fullmatch(str(step.get("regex", "(.*)")), value)
        if step.get("action") == "keep":
            if not match:
                return None
        elif match:
            labels = labels | {step["target_label"]: match.expand(step.get("replacement", "$1").replace("$1", r"\1"))}
    return labels


@pytest.mark.parametrize(("ip", "address"), [("10.244.3.4", "10.244.3.4:9926"), ("fd00::4", "[fd00::4]:9926")])
def test_rooks_exporters_are_found_though_their_containers_name_no_port(ip: str, address: str) -> None:
    pod = {"__address__": ip, "__meta_kubernetes_pod_ip": ip, "__meta_kubernetes_pod_name": "rook-ceph-exporter-a"}
    rook = jobs(ROOK)["ceph-exporter"]
    found = relabelled(rook, pod | {"__meta_kubernetes_pod_container_name": "ceph-exporter"})
    assert found
    assert found["__address__"] == address
    assert relabelled(rook, pod | {"__meta_kubernetes_pod_container_name": "chown-container-data-dir"}) is None
    listed = relabelled(jobs(EVERYTHING)["ceph-exporter"], {"__address__": "10.20.3.11:9926"})
    assert listed
    assert listed["__address__"] == "10.20.3.11:9926"


def test_each_api_server_is_a_target_where_the_cloud_names_them() -> None:
    assert jobs({})["apiserver"]["static_configs"] == [{"targets": ["10.20.0.11:6443", "[fd00:20::11]:6443"]}]
    for cidrs in ([], ["10.20.0.0/24"]):
        found = jobs({"cloud.api_server": {"cidrs": cidrs, "port": 6443}})
        assert found["apiserver"]["static_configs"] == [{"targets": ["kubernetes.default.svc:443"]}]


def test_certificates_of_kubelets_are_checked_unless_the_stack_says_that_they_sign_their_own() -> None:
    for name in ("kubelet", "cadvisor"):
        assert "insecure_skip_verify" not in jobs({})[name]["tls_config"]
        assert jobs({"monitoring.verify_kubelets": False})[name]["tls_config"]["insecure_skip_verify"] is True


def test_slow_exporters_have_an_interval_of_their_own() -> None:
    found = jobs(EVERYTHING)
    assert (found["ceph"]["scrape_interval"], found["openstack"]["scrape_interval"]) == ("15s", "2m")
    assert found["openstack"]["scrape_timeout"] == "2m"
    assert {config["scrape_interval"] for name, config in found.items() if name not in ("ceph", "openstack")} == {"30s"}


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("elab.dev/pool", "label_elab_dev_pool"),
        ("kubernetes.io/os", "label_kubernetes_io_os"),
        ("node-role.kubernetes.io/gpuNode", "label_node_role_kubernetes_io_gpu_node"),
    ],
)
def test_labels_of_nodes_are_named_as_kube_state_metrics_names_them(key: str, label: str) -> None:
    assert label_of(key) == label


def test_the_settings_are_told_to_rules_and_dashboards_as_series() -> None:
    recording = platform({"monitoring.cluster_name": "campus"})
    text = objects(recording, "ConfigMap")["elab-monitoring/prometheus-rules"]["data"]["settings.yaml"]
    rules = yaml.safe_load(text)["groups"][0]["rules"]
    told = {(one["record"], one["labels"].get("pool")): one["expr"] for one in rules if "pool" in one["labels"]}
    assert told[("elab_pool_nodes_max", "general")] == "vector(3)"
    assert told[("elab_pool_placeholders", "general")] == "vector(2)"
    assert told[("elab_pool_price_per_hour", "memory")] == "vector(0)"
    assert told[("elab_node_pool", "memory")] == 'group by (node) (kube_node_labels{label_elab_dev_pool="memory"})'
    assert {one["labels"]["cluster"] for one in rules} == {"campus"}
    rooms = {one["labels"]["room"]: one["labels"]["namespace"] for one in rules if one["record"] == "elab_namespace"}
    assert rooms["users"] == "elab-users"


def test_kube_state_metrics_tells_the_labels_that_tell_people_profiles_and_pools_apart() -> None:
    template = objects(platform(), "Deployment")["elab-monitoring/kube-state-metrics"]["spec"]["template"]
    (found,) = template["spec"]["containers"]
    (allowed,) = (one for one in found["args"] if one.startswith("--metric-labels-allowlist="))
    for label in ("hub.jupyter.org/username", "elab.dev/profile", "component", "nodes=[elab.dev/pool]"):
        assert label in allowed
    (told,) = (one for one in found["args"] if one.startswith("--resources="))
    resources = told.partition("=")[2].split(",")
    role = objects(platform(), "ClusterRole")["elab-kube-state-metrics"]["rules"]
    assert sorted(name for rule in role for name in rule["resources"]) == resources
    assert {verb for rule in role for verb in rule["verbs"]} == {"list", "watch"}
    assert not {"secrets", "configmaps"} & set(resources)
