"""Elasticsearch's exporter: it checks whom it asks, keeps its password, and is rolled by what it reads at start."""

from __future__ import annotations

import functools
import json
from typing import Any

import yaml

from clouds.base import PodSecurity
from components.logging import exporter
from components.logging.exporter import Exporter, ExporterArgs, ExporterSecrets
from components.monitoring.documents import FILES
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from planning.recorder import record
from planning.recording import Recording
from stackfile.references import Image
from stackfile.resources import resources
from tests.unit.monitoring.test_jobs import relabelled

PASSWORD, AUTHORITY = "the exporter's password", "-----BEGIN CERTIFICATE-----"


@functools.cache
def recorded(password: str = PASSWORD, authority: str = AUTHORITY, openshift: bool = False) -> Recording:
    args = ExporterArgs(
        names=NamespaceNames(instance="elab"),
        images=ImagesSettings(),
        pod_security=PodSecurity(assigns_uids=openshift),
        priority_class="elab-platform",
        image=Image("quay.io/prometheuscommunity/elasticsearch-exporter:v1.11.0"),
        resources=resources(cpu=("5m", "100m"), memory=("32Mi", "128Mi")),
        url="https://elasticsearch.elab-logging.svc:9200",
    )
    secrets = ExporterSecrets(password=password, authorities=authority, salt="ab" * 32)

    def program() -> None:
        Exporter("exporter", args, secrets)

    return record(program)


def template(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  arguments of `recorded`
    return recorded(**changes)["exporter-deployment"].inputs["spec"]["template"]


def container() -> dict[str, Any]:
    (one,) = template()["spec"]["containers"]
    return one


def test_it_asks_over_tls_whose_certificate_it_checks_against_the_rooms_own_authority() -> None:
    given = dict(one.partition("=")[::2] for one in container()["args"])
    assert given["--es.uri"].startswith("https://")
    assert not any("skip-verify" in one for one in container()["args"])
    (mount,) = container()["volumeMounts"]
    (volume,) = template()["spec"]["volumes"]
    (item,) = volume["secret"]["items"]
    assert f"{mount['mountPath']}/{item['path']}" == given["--es.ca"]
    assert recorded()["exporter-secret"].inputs["stringData"][item["key"]] == AUTHORITY


def test_its_password_is_in_its_secret_alone() -> None:
    texts = {one.name: json.dumps(one.inputs) for one in recorded().resources}
    assert [name for name, text in texts.items() if PASSWORD in text] == ["exporter-secret"]
    (password,) = (one for one in container()["env"] if one["name"] == "ES_PASSWORD")
    assert password["valueFrom"]["secretKeyRef"] == {"name": exporter.COMPONENT, "key": "password"}


def test_it_is_as_any_pod_that_pod_security_restricted_admits_and_speaks_to_no_api_server() -> None:
    spec, security = template()["spec"], container()["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["automountServiceAccountToken"] is False
    assert (security["allowPrivilegeEscalation"], security["readOnlyRootFilesystem"]) == (False, True)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert set(container()["resources"]["requests"]) == set(container()["resources"]["limits"]) == {"cpu", "memory"}
    assert "runAsUser" not in template(openshift=True)["spec"]["securityContext"]


def test_a_new_password_or_authority_rolls_it() -> None:
    def annotations(**changes: str) -> dict[str, str]:
        return template(**changes)["metadata"]["annotations"]

    assert annotations() != annotations(password="another")
    assert annotations() != annotations(authority="another")


def test_an_outage_of_elasticsearch_does_not_restart_it() -> None:
    """Its own health is asked for, not its metrics, which take as long as Elasticsearch's answers."""
    probes = [container()[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")]
    assert {probe["httpGet"]["path"] for probe in probes} == {"/healthz"}
    # Ten seconds pass before it listens, where Elasticsearch does not answer.
    assert probes[0]["periodSeconds"] * probes[0]["failureThreshold"] > 2 * 10


def test_prometheus_finds_it_by_its_labels_and_the_name_of_its_port() -> None:
    (config,) = yaml.safe_load((FILES / "scrape/elasticsearch.yaml").read_text())["scrape_configs"]
    wanted = config["kubernetes_sd_configs"][0]["selectors"][0]["label"].split(",")
    assert dict(one.split("=") for one in wanted).items() <= template()["metadata"]["labels"].items()
    (port,) = container()["ports"]
    found = relabelled(config, {"__meta_kubernetes_pod_container_port_name": port["name"]})
    assert found
    assert found["instance"] == "elasticsearch"
    assert port["containerPort"] == exporter.PORT
