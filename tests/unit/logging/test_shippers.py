"""The shippers' pods: on every node, with no more rights than reading needs; what changes them rolls them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import pytest

from clouds.base import PodSecurity
from components.logging import filebeat, fluent_bit
from components.logging.agents import Node, ShipperSecrets
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from planning.recorder import record
from planning.recording import Recording
from stackfile.quantities import Bytes
from stackfile.references import Image, Name
from stackfile.resources import resources
from tests.unit.logging.shippers import configuration

PASSWORD, AUTHORITY = "the password of a shipper", "-----BEGIN CERTIFICATE-----"
SALT = "ab" * 32
RESOURCES = resources(cpu=("50m", "500m"), memory=("64Mi", "256Mi"))
BUFFER = Bytes("1Gi")


@functools.cache
def recorded(
    instance: str = "elab",
    password: str = PASSWORD,
    authority: str = AUTHORITY,
    namespaces: tuple[str, ...] = (),
    openshift: bool = False,
) -> Recording:
    node = Node(
        names=NamespaceNames(instance=instance),
        images=ImagesSettings(),
        pod_security=PodSecurity(assigns_uids=openshift),
        priority_class="elab-platform",
        cluster="campus",
        streams=instance,
        host=f"elasticsearch.{instance}-logging.svc",
        port=9200,
    )
    secrets = ShipperSecrets(password=password, authorities=authority, salt=SALT)

    def program() -> None:
        lines = fluent_bit.FluentBitArgs(
            node=node,
            image=Image("cr.fluentbit.io/fluent/fluent-bit:5.1.1"),
            resources=RESOURCES,
            buffer=BUFFER,
            namespaces=tuple(Name(name) for name in namespaces),
        )
        fluent_bit.FluentBit("fluent-bit", lines, secrets)
        system = filebeat.FilebeatArgs(
            node=node, image=Image("docker.elastic.co/beats/filebeat:9.5.1"), resources=RESOURCES
        )
        filebeat.Filebeat("filebeat", system, secrets)

    return record(program)


SHIPPERS = ("fluent-bit", "filebeat")


def daemons(shipper: str, **changes: Any) -> Mapping[str, Any]:  # noqa: ANN401  arguments of `recorded`
    return recorded(**changes)[f"{shipper}-daemons"].inputs


def template(shipper: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  arguments of `recorded`
    return daemons(shipper, **changes)["spec"]["template"]


def container(shipper: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  arguments of `recorded`
    (one,) = template(shipper, **changes)["spec"]["containers"]
    return one


PATHS = {
    "fluent-bit": {"/var/log/containers", "/var/log/pods"},
    "filebeat": {"/var/log", "/run/log/journal", "/etc/machine-id"},
}


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_it_sees_of_its_node_exactly_these_paths_and_writes_to_its_own_directory_alone(shipper: str) -> None:
    spec = template(shipper)["spec"]
    host = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"] if "hostPath" in volume}
    own = f"/var/lib/elab/elab/{shipper}"
    assert set(host.values()) == PATHS[shipper] | {own}
    mounts = {mount["name"]: mount for mount in container(shipper)["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in spec["volumes"]}
    assert {host[name] for name, mount in mounts.items() if not mount.get("readOnly")} == {own}
    for name, path in host.items():
        if path != own:
            # A link in one leads into another only where both have their paths.
            assert mounts[name]["mountPath"] == path
    assert mounts["state"]["mountPath"] == "/state"


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_it_is_root_without_any_of_roots_rights(shipper: str) -> None:
    security = container(shipper)["securityContext"]
    assert security == {
        "runAsUser": 0,
        "runAsNonRoot": False,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = template(shipper)["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    on_selinux = container(shipper, openshift=True)["securityContext"]
    assert on_selinux == {**security, "seLinuxOptions": {"type": "spc_t"}}


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_it_is_on_every_node_and_has_limits_and_probes(shipper: str) -> None:
    spec = template(shipper)["spec"]
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["priorityClassName"] == "elab-platform"
    assert spec["enableServiceLinks"] is False
    assert container(shipper)["resources"] == {
        "requests": {"cpu": "50m", "memory": "64Mi"},
        "limits": {"cpu": "500m", "memory": "256Mi"},
    }
    assert {"livenessProbe", "readinessProbe"} <= container(shipper).keys()
    assert daemons(shipper)["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": "10%"}


def test_an_outage_of_elasticsearch_does_not_restart_fluent_bit() -> None:
    # Its health is that of its output; to ask for its version is to ask for itself alone.
    assert container("fluent-bit")["livenessProbe"]["httpGet"]["path"] == "/"
    assert container("fluent-bit")["readinessProbe"]["httpGet"]["path"] == "/api/v1/health"


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_a_new_password_or_authority_rolls_it_and_neither_is_told(shipper: str) -> None:
    def annotations(**changes: str) -> dict[str, str]:
        return template(shipper, **changes)["metadata"]["annotations"]

    plain, password, authority = annotations(), annotations(password="another"), annotations(authority="another")
    assert len({one["elab.dev/secrets-hash"] for one in (plain, password, authority)}) == 3
    assert {one["elab.dev/content-hash"] for one in (plain, password, authority)} == {plain["elab.dev/content-hash"]}
    holders = [one.name for one in recorded().resources if PASSWORD in str(one.inputs)]
    assert sorted(holders) == ["filebeat-secret", "fluent-bit-secret"]


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_a_changed_configuration_rolls_it(shipper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = template(shipper)["metadata"]["annotations"]["elab.dev/content-hash"]
    module = {"fluent-bit": fluent_bit, "filebeat": filebeat}[shipper]
    monkeypatch.setattr(module, "configuration", lambda name: {"x.yaml": "changed"})
    after = recorded.__wrapped__()[f"{shipper}-daemons"].inputs["spec"]["template"]["metadata"]["annotations"]
    assert after["elab.dev/content-hash"] != before


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_its_files_name_no_variable_that_it_does_not_have(shipper: str) -> None:
    for changes in ({}, {"namespaces": ("science",)}):
        has = {variable["name"] for variable in container(shipper, **changes)["env"]}
        files: dict[str, str] = recorded(**changes)[f"{shipper}-files"].inputs["data"]
        main = container(shipper, **changes)["args"][-1].rpartition("/")[2]
        included = {main, *(["fluent-bit.yaml"] if main == "with-cluster.yaml" else [])}
        lines = [line for name in included for line in files[name].splitlines() if not line.lstrip().startswith("#")]
        assert set(re.findall(r"\$\{(\w+)\}", "\n".join(lines))) <= has
        assert set(re.findall(r'os\.getenv\("(\w+)"\)', "".join(files.values()))) <= has


def test_queues_share_the_buffer_that_the_stack_allows() -> None:
    env = {one["name"]: one.get("value") for one in container("fluent-bit", namespaces=("science",))["env"]}
    limits = [int(str(value)) for name, value in env.items() if name.startswith("ELAB_BUFFER_")]
    assert len(limits) == 5
    assert BUFFER.bytes * 0.99 < sum(limits) <= BUFFER.bytes


def test_fluent_bit_asks_for_single_pods_of_the_rooms_that_it_reads_and_of_no_other_namespace() -> None:
    def rights(**changes: Any) -> dict[str, list[dict[str, Any]]]:  # noqa: ANN401  arguments of `recorded`
        found = [one for one in recorded(**changes).resources if one.type.endswith(":Role")]
        return {one.inputs["metadata"]["namespace"]: one.inputs["rules"] for one in found}

    only = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    own = {f"elab-{room}": only for room in ("hub", "users", "monitoring", "logging", "node")}
    assert rights() == own
    assert rights(namespaces=("science",)) == {**own, "science": only}
    assert not [one for one in recorded().resources if "ClusterRole" in one.type]
    named = recorded(namespaces=("science",))["fluent-bit-role-in-science"].inputs["metadata"]["name"]
    assert named == "elab-fluent-bit"


def test_filebeat_shows_kubernetes_nothing() -> None:
    spec = template("filebeat")["spec"]
    assert spec["automountServiceAccountToken"] is False
    # An account of its own all the same: a cluster that looks at what pods ask of their hosts grants that to accounts.
    assert spec["serviceAccountName"] == "filebeat"
    # Debian's group of the system's logs.
    assert spec["securityContext"]["supplementalGroups"] == [4]


def test_other_namespaces_are_read_only_where_the_stack_names_them() -> None:
    assert container("fluent-bit")["args"] == ["--config=/etc/elab/fluent-bit/fluent-bit.yaml"]
    named = container("fluent-bit", namespaces=("science", "team"))
    assert named["args"] == ["--config=/etc/elab/fluent-bit/with-cluster.yaml"]
    (paths,) = [one["value"] for one in named["env"] if one["name"] == "ELAB_CLUSTER_PATHS"]
    assert paths == "/var/log/containers/*_science_*.log,/var/log/containers/*_team_*.log"


def test_streams_that_the_roles_allow_are_those_that_are_written() -> None:
    indices = [
        output["index"]
        for name in ("fluent-bit.yaml", "with-cluster.yaml")
        for output in configuration(name)["pipeline"]["outputs"]
    ]
    assert indices == [f"logs-{dataset}-${{ELAB_STREAMS}}" for dataset in fluent_bit.DATASETS]


def test_two_instances_on_a_node_share_no_directory() -> None:
    def own(instance: str) -> set[str]:
        return {
            volume["hostPath"]["path"]
            for shipper in SHIPPERS
            for volume in template(shipper, instance=instance)["spec"]["volumes"]
            if volume["name"] == "state"
        }

    assert not own("elab") & own("other")
