"""What a plan tells people to do, since no object of elab's can."""

from __future__ import annotations

import shlex

import pytest

from planning import duties
from planning.findings import Finding
from tests.harness.platform import CLOUDS, settings


def told(cloud: str) -> list[Finding]:
    return [one for one in duties.findings(settings(CLOUDS[cloud])) if "NetworkPolicies" in one.what]


@pytest.mark.parametrize(
    ("cloud", "command"),
    [
        ("aws", ["aws", "eks", "update-addon", "--cluster-name", "elab", "--addon-name", "vpc-cni"]),
        ("gcp", ["gcloud", "container", "clusters", "update", "elab", "--location", "us-central1"]),
        ("azure", ["az", "aks", "update", "--resource-group", "elab", "--name", "elab", "--network-policy", "calico"]),
    ],
)
def test_where_a_new_cluster_enforces_no_network_policies_the_plan_gives_the_command(
    cloud: str, command: list[str]
) -> None:
    (duty,) = told(cloud)
    assert shlex.split(duty.fix.partition(" (")[0])[: len(command)] == command
    assert "make verify" in duty.fix
    assert settings(CLOUDS[cloud]).facts.about.network_policies.remarks in duty.fix


def test_amazons_add_on_takes_its_value_as_text() -> None:
    """Its schema refuses a bare true."""
    (duty,) = told("aws")
    assert """--configuration-values '{"enableNetworkPolicy": "true"}'""" in duty.fix


def test_a_cluster_of_the_institutions_own_is_asked_for_its_network_plugin() -> None:
    assert "Flannel" in told("onprem-rook")[0].what


def test_openshift_enforces_them_by_itself_and_nobody_is_bothered() -> None:
    assert told("openshift") == []
