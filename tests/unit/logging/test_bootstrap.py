"""The bootstrap's Jobs: what they run with, what is secret, and when they run again."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from elab_log_values import Values

from clouds.base import ClusterEndpoints, PodSecurity
from components.connections import pods
from components.kit import plain
from components.logging import bootstrap, credentials, elasticsearch, filebeat, fluent_bit, kibana
from components.logging.bootstrap import BootstrapArgs, BootstrapSecrets
from components.logging.snapshot_settings import S3
from components.logging.streams import PIPELINES
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from stackfile.quantities import Duration
from stackfile.references import Cidr, Image
from stackfile.resources import resources
from tests.unit.logging.bootstrapping import DOCUMENTS

ARGS = BootstrapArgs(
    names=NamespaceNames(instance="elab"),
    images=ImagesSettings(),
    pod_security=PodSecurity(assigns_uids=False),
    priority_class="elab-platform",
    image=Image("quay.io/jupyterhub/k8s-hub:4.4.0"),
    resources=resources(cpu=("10m", "200m"), memory=("64Mi", "128Mi")),
    elasticsearch="https://elasticsearch.elab-logging.svc:9200",
    kibana="http://kibana.elab-logging.svc:5601",
    streams="elab",
    datasets=PIPELINES,
    retention=Duration("30d"),
)


def _pod(args: BootstrapArgs = ARGS) -> Mapping[str, Any]:
    return plain(bootstrap.job(args, "store"))["spec"]["template"]["spec"]


def test_values_are_those_that_the_program_reads() -> None:
    made = Values(**bootstrap.values(ARGS))
    assert (made.retention, made.rollover) == ("30d", "1d")
    assert made.stream("kubernetes.hub") == "logs-kubernetes.hub-elab"


def test_every_dataset_of_the_shippers_has_a_template_and_its_pipeline_is_there() -> None:
    assert set(PIPELINES) == {*fluent_bit.DATASETS, *filebeat.DATASETS}
    there = {path.stem for path in (DOCUMENTS / "pipelines").glob("*.json")}
    assert {name for name in PIPELINES.values() if name} <= there


@pytest.mark.parametrize(
    ("retention", "age"), [("1d", "1d"), ("30d", "1d"), ("720h", "1d"), ("90d", "3d"), ("365d", "7d"), ("3650d", "7d")]
)
def test_a_line_stays_little_longer_than_the_stack_says(retention: str, age: str) -> None:
    assert bootstrap.rollover(Duration(retention)) == age


def test_other_content_is_another_job_and_the_same_the_same() -> None:
    def name(**changed: Any) -> str:  # noqa: ANN401  any field
        return plain(bootstrap.job(replace(ARGS, **changed), "store"))["metadata"]["name"]

    assert name() == name()
    others = {name(retention=Duration("7d")), name(kibana=None), name(image=Image("quay.io/jupyterhub/k8s-hub:4.5.0"))}
    assert len(others | {name()}) == 4
    # Limits change nothing that it does.
    assert name(resources=resources(cpu=("10m", "300m"), memory=("64Mi", "128Mi"))) == name()


def test_config_maps_fit_and_hold_no_secret() -> None:
    secrets = BootstrapSecrets(passwords={"store": "kept-to-itself", "pages": "of-its-own"}, authorities="PEM")
    secret = plain(bootstrap.secret(ARGS, secrets, "store"))
    assert plain(bootstrap.secret(ARGS, secrets, "pages"))["stringData"]["password"] == "of-its-own"
    program, told = (plain(one) for one in bootstrap.config_maps(ARGS))
    assert secret["stringData"] == {"password": "kept-to-itself", "ca.crt": "PEM"}
    for made in (program, told):
        text = json.dumps(made)
        assert len(text) < 2**19
        assert "kept-to-itself" not in text
    assert "elab_bootstrap.py" in program["data"]


def test_every_file_is_mounted_where_the_program_looks_for_it() -> None:
    program, _ = (plain(one) for one in bootstrap.config_maps(ARGS))
    (volume,) = (one for one in _pod()["volumes"] if one["name"] == "program")
    paths = {item["key"]: item["path"] for item in volume["configMap"]["items"]}
    assert set(paths) == set(program["data"])
    assert "documents/kibana/platform.ndjson" in paths.values()


def test_a_job_ends_and_has_no_right_that_it_does_not_need() -> None:
    job, spec = plain(bootstrap.job(ARGS, "store")), _pod()
    (container,) = spec["containers"]
    assert (job["spec"]["backoffLimit"], spec["restartPolicy"]) == (4, "Never")
    # One run's patience, and another after it.
    assert job["spec"]["activeDeadlineSeconds"] >= 2 * bootstrap.PATIENCE_SECONDS
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert set(container["resources"]) == {"requests", "limits"}
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    assert _pod(replace(ARGS, pod_security=PodSecurity(assigns_uids=True)))["securityContext"].get("runAsUser") is None


def test_every_hour_the_store_is_made_ready_again_and_what_was_found_is_told() -> None:
    spec = plain(bootstrap.audit(ARGS))["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert spec["containers"][0]["args"] == ["store", "--push"]
    # The first Job does not wait for the Pushgateway.
    assert _pod()["containers"][0]["args"] == ["store"]


def test_a_copy_is_kept_as_long_as_the_settings_say() -> None:
    settings = S3(kind="s3", bucket="logs", retention=Duration("60d"), cidrs=(Cidr("192.0.2.1/32"),))
    made = bootstrap.values(replace(ARGS, snapshots=settings))["snapshots"]
    assert made["policy"]["retention"] == {"expire_after": "60d"}
    assert made["repository"]["settings"] == {"bucket": "logs", "base_path": "elab"}


def test_it_reaches_what_it_makes_ready_and_nothing_else() -> None:
    store, pages = pods("elab-logging", {"app": "elasticsearch"}), pods("elab-logging", {"app": "kibana"})
    endpoints = ClusterEndpoints(
        api_server=(), api_server_port=6443, dns_namespace="kube-system", dns_labels={"k8s-app": "kube-dns"}
    )
    made = list(bootstrap.connections(ARGS, endpoints, {store: 9200, pages: 5601}))
    assert {(one.target, one.ports[0].number) for one in made} >= {(store, 9200), (pages, 5601)}
    assert {one.source for one in made} == {pods("elab-logging", ARGS.labels.selector())}


def test_each_task_has_a_password_of_its_own() -> None:
    def mounted(task: bootstrap.Task) -> set[str]:
        spec = plain(bootstrap.job(ARGS, task))["spec"]["template"]["spec"]
        return {one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one}

    assert mounted("store") == {"bootstrap-store"}
    assert mounted("pages") == {"bootstrap-pages"}


def test_people_have_the_roles_that_are_made_in_kibana() -> None:
    there = json.loads((DOCUMENTS / "kibana/roles.json").read_text())
    assert set(credentials.PEOPLE.values()) == set(there)


def test_kibana_and_elasticsearch_name_their_lines_as_the_pipeline_expects() -> None:
    text = (DOCUMENTS / "pipelines/elab-platform.json").read_text()
    for component in (elasticsearch.COMPONENT, kibana.COMPONENT):
        assert f"ctx.service?.name == '{component}'" in text
