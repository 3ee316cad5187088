"""Data that is protected as in prod outlives `down`, and the next `up` takes it over."""

import json
from pathlib import Path

import pytest

from tests.e2e.cluster import exists, found, kubectl, one, until
from tests.e2e.person import Person
from tests.e2e.platform import Platform

_WORDS = "worth keeping"


@pytest.fixture
def alice(kept: Platform) -> Person:
    person = kept.person("alice").log_in().at_work()
    person.write("kept.txt", _WORDS)
    return person


def _token(person: Person) -> str:
    """A token that lives in the hub's database alone."""
    status, text, _ = person.request("POST", f"/hub/api/users/{person.name}/tokens", body={"note": "before"})
    assert status == 201, text
    return json.loads(text)["token"]


def _secrets(kept: Platform) -> dict[str, dict[str, str]]:
    return {secret["metadata"]["name"]: secret["data"] for secret in found("secrets", kept.hub)}


def _volumes(kept: Platform) -> dict[str, str]:
    """The volume of each claim that matters."""
    claims = {"claim-alice": kept.users, "hub-db": kept.hub}
    return {claim: one("pvc", claim, namespace)["spec"]["volumeName"] for claim, namespace in claims.items()}


def _stop_everybody(kept: Platform) -> None:
    kubectl("-n", kept.users, "delete", "pods", "--all", "--wait", seconds=60)


def test_down_keeps_claims_database_and_keys_and_up_takes_them_over(kept: Platform, alice: Person) -> None:
    token, secrets, volumes = _token(alice), _secrets(kept), _volumes(kept)
    kept.down()
    assert not found("deployments", kept.hub)
    assert not found("pods", kept.users)
    assert _volumes(kept) == volumes
    kept.up()
    assert _volumes(kept) == volumes
    assert _secrets(kept) == secrets
    assert _knows(kept, token) == "alice"
    # Her old browser is still logged in, since the cookie secret is the same.
    until("the hub's page", alice.is_in, 30)
    assert alice.at_work().read("kept.txt") == _WORDS


def test_a_stack_that_was_unprotected_and_destroyed_left_its_data_to_the_next(kept: Platform, alice: Person) -> None:
    token, volumes = _token(alice), _volumes(kept)
    _stop_everybody(kept)
    kept.unprotect()
    kept.pulumi("destroy", "--remove")
    assert _volumes(kept) == volumes
    steps = kept.up(protection={"adopt": True})
    imported = {step["urn"].rpartition("::")[2] for step in steps if step["op"].startswith("import")}
    assert {"namespaces-users", "namespaces-hub", "hub-hub-db"} <= imported
    assert _volumes(kept) == volumes
    # The keys are new, so that everybody logs in again; the hub's database knows its people all the same.
    assert _knows(kept, token) == "alice"
    assert kept.person("alice").log_in().at_work().read("kept.txt") == _WORDS
    # Afterwards they are the stack's own as they were before.
    steps = kept.up(protection={"adopt": False})
    assert {step["op"] for step in steps} <= {"update"}
    # The provider, since it takes nothing over any more.
    assert {step["urn"].rpartition("::")[2] for step in steps} <= {*imported, "kubernetes"}
    assert kept.pulumi("preview", "--expect-no-changes") == []


def test_a_platform_whose_state_was_lost_while_it_runs_is_taken_over_and_servers_run_on(
    kept: Platform, alice: Person
) -> None:
    token, volumes, server = _token(alice), _volumes(kept), kept.uid("alice")
    kept.lose_state()
    kept.create()
    kept.up(protection={"adopt": True})
    assert _volumes(kept) == volumes
    assert _knows(kept, token) == "alice"
    assert kept.uid("alice") == server
    assert kept.person("alice").log_in().at_work().read("kept.txt") == _WORDS
    kept.up(protection={"adopt": False})
    assert kept.pulumi("preview", "--expect-no-changes") == []


def test_deleting_a_claim_keeps_its_volume_here(kept: Platform) -> None:
    bob = kept.person("bob").log_in().at_work()
    bob.write("precious.txt", _WORDS)
    volume = one("pvc", "claim-bob", kept.users)["spec"]["volumeName"]
    bob.stop()
    kubectl("-n", kept.users, "delete", "pvc", "claim-bob")
    until("the volume is released", lambda: one("pv", volume)["status"]["phase"] == "Released", 20)
    assert exists("pv", volume)
    assert Path(one("pv", volume)["spec"]["local"]["path"], "precious.txt").read_text() == _WORDS


def _knows(kept: Platform, token: str) -> str:
    """Whom the hub takes the bearer of a token for."""
    visitor = kept.person("alice")
    visitor.opener.addheaders = [("Authorization", f"token {token}")]

    def name() -> str:
        status, text, _ = visitor.request("GET", "/hub/api/user")
        return json.loads(text)["name"] if status == 200 else ""

    return until("the hub's answer", name, 60)
