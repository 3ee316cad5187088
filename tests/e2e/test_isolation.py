"""What alice can't reach: anybody else's server and files, the platform's insides, the cluster and the cloud."""

import json
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from operate import rig
from tests.e2e.cluster import found, one, run_in
from tests.e2e.conftest import PROBE
from tests.e2e.person import Person
from tests.e2e.platform import Platform
from tests.e2e.reach import Address, reached

_MARK = "only-bob-knows-this"


@pytest.fixture(scope="module")
def metadata(lab: None) -> Iterator[str]:
    """The lab's stand-in for a cloud's metadata host; nothing is ever sent to a real one."""
    yield rig.output([*rig.LAB, "metadata", "up"]).split()[-1]
    rig.run([*rig.LAB, "metadata", "down"])


@pytest.fixture(scope="module")
def alice(platform: Platform) -> Person:
    return platform.person("alice").log_in().at_work()


@pytest.fixture(scope="module")
def bob(platform: Platform) -> Person:
    person = platform.person("bob").log_in().at_work()
    person.write("secret.txt", _MARK)
    return person


def _from_her_pod(platform: Platform, *addresses: Address) -> dict[str, bool]:
    return reached(platform.users, "jupyter-alice", *addresses)


def _from_outside(probe: str, *addresses: Address) -> dict[str, bool]:
    return reached(PROBE, probe, *addresses)


def _address(pod: dict[str, dict[str, str]] | None) -> str:
    assert pod is not None
    return pod["status"]["podIP"]


def test_she_reaches_the_hub_and_the_one_address(platform: Platform, alice: Person) -> None:
    answers = _from_her_pod(platform, (f"hub.{platform.hub}.svc", 8081), (f"proxy-public.{platform.hub}.svc", 80))
    assert all(answers.values()), answers


def test_she_does_not_reach_bobs_server_by_network(platform: Platform, alice: Person, bob: Person) -> None:
    server = (_address(platform.pod("bob")), 8888)
    assert all(reached(platform.hub, "deploy/hub", server).values()), "it must be there for those who may"
    assert not any(_from_her_pod(platform, server).values())


def test_she_does_not_reach_the_platforms_insides(platform: Platform, alice: Person) -> None:
    hub, proxy = (_address(platform.the_pod_of(name)) for name in ("hub", "proxy"))
    scheduler = _address(platform.the_pod_of("user-scheduler"))
    answers = _from_her_pod(
        platform,
        (f"proxy-api.{platform.hub}.svc", 8001),
        (proxy, 8001),
        (proxy, 8002),
        (scheduler, 10259),
        # Nothing but the hub's own port: neither an LDAP nor a database port would be open.
        (hub, 22),
        (hub, 5432),
        (f"directory.{platform.directory.namespace}.svc", 389),
        (f"directory-2.{platform.directory.namespace}.svc", 636),
    )
    assert not any(answers.values()), answers


def test_the_proxys_api_answers_the_hub_alone(platform: Platform, alice: Person, probe: str) -> None:
    api = (_address(platform.the_pod_of("proxy")), 8001)
    assert all(reached(platform.hub, "deploy/hub", api).values())
    assert not any(_from_outside(probe, api).values())


def test_she_does_not_reach_the_kubernetes_api(platform: Platform, alice: Person, probe: str) -> None:
    slices = found("endpointslices", "default", "-l", "kubernetes.io/service-name=kubernetes")
    [address] = slices[0]["endpoints"][0]["addresses"]
    api: list[Address] = [("kubernetes.default.svc", 443), (address, slices[0]["ports"][0]["port"])]
    assert all(_from_outside(probe, *api).values())
    assert not any(_from_her_pod(platform, *api).values())
    # And there is nothing that she could show it.
    mounts = platform.in_pod("alice", "cat", "/proc/mounts")
    assert "serviceaccount" not in mounts


def test_she_reaches_the_internet_but_not_the_clouds_metadata(
    platform: Platform, alice: Person, probe: str, metadata: str
) -> None:
    assert all(_from_outside(probe, (metadata, 80)).values())
    # The machine's own end of the link is a public address too, so that nothing but the setting tells the two apart.
    neighbour = str(ip_address(metadata) + 1)
    with socket.create_server((neighbour, 0)) as listener:
        internet = (neighbour, listener.getsockname()[1])
        answers = _from_her_pod(platform, internet, (metadata, 80))
    assert list(answers.values()) == [True, False], answers


def test_the_hubs_database_and_bobs_files_are_not_hers(platform: Platform, alice: Person, bob: Person) -> None:
    pod = platform.pod("alice")
    assert pod is not None
    volumes = pod["spec"]["volumes"]
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume]
    assert claims == ["claim-alice"]
    assert not [volume for volume in volumes if volume.keys() & {"hostPath", "secret", "projected"}]
    assert one("pvc", "hub-db", platform.hub)["status"]["phase"] == "Bound"
    # Whatever she can read on the machine, from the root on, holds neither.
    look = f"find / -xdev -name jupyterhub.sqlite 2>/dev/null; grep -rls {_MARK} /home /tmp /srv /mnt /var 2>/dev/null"
    assert platform.in_pod("alice", "sh", "-c", f"{look}; true") == ""
    assert bob.read("secret.txt") == _MARK


@pytest.mark.parametrize("path", ["/lab", "/api/contents/secret.txt", "/files/secret.txt", "/api/terminals"])
@pytest.mark.parametrize("visitor", ["alice", "ada"])
def test_nobody_opens_bobs_server_by_url_not_even_an_administrator(
    platform: Platform, bob: Person, visitor: str, path: str
) -> None:
    person = platform.person(visitor).log_in()
    status, text, _ = person.request("GET", bob.home + path)
    assert status in (403, 404), status
    assert _MARK not in text


def test_an_administrator_sees_the_servers_and_makes_no_token_for_them(
    platform: Platform, alice: Person, bob: Person
) -> None:
    ada = platform.person("ada").log_in()
    assert ada.request("GET", "/hub/admin")[0] == 200
    status, text, _ = ada.request("GET", "/hub/api/users")
    assert status == 200
    assert {"alice", "bob"} <= {user["name"] for user in json.loads(text)}
    assert ada.request("POST", "/hub/api/users/alice/tokens", body={})[0] in (403, 404)
    assert ada.request("PATCH", "/hub/api/users/ada", body={"admin": True})[0] in (403, 404)
    # For everybody else there is no such page.
    assert alice.request("GET", "/hub/admin")[0] == 403
    assert alice.request("GET", "/hub/api/users")[0] == 403
    assert alice.request("GET", "/hub/api/users/bob")[0] in (403, 404)
    assert alice.request("DELETE", "/hub/api/users/bob/server")[0] in (403, 404)
    assert bob.reaches_server()


def test_the_hub_may_do_nothing_outside_the_users_namespace(platform: Platform) -> None:
    token = run_in(platform.hub, "deploy/hub", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
    assert token
    rules = found("role", platform.users) + found("role", platform.hub)
    hub = [role for role in rules if role["metadata"]["name"] == "hub"]
    assert [role["metadata"]["namespace"] for role in hub] == [platform.users]
