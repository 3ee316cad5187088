"""Every cloud is data of one shape, and says what the rooms build on."""

from __future__ import annotations

import inspect
import typing
from dataclasses import fields
from typing import Any

import pytest

import clouds
from clouds import CloudSettings, cloud_of
from clouds.base import Cloud, Storage
from clouds.handbook import HANDBOOK, committed, handbook
from components.connections import Addresses, pods, to_dns
from components.hub.graph import user_connections
from components.namespaces import NamespaceNames
from stackfile.problems import StackError
from stackfile.references import Cidr
from tests.harness.platform import CLOUDS, settings, unmonitored

SHAPE = [name for name in vars(Cloud) if not name.startswith("_")]


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    return settings(CLOUDS[request.param]).facts


def test_every_kind_of_settings_leads_to_a_cloud_and_is_tested() -> None:
    union = typing.get_args(CloudSettings)[0]
    kinds = {typing.get_args(one.model_fields["kind"].annotation)[0] for one in typing.get_args(union)}
    assert kinds == set(clouds._CLOUDS)
    assert kinds == {settings(changes).cloud.kind for changes in CLOUDS.values()}


def test_every_cloud_has_the_whole_shape(cloud: Cloud) -> None:
    assert len(SHAPE) >= 8
    for name in SHAPE:
        value = inspect.getattr_static(type(cloud), name)
        assert value is not inspect.getattr_static(Cloud, name), name
        assert getattr(cloud, name) is not None or name == "prices", name
    assert isinstance(cloud.storage, Storage)


def test_a_cloud_is_the_one_that_its_settings_name() -> None:
    for changes in CLOUDS.values():
        found = settings(changes).cloud
        assert cloud_of(found).kind == found.kind


def test_facts_of_a_cloud_are_the_same_however_often_they_are_asked_for(cloud: Cloud) -> None:
    for name in SHAPE:
        if isinstance(inspect.getattr_static(Cloud, name), property):
            assert getattr(cloud, name) == getattr(cloud, name), name


def test_the_metadata_service_is_known_everywhere(cloud: Cloud) -> None:
    """It hands out credentials of the node."""
    assert any(Cidr("169.254.169.254/32").within(one) for one in cloud.ranges.metadata)


def test_pods_services_and_metadata_do_not_overlap(cloud: Cloud) -> None:
    ranges = [getattr(cloud.ranges, one.name) for one in fields(cloud.ranges)]
    for index, group in enumerate(ranges):
        for other in ranges[index + 1 :]:
            assert not any(one.overlaps(two) for one in group for two in other)


@pytest.mark.parametrize("what", ["pods", "services", "nodes", "metadata"])
@pytest.mark.parametrize("name", CLOUDS)
def test_people_are_never_let_into_a_clouds_own_ranges(name: str, what: str) -> None:
    for cidr in getattr(settings(CLOUDS[name]).facts.ranges, what):
        with pytest.raises(StackError) as refused:
            settings({**CLOUDS[name], "users.egress.allow": [{"cidr": str(cidr)}]})
        assert {problem.where for problem in refused.value.problems} == {"users.egress.allow.0.cidr"}


@pytest.mark.parametrize("wide", ["0.0.0.0/0", "::/0"])
def test_a_range_that_holds_them_is_refused_and_the_setting_for_internet_named(wide: str) -> None:
    with pytest.raises(StackError) as refused:
        settings({"users.egress.allow": [{"cidr": wide}]})
    assert all("users.egress.internet" in problem.fix for problem in refused.value.problems)


def test_placeholders_give_way_to_people_and_still_call_for_nodes(cloud: Cloud) -> None:
    """cluster-autoscaler's default cut-off is -10: pods below it never call for a node."""
    assert -10 <= cloud.autoscaler.placeholder_priority < 0


@pytest.mark.parametrize(
    "changes",
    [
        {"cloud.api_server": {"cidrs": ["10.20.9.9/32"], "port": 8443}},
        {
            **CLOUDS["local"],
            "cloud": {**CLOUDS["local"]["cloud"], "api_server": {"cidrs": ["10.20.9.9/32"], "port": 8443}},
        },
    ],
    ids=["onprem", "local"],
)
def test_where_the_api_server_and_names_are_is_what_the_stack_says(changes: dict[str, Any]) -> None:
    dns = {"namespace": "openshift-dns", "labels": {"dns": "default"}, "cidrs": ["169.254.20.10/32"]}
    found = settings({**changes, "cloud.dns": dns}).facts.endpoints
    assert (found.api_server, found.api_server_port) == ((Cidr("10.20.9.9/32"),), 8443)
    assert (found.dns_namespace, found.dns_labels) == ("openshift-dns", {"dns": "default"})
    assert found.dns_cidrs == (Cidr("169.254.20.10/32"),)


@pytest.mark.parametrize("name", [name for name in CLOUDS if name.startswith("onprem")])
def test_ceph_disks_can_be_snapshotted_by_the_driver_that_makes_them(name: str) -> None:
    storage = settings(CLOUDS[name]).facts.storage
    assert storage.is_ceph
    assert storage.snapshot_spec is not None
    assert storage.class_spec is not None
    assert storage.snapshot_spec.driver == storage.class_spec.provisioner
    assert storage.snapshot_spec.parameters["clusterID"] == storage.class_spec.parameters["clusterID"]


