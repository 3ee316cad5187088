"""The room as the real program registers it: kept as long as the stack says, by as much right as each part needs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from components.logging.settings import LoggingSettings
from components.logging.sizing import bytes_a_day, copies, volume, volume_problems
from components.monitoring.jobs import ClusterSize
from planning.fakes import outputs_of
from planning.recording import Recording
from stackfile.quantities import Bytes
from tests.harness.authorities import ONE as ONE_AUTHORITY
from tests.harness.authorities import TWO as ANOTHER
from tests.harness.platform import CLOUDS, SECRET_VALUES, objects, platform, pod, pods, resource, settings, waits_for

ONE: dict[str, Any] = {"logging": {}}
THREE: dict[str, Any] = {
    "logging": {
        "retention": "60d",
        "elasticsearch": {"nodes": 3},
        "snapshots": {"kind": "s3", "bucket": "elab-logs", "endpoint": "s3.example.org", "cidrs": ["192.0.2.20/32"]},
    }
}
BOTH = pytest.mark.parametrize("changes", [ONE, THREE], ids=["one", "three"])
SIZE = ClusterSize(nodes=10, pods=200)


def workloads(recording: Recording) -> list[Any]:
    """Every pod template of the room, its shippers too."""
    return [one for one in pods(recording) if one.labels.get("app.kubernetes.io/part-of") == "logging"]


@pytest.mark.parametrize(("changes", "days"), [(ONE, 30), (THREE, 60)], ids=["one", "three"])
def test_one_setting_becomes_every_place_that_decides_how_long_lines_are_kept(
    changes: dict[str, Any], days: int
) -> None:
    recording = platform(changes)
    values = json.loads(objects(recording, "ConfigMap")["elab-logging/bootstrap-values"]["data"]["values.json"])
    assert values["retention"] == f"{days}d"
    found = settings(changes)
    assert found.monitoring_args.logs is not None
    assert found.monitoring_args.logs.retention == f"{days}d"
    nodes = found.logging.elasticsearch.nodes
    disks = [
        Bytes(claim["spec"]["resources"]["requests"]["storage"]).bytes
        for name, claim in objects(recording, "PersistentVolumeClaim").items()
        if name.startswith("elab-logging/")
    ]
    whole = days * bytes_a_day(found.logging, found.logging_args.size) * copies(found.logging)
    assert len(disks) == nodes
    assert sum(disks) * 0.85 > whole


@BOTH
def test_every_container_states_requests_and_limits_and_can_gain_no_right(changes: dict[str, Any]) -> None:
    found = workloads(platform(changes))
    assert len(found) >= 6
    for one in found:
        for container in one.containers:
            for kind in ("requests", "limits"):
                assert set(container["resources"][kind]) >= {"cpu", "memory"}, (one.owner, kind)
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"]["drop"] == ["ALL"]
            assert not security.get("privileged")


@BOTH
def test_claims_are_those_that_the_set_looks_for(changes: dict[str, Any]) -> None:
    recording = platform(changes)
    spec = objects(recording, "StatefulSet")["elab-logging/elasticsearch"]["spec"]
    (template,) = spec["volumeClaimTemplates"]
    wanted = {f"elab-logging/{template['metadata']['name']}-elasticsearch-{index}" for index in range(spec["replicas"])}
    assert {name for name in objects(recording, "PersistentVolumeClaim") if name.startswith("elab-logging/")} == wanted


@BOTH
def test_claims_are_there_before_the_set_would_make_smaller_ones(changes: dict[str, Any]) -> None:
    recording = platform(changes)
    claims = {
        one.urn
        for one in recording.resources
        if one.type.endswith(":PersistentVolumeClaim") and one.inputs["metadata"]["namespace"] == "elab-logging"
    }
    assert claims
    assert claims <= waits_for(recording, resource(recording, "StatefulSet", "elab-logging/elasticsearch").urn)


def test_a_roll_leaves_each_node_a_minute_for_its_shards() -> None:
    assert objects(platform(THREE), "StatefulSet")["elab-logging/elasticsearch"]["spec"]["minReadySeconds"] == 60


def test_a_cluster_keeps_its_quorum_through_disruptions_and_a_single_node_holds_up_nobody() -> None:
    assert "elab-logging/elasticsearch" not in objects(platform(ONE), "PodDisruptionBudget")
    budget = objects(platform(THREE), "PodDisruptionBudget")["elab-logging/elasticsearch"]["spec"]
    assert budget["maxUnavailable"] == 1
    spec = objects(platform(THREE), "StatefulSet")["elab-logging/elasticsearch"]["spec"]
    spread = {one["topologyKey"] for one in spec["template"]["spec"]["topologySpreadConstraints"]}
    assert spread == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}


def environment(recording: Recording, workload: str) -> dict[str, Any]:
    (container,) = pod(recording, workload).containers
    return {one["name"]: one.get("value") for one in container["env"]}


def test_a_cluster_is_founded_with_the_votes_of_every_node_that_it_begins_with() -> None:
    assert environment(platform(ONE), "statefulset-elasticsearch")["ELAB_PEERS"] == "elasticsearch-0"
    peers = environment(platform(THREE), "statefulset-elasticsearch")["ELAB_PEERS"].split(",")
    assert peers == ["elasticsearch-0", "elasticsearch-1", "elasticsearch-2"]


def test_elasticsearch_has_a_name_of_its_own_whatever_its_kubernetes_is_called() -> None:
    """It refuses a colon; and nodes of one name refuse those of another, so that a roll would never end."""

    def stated(changes: dict[str, Any]) -> tuple[str, str]:
        recording = platform({**THREE, **changes})
        files = objects(recording, "ConfigMap")["elab-logging/elasticsearch"]["data"]
        name = yaml.safe_load(files["elasticsearch.yml"])["cluster.name"].strip("${}")
        found = objects(recording, "StatefulSet")["elab-logging/elasticsearch"]["spec"]
        return environment(recording, "statefulset-elasticsearch")[name], json.dumps(found, sort_keys=True, default=str)

    contexts = ("arn:aws:eks:eu-west-1:1:cluster/x", "elab/api-example-org:6443/kube:admin")
    made = {stated({"cluster.context": one}) for one in contexts} | {stated({"monitoring.cluster_name": "campus"})}
    ((name, _),) = made
    assert name == "elab"


def test_everything_that_is_said_to_elasticsearch_is_said_by_tls() -> None:
    stated = yaml.safe_load(
        objects(platform(ONE), "ConfigMap")["elab-logging/elasticsearch"]["data"]["elasticsearch.yml"]
    )
    assert stated["xpack.security.enabled"] is True
    for layer in ("http", "transport"):
        assert stated[f"xpack.security.{layer}.ssl"]["enabled"] is True
    assert stated["xpack.security.transport.ssl"]["client_authentication"] == "required"
    assert stated["xpack.security.authc.reserved_realm.enabled"] is False
    assert environment(platform(ONE), "deployment-kibana")["ELASTICSEARCH_URL"].startswith("https://")


@BOTH
def test_the_certificate_holds_every_name_by_which_elasticsearch_is_called(changes: dict[str, Any]) -> None:
    recording = platform(changes)
    (request,) = recording.of_type("tls:index/certRequest:CertRequest")
    names = set(request.inputs["dnsNames"])
    called = environment(recording, "deployment-kibana")["ELASTICSEARCH_URL"].removeprefix("https://").partition(":")[0]
    shippers = {
        environment(recording, f"daemonset-{name}")["ELASTICSEARCH_HOST"] for name in ("fluent-bit", "filebeat")
    }
    replicas = objects(recording, "StatefulSet")["elab-logging/elasticsearch"]["spec"]["replicas"]
    nodes = {f"elasticsearch-{index}.elasticsearch-nodes.elab-logging.svc" for index in range(replicas)}
    assert {called, *shippers, *nodes} <= names


def made(recording: Recording, kind: str, output: str) -> set[str]:
    """What the providers answered."""
    return {outputs_of(one.type, one.name, one.urn, one.inputs)[1][output] for one in recording.of_type(kind)}


def test_no_secret_stands_outside_a_secret() -> None:
    recording = platform(THREE)
    secret = made(recording, "random:index/randomBytes:RandomBytes", "hex")
    secret |= made(recording, "tls:index/privateKey:PrivateKey", "privateKeyPem")
    secret |= {text for key, text in SECRET_VALUES.items() if key.startswith("snapshot_")}
    assert len(secret) > 10
    for one in recording.kubernetes():
        text = json.dumps(one.inputs, default=str)
        if one.inputs["kind"] != "Secret":
            assert not [word for word in secret if json.dumps(word)[1:-1] in text], one.urn


def test_elasticsearch_is_given_hashes_and_no_password() -> None:
    recording = platform(ONE)
    held = objects(recording, "Secret")["elab-logging/elasticsearch-security"]["stringData"]
    passwords = made(recording, "random:index/randomBytes:RandomBytes", "hex")
    assert not [text for text in passwords for file in held.values() if text in file]
    token = objects(recording, "Secret")["elab-logging/kibana-secrets"]["stringData"]["ELASTICSEARCH_TOKEN"]
    assert base64.b64decode(token + "==").startswith(b"\x00\x01\x00\x01elastic/kibana/elab:")


def test_kibana_makes_no_report_that_outlives_its_lines() -> None:
    stated = yaml.safe_load(objects(platform(ONE), "ConfigMap")["elab-logging/kibana"]["data"]["kibana.yml"])
    assert stated["xpack.reporting.enabled"] is False


def test_nobody_sends_before_retention_stands() -> None:
    recording = platform(ONE)
    (store,) = (
        one
        for one in recording.kubernetes()
        if one.inputs["kind"] == "Job" and one.inputs["metadata"]["name"].startswith("bootstrap-store")
    )
    for name in ("fluent-bit", "filebeat"):
        assert store.urn in waits_for(recording, resource(recording, "DaemonSet", f"elab-node/{name}").urn)


def test_keys_of_the_snapshots_storage_come_only_with_snapshots() -> None:
    assert "elab-logging/elasticsearch-keys" not in objects(platform(ONE), "Secret")
    held = objects(platform(THREE), "Secret")["elab-logging/elasticsearch-keys"]["stringData"]
    assert set(held) == {"s3.client.default.access_key", "s3.client.default.secret_key"}
    assert (
        environment(platform(THREE), "statefulset-elasticsearch")["s3.client.default.endpoint"]
        == "https://s3.example.org:443"
    )
    # A gateway has no name for each bucket.
    assert environment(platform(THREE), "statefulset-elasticsearch")["s3.client.default.path_style_access"] == "true"


def test_the_snapshots_storage_may_have_a_certificate_of_the_institutions_authorities() -> None:
    """Elasticsearch would not reach it, and a store that can't be verified stops all logging."""
    trusting = {"network": {"ca_certificates": f"of the campus\n{ONE_AUTHORITY}\n{ANOTHER}"}}
    recording = platform({**THREE, **trusting})
    files = objects(recording, "ConfigMap")["elab-logging/elasticsearch-authorities"]["data"]
    assert [files[name].strip() for name in sorted(files)] == [one.strip() for one in (ONE_AUTHORITY, ANOTHER)]
    found = pod(recording, "statefulset-elasticsearch")
    folder = environment(recording, "statefulset-elasticsearch")["ELAB_AUTHORITIES_FOLDER"]
    (mount,) = (one for one in found.containers[0]["volumeMounts"] if one["mountPath"] == folder)
    (volume,) = (one for one in found.spec["volumes"] if one["name"] == mount["name"])
    assert volume["configMap"]["name"] == "elasticsearch-authorities"

    def rolled_by(changes: dict[str, Any]) -> str:
        made = objects(platform(changes), "StatefulSet")["elab-logging/elasticsearch"]
        return made["spec"]["template"]["metadata"]["annotations"]["elab.dev/content-hash"]

    assert len({rolled_by({**THREE, **trusting}), rolled_by(THREE)}) == 2
    # Without snapshots it speaks to nobody outside.
    assert rolled_by({**ONE, **trusting}) == rolled_by(ONE)


