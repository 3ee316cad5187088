"""One login for several clouds: what the home's stack and a member's stack make, and what passes between them."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components.hub.places import HomeLogin
from home import home_of
from planning.homes import references
from planning.recorder import record
from planning.recording import Recording, strings_in
from tests.harness.network import End, network
from tests.harness.platform import container, objects, settings, unmonitored, with_secrets
from tests.unit.components.ends import HUB, PORTS, cluster_pods

PLACES = [
    {"name": "here", "title": "Here"},
    {"name": "aws-1", "title": "AWS", "url": "https://aws.example.org"},
    {"name": "gcp", "title": "GCP", "url": "https://gcp.example.org"},
]
HOME = {"places": PLACES}
STACK = "organization/elab/prod"
MEMBER = {"directory": None, "login": {"kind": "home", "place": "aws-1", "stack": STACK, "cidrs": ["198.51.100.7/32"]}}
ELSEWHERE = {"directory": None, "login": {"kind": "home", "place": "aws-1", "url": "https://home.example.org:8443"}}
ONLY_HUB = {"monitoring": {"enabled": False}, "logging": {"enabled": False}}


def variables(recording: Recording) -> dict[str, Any]:
    return {
        one["name"]: one.get("value", one.get("valueFrom")) for one in container(recording, "deployment-hub")["env"]
    }


def secret_names(recording: Recording) -> set[str]:
    return {name.removeprefix("elab-hub/") for name in objects(recording, "Secret") if name.startswith("elab-hub/")}


def values(recording: Recording) -> dict[str, Any]:
    return json.loads(objects(recording, "ConfigMap")["elab-hub/hub-values"]["data"]["values.json"])


def rolled(recording: Recording) -> str:
    template = objects(recording, "Deployment")["elab-hub/hub"]["spec"]["template"]
    return template["metadata"]["annotations"]["elab.dev/secrets-hash"]


def test_home_makes_each_other_place_a_key_that_its_hub_reads_and_its_stack_hands_out_as_a_secret() -> None:
    recording = unmonitored(HOME)
    keys = recording.outputs["place_secrets"]
    assert sorted(keys) == ["aws-1", "gcp"]
    assert "place_secrets" in recording.secret_outputs
    made = objects(recording, "Secret")
    for place, key in keys.items():
        assert made[f"elab-hub/hub-place-{place}"]["stringData"] == {"value": key}
    for place, told in zip(PLACES[1:], values(recording)["places"][1:], strict=True):
        source = variables(recording)[told["secret_variable"]]
        assert source["secretKeyRef"]["name"] == f"hub-place-{place['name']}"
    assert values(recording)["places"][0]["secret_variable"] is None


def test_a_stack_without_places_hands_out_nothing_and_is_as_it_was() -> None:
    recording = unmonitored()
    assert "place_secrets" not in recording.outputs
    assert (values(recording)["places"], values(recording)["home"]) == ([], None)


def test_a_member_knows_homes_address_and_its_own_key_and_asks_no_directory() -> None:
    recording = unmonitored(MEMBER)
    found = variables(recording)
    given = references({"elab:login": json.dumps(MEMBER["login"])})[STACK]
    assert found["ELAB_HOME_URL"] == given["url"]
    assert found["ELAB_HOME_SECRET"]["secretKeyRef"]["name"] == "hub-home-client"
    key = objects(recording, "Secret")["elab-hub/hub-home-client"]["stringData"]["value"]
    assert key == given["place_secrets"]["aws-1"]
    assert "ELAB_LDAP_BIND_PASSWORD" not in found
    assert "hub-ldap-bind" not in secret_names(recording)
    assert values(recording)["directory"] is None
    assert values(recording)["home"] == {"place": "aws-1", "ca_file": None, "refresh": 300}


@pytest.mark.parametrize("changes", [HOME, MEMBER, ELSEWHERE], ids=["home", "member", "in another backend"])
def test_no_key_between_clouds_stands_outside_a_secret(changes: dict[str, Any]) -> None:
    recording = unmonitored(changes)
    keys = [
        text
        for name in secret_names(recording)
        if name.startswith(("hub-place-", "hub-home-"))
        for text in strings_in(objects(recording, "Secret")[f"elab-hub/{name}"]["stringData"])
    ]
    assert keys
    for one in recording.kubernetes():
        if one.inputs["kind"] == "Secret":
            assert {path[0] for path in one.secret_paths} == {"stringData"}, one.urn
        else:
            assert [text for text in strings_in(one.inputs) if any(key in text for key in keys)] == [], one.urn


def test_a_home_in_another_backend_is_named_and_its_key_is_a_secret_of_this_stack() -> None:
    first, second = (with_secrets({"home_client_secret": key}, {**ELSEWHERE, **ONLY_HUB}) for key in ("one", "two"))
    assert variables(first)["ELAB_HOME_URL"] == "https://home.example.org:8443"
    assert objects(first, "Secret")["elab-hub/hub-home-client"]["stringData"] == {"value": "one"}
    # A new key rolls the hub.
    assert rolled(first) != rolled(second)


@pytest.mark.parametrize(
    ("changes", "ends"),
    [(MEMBER, {("home", 443)}), (ELSEWHERE, {("home", 8443), ("other", 8443)})],
    ids=["by its addresses", "anywhere at its port"],
)
def test_a_members_hub_reaches_home_and_no_directory(changes: dict[str, Any], ends: set[tuple[str, int]]) -> None:
    recording = unmonitored(changes)
    walked, hub = network(recording), cluster_pods(recording)[HUB]
    outside = [
        End(name="home", address="198.51.100.7"),
        End(name="other", address="198.51.100.8"),
        End(name="directory", address="10.30.0.7"),
    ]
    reached = {(end.name, port) for end in outside for port in PORTS if walked.allows(hub, end, port)}
    assert {one for one in reached if one[0] != "directory"} == ends
    assert ("directory", 636) not in reached


def test_a_place_that_home_does_not_name_ends_the_up_with_the_way_out() -> None:
    def program() -> None:
        login = HomeLogin.model_validate({"kind": "home", "place": "azure", "stack": STACK})
        found = home_of(login, {})
        assert found is not None
        pulumi.export("key", found.secret)

    given = {STACK: {"url": "https://home.example.org", "place_secrets": {"aws": "key"}}}
    with pytest.raises(pulumi.RunError, match=r'"azure", which organization/elab/prod does not name') as refusal:
        record(program, references=given)
    assert "a place of the home stack: aws" in str(refusal.value)
    assert "key" not in str(refusal.value).replace("login.place", "")


def test_a_home_that_has_no_places_yet_ends_the_up_likewise() -> None:
    def program() -> None:
        login = HomeLogin.model_validate({"kind": "home", "place": "azure", "stack": STACK})
        found = home_of(login, {})
        assert found is not None
        pulumi.export("key", found.secret)

    with pytest.raises(pulumi.RunError, match="a place of the home stack: none"):
        record(program, references={STACK: {"url": "https://home.example.org"}})


def test_grafana_of_a_member_without_directory_lets_in_its_administrator_alone() -> None:
    made = settings(MEMBER)
    assert made.monitoring.grafana.enabled
    assert made.monitoring_args.directory is None
