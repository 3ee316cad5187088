"""Whatever of the platform dies, people go on working."""

import json

import pytest

from tests.e2e.cluster import found, kubectl, one, roll_out, until
from tests.e2e.person import Person
from tests.e2e.platform import Platform


def _names(platform: Platform, component: str) -> set[str]:
    selector = f"app.kubernetes.io/component={component}"
    return {pod["metadata"]["name"] for pod in found("pods", platform.hub, "-l", selector)}


@pytest.fixture
def alice(platform: Platform) -> Person:
    return platform.person("alice").log_in().at_work()


def _kill(platform: Platform, component: str) -> None:
    """End a Deployment's pod without a warning, and wait until another one is ready."""
    name = platform.the_pod_of(component)["metadata"]["name"]
    kubectl("-n", platform.hub, "delete", "pod", name, "--grace-period=0", "--force")
    until(f"another {component}", lambda: _names(platform, component) - {name}, 30)
    roll_out(platform.hub, component)


def test_running_servers_go_on_while_the_hub_is_dead_and_login_works_again(platform: Platform, alice: Person) -> None:
    before = platform.uid("alice")
    kernel = alice.kernel()
    kernel.run("kept = 6 * 7")
    kubectl("-n", platform.hub, "scale", "deployment/hub", "--replicas=0")
    until("the hub is dead", lambda: alice.request("GET", "/hub/health")[0] >= 500, 60)
    # Page, API and kernel, all without a hub.
    assert alice.reaches_server()
    alice.write("meanwhile.txt", "no hub")
    assert kernel.run("print(kept)") == "42\n"
    kubectl("-n", platform.hub, "scale", "deployment/hub", "--replicas=1")
    roll_out(platform.hub, "hub")
    until("the hub's page", lambda: alice.request("GET", "/hub/health")[0] == 200, 30)
    # The session outlived the hub, the hub found the server, and a new person gets in.
    assert alice.is_in()
    assert alice.has_server()
    platform.person("bob").log_in()
    assert kernel.run("print(kept)") == "42\n"
    kernel.close()
    assert platform.uid("alice") == before


def test_a_hub_that_is_killed_outright_comes_back_with_every_session(platform: Platform, alice: Person) -> None:
    _kill(platform, "hub")
    until("the hub's page", alice.is_in, 30)
    assert alice.has_server()


def test_a_hub_that_starts_while_the_cluster_refuses_it_forgets_no_server(platform: Platform, alice: Person) -> None:
    before = platform.uid("alice")
    binding = one("rolebinding", "hub", platform.users)
    where = ("-n", platform.users, "patch", "rolebinding", "hub", "--type=json", "-p")
    kubectl(*where, json.dumps([{"op": "remove", "path": "/subjects"}]))
    try:
        _kill(platform, "hub")
        until("the hub's page", alice.is_in, 30)
        assert alice.model()["servers"][""]["pending"] == "check"
        assert alice.reaches_server()
        alice.write("meanwhile.txt", "the hub knows nothing")
    finally:
        kubectl(*where, json.dumps([{"op": "add", "path": "/subjects", "value": binding["subjects"]}]))
    until("her server is known again", alice.has_server, 20)
    assert alice.reaches_server()
    assert platform.uid("alice") == before


def test_routes_come_back_when_the_proxy_is_killed(platform: Platform, alice: Person) -> None:
    assert alice.reaches_server()
    _kill(platform, "proxy")
    # The node may still lead a connection to the pod that is gone; hers is given up soon, as by a person who reloads.
    alice.patience = 3
    # The hub looks at the routes every 5 s, and its own first request may take 3 s to fail.
    until("the new proxy's route to her server", alice.reaches_server, 20)
    assert alice.is_in()


def test_servers_start_again_after_the_scheduler_was_killed(platform: Platform, alice: Person) -> None:
    alice.stop()
    _kill(platform, "user-scheduler")
    alice.start()


def test_a_start_goes_on_when_the_hub_is_killed_meanwhile(platform: Platform, alice: Person) -> None:
    alice.stop()
    kubectl("-n", platform.hub, "scale", "deployment/user-scheduler", "--replicas=0")
    try:
        until("the scheduler's end", lambda: not _names(platform, "user-scheduler"), 30)
        # As long as a new node takes, nothing happens to the pod.
        assert alice.ask_for_server()[0] in (201, 202)
        waiting = until("her pod", lambda: platform.pod("alice"), 20)
        assert waiting is not None
        _kill(platform, "hub")
    finally:
        kubectl("-n", platform.hub, "scale", "deployment/user-scheduler", "--replicas=1")
    until("the hub's page", alice.is_in, 30)
    alice.open()
    assert platform.uid("alice") == waiting["metadata"]["uid"]