def test_a_cluster_id_that_ceph_csi_could_not_store_is_refused() -> None:
    """ceph-csi keeps at most 36 bytes of it in each volume's handle."""
    ceph = {"kind": "ceph-csi", "pool": "jupyter", "cluster_id": "x" * 37}
    with pytest.raises(StackError) as refused:
        settings({"cloud.ceph": ceph})
    assert [problem.where for problem in refused.value.problems] == ["cloud.ceph.cluster_id"]


def test_the_provider_speaks_to_the_stacks_cluster_and_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/another/cluster")
    changes = {"cluster": {"context": "there", "kubeconfig": "~/there.yaml"}}
    (provider,) = unmonitored(changes).of_type("pulumi:providers:kubernetes")
    assert provider.inputs["context"] == "there"
    # As it stands in the stack file: the path on this machine would differ on the next one.
    assert provider.inputs["kubeconfig"] == "~/there.yaml"


def test_no_variable_of_the_shell_changes_how_the_provider_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DELETE_UNREACHABLE", "ENABLE_PATCH_FORCE", "SKIP_UPDATE_UNREACHABLE", "UPSERT_EXISTING_OBJECTS"):
        monkeypatch.setenv(f"PULUMI_K8S_{name}", "true")
    monkeypatch.setenv("PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", "false")
    # A change of its own, since plans of the same settings are made once.
    (provider,) = unmonitored({"cluster": {"context": "shell"}}).of_type("pulumi:providers:kubernetes")
    wanted = {"deleteUnreachable": "false", "enablePatchForce": "false", "enableServerSideApply": "true"}
    wanted |= {"skipUpdateUnreachable": "false", "upsertExistingObjects": "false"}
    assert {key: str(provider.inputs[key]).lower() for key in wanted} == wanted


def test_what_is_there_already_is_taken_over_only_by_who_adopts() -> None:
    """Of a lost state's objects the fields are still its own, so that both are needed."""
    (provider,) = unmonitored({"protection.adopt": True}).of_type("pulumi:providers:kubernetes")
    assert provider.inputs["upsertExistingObjects"] == provider.inputs["enablePatchForce"] == "true"


def test_a_cluster_that_gets_another_address_stays_the_same_cluster() -> None:
    """The provider replaces every object where its cluster's identifier changes."""
    cluster = {"context": "there", "identifier": "production"}
    (provider,) = unmonitored({"cluster": cluster}).of_type("pulumi:providers:kubernetes")
    (unnamed,) = unmonitored({"cluster": {"context": "there"}}).of_type("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == "production"
    assert unnamed.inputs["clusterIdentifier"] == "there"


def test_a_changed_configuration_is_changed_in_place() -> None:
    """Else a ConfigMap of fixed name is deleted first, and what watches it sees it gone."""
    (provider,) = unmonitored().of_type("pulumi:providers:kubernetes")
    assert provider.inputs["enableConfigMapMutable"] == provider.inputs["enableSecretMutable"] == "true"


def test_the_page_about_clouds_is_what_their_modules_say() -> None:
    assert HANDBOOK.read_text(encoding="utf-8") == handbook(committed()), "make clouds"


def test_every_cloud_has_a_stack_of_its_own_on_that_page() -> None:
    assert {cloud.kind for cloud in committed().values()} == set(clouds._CLOUDS)


@pytest.mark.parametrize("name", ["aws", "gcp", "azure", "openshift"])
def test_people_with_internet_still_reach_no_metadata(name: str) -> None:
    found = settings({**CLOUDS[name], "users.egress.internet": True})
    names = NamespaceNames(instance="elab")
    facts = found.facts
    asked = user_connections(names, found.users.egress, found.network, facts.endpoints, facts.ranges)
    opened = [one.target for one in asked if isinstance(one.target, Addresses)]
    for address in facts.ranges.metadata:
        for target in opened:
            inside = any(address.within(cidr) for cidr in target.cidrs)
            assert not inside or any(address.within(cidr) for cidr in target.excluded), address


@pytest.mark.parametrize(
    ("dns", "addresses", "caches"),
    [
        ("node-local", ("169.254.20.10/32",), {"k8s-app": "node-local-dns"}),
        ("kube-dns", (), None),
        ("cloud-dns", ("169.254.169.254/32",), None),
    ],
)
def test_names_are_resolved_wherever_gke_resolves_them(
    dns: str, addresses: tuple[str, ...], caches: dict[str, str] | None
) -> None:
    endpoints = settings({**CLOUDS["gcp"], "cloud.dns": dns}).facts.endpoints
    assert endpoints.dns_cidrs == addresses
    assert endpoints.dns_caches == caches
    opened = list(to_dns(pods("elab-hub"), endpoints))
    assert {port.number for one in opened for port in one.ports} == {53}
    assert len(opened) == 1 + bool(addresses) + bool(caches)


def test_openshifts_resolver_is_reached_by_the_port_of_its_pods() -> None:
    endpoints = settings(CLOUDS["openshift"]).facts.endpoints
    (opened,) = to_dns(pods("elab-hub"), endpoints)
    assert {port.number for port in opened.ports} == {5353}


@pytest.mark.parametrize(
    ("monitoring", "where"),
    [
        ({"node_exporter": {"port": 9101}}, "monitoring.verify_kubelets"),
        ({"verify_kubelets": False}, "monitoring.node_exporter.port"),
    ],
)
def test_what_monitoring_cannot_do_on_openshift_is_refused(monitoring: dict[str, Any], where: str) -> None:
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["openshift"], "monitoring": monitoring})
    assert [problem.where for problem in refused.value.problems] == [where]