def test_a_disk_that_holds_less_than_the_retention_is_refused_and_the_fix_mends_it() -> None:
    small = LoggingSettings.model_validate({"elasticsearch": {"volume": "10Gi"}})
    (problem,) = volume_problems(small, SIZE)
    days = problem.fix.rpartition(" ")[2]
    mended = LoggingSettings.model_validate({"retention": days, "elasticsearch": {"volume": "10Gi"}})
    assert not [*volume_problems(mended, SIZE)]
    enough = LoggingSettings.model_validate({"elasticsearch": {"volume": problem.fix.split()[3].rstrip(",")}})
    assert not [*volume_problems(enough, SIZE)]
    assert volume(LoggingSettings(), SIZE) == enough.elasticsearch.volume


def test_where_pods_host_paths_are_judged_each_shipper_alone_may_read_them_and_is_there_after_its_leave() -> None:
    recording = platform({**CLOUDS["openshift"], **ONE})
    granted = objects(recording, "SecurityContextConstraints")
    for shipper in ("fluent-bit", "filebeat"):
        found = granted[f"elab-{shipper}"]
        assert found["users"] == [f"system:serviceaccount:elab-node:{shipper}"]
        assert {key for key, value in found.items() if value is True} == {
            "allowHostDirVolumePlugin",
            "readOnlyRootFilesystem",
        }
        assert set(found["volumes"]) == {"hostPath", "configMap", "secret"}
        leave = resource(recording, "SecurityContextConstraints", f"elab-{shipper}").urn
        assert leave in waits_for(recording, resource(recording, "DaemonSet", f"elab-node/{shipper}").urn)
    # Elasticsearch and Kibana leave their uids to the cluster, and need no leave.
    for name in ("statefulset-elasticsearch", "deployment-kibana"):
        assert "runAsUser" not in pod(recording, name).spec["securityContext"]
