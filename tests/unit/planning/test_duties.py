"""What a plan tells people to do, since no object of elab's can."""

from __future__ import annotations

import shlex
from datetime import date, timedelta

import pytest

from planning import duties
from planning.findings import Finding
from stackfile.problems import StackError
from tests.harness.platform import CLOUDS, settings

TODAY = date(2026, 11, 25)


def told(cloud: str) -> list[Finding]:
    return [one for one in duties.findings(settings(CLOUDS[cloud]), TODAY) if "NetworkPolicies" in one.what]


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


def aging(ami: str, today: date) -> list[Finding]:
    autoscaler = {**CLOUDS["aws"]["cloud"]["autoscaler"], "ami": ami}
    found = settings({**CLOUDS["aws"], "cloud.autoscaler": autoscaler})
    return [one for one in duties.findings(found, today) if one.level == "warning"]


@pytest.mark.parametrize(("days", "warned"), [(0, False), (90, False), (91, True), (430, True)])
def test_an_image_of_nodes_that_has_grown_old_is_a_warning_with_the_way_to_a_new_one(days: int, warned: bool) -> None:
    found = aging(f"al2023@v{TODAY - timedelta(days=days):%Y%m%d}", TODAY)
    assert [one.where for one in found] == ["cloud.autoscaler.ami"] * warned
    for one in found:
        assert f"{days} days old" in one.what
        assert "aws ssm get-parameters-by-path" in one.fix


def test_an_alias_that_tells_no_day_is_not_said_to_be_old() -> None:
    assert aging("bottlerocket@v1.19.0", TODAY) == []


@pytest.mark.parametrize("ami", [None, "al2023@latest", "al2023@v20261399", "al2@v20260101", "ami-0123456789abcdef0"])
def test_there_is_no_default_image_and_no_moving_one_and_the_refusal_shows_how_to_find_one(ami: str | None) -> None:
    autoscaler = {key: value for key, value in CLOUDS["aws"]["cloud"]["autoscaler"].items() if key != "ami"}
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["aws"], "cloud.autoscaler": {**autoscaler, **({"ami": ami} if ami else {})}})
    (problem,) = refused.value.problems
    assert problem.where == "cloud.autoscaler.ami"
    assert "aws ssm get-parameters-by-path" in problem.fix


@pytest.mark.parametrize(("adopt", "warned"), [(True, ["protection.adopt"]), (False, [])])
def test_adoption_that_was_left_on_is_a_warning_since_no_claim_grows_under_it(adopt: bool, warned: list[str]) -> None:
    found = duties.findings(settings({**CLOUDS["onprem-rook"], "protection": {"adopt": adopt}}), TODAY)
    assert [one.where for one in found if one.level == "warning"] == warned


def test_placeholders_where_nothing_adds_nodes_are_told_to_be_idle() -> None:
    idle = [one for one in duties.findings(settings(CLOUDS["local"]), TODAY) if "placeholders keep no room" in one.what]
    assert [(one.level, one.where) for one in idle] == [("warning", "pools.0.placeholders")]
    grown = duties.findings(settings(CLOUDS["aws"]), TODAY)
    assert not [one for one in grown if "placeholders keep no room" in one.what]


@pytest.mark.parametrize(("controller", "redirects"), [("traefik", False), ("ingress-nginx", True), ("haproxy", True)])
def test_where_the_controller_leads_nobody_from_http_to_https_its_owner_is_told(
    controller: str, redirects: bool
) -> None:
    found = duties.findings(settings({"entry.controller": controller}), TODAY)
    assert any("http.redirections" in one.fix for one in found) != redirects
