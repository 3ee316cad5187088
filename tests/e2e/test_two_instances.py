"""Two instances in one cluster: each with its own names, neither in the other's way."""

from tests.e2e.cluster import try_kubectl
from tests.e2e.platform import Platform
from tests.e2e.reach import reached


def test_their_names_are_disjoint(platform: Platform, kept: Platform) -> None:
    first, second = (set(instance.leftovers()) for instance in (platform, kept))
    assert first
    assert second
    assert not first & second


def test_a_login_at_one_is_no_login_at_the_other(platform: Platform, kept: Platform) -> None:
    alice = platform.person("alice").log_in()
    # Browsers keep cookies by host, whatever the port: the second hub is sent those of the first.
    elsewhere = kept.person("alice", alice.cookies)
    assert not elsewhere.is_in()


def test_a_server_of_one_does_not_reach_the_other(platform: Platform, kept: Platform) -> None:
    platform.person("alice").log_in().at_work()
    bob = kept.person("bob").log_in().at_work()
    server = kept.pod("bob")
    assert server is not None
    answers = reached(
        platform.users,
        "jupyter-alice",
        (f"hub.{platform.hub}.svc", 8081),
        (f"hub.{kept.hub}.svc", 8081),
        (f"proxy-public.{kept.hub}.svc", 80),
        (server["status"]["podIP"], 8888),
    )
    assert list(answers.values()) == [True, False, False, False]
    bob.stop()


def test_one_hub_may_not_touch_the_others_servers(platform: Platform, kept: Platform) -> None:
    assert _may(kept, "delete", "pods", kept.users) == "yes"
    for verb, kind in (("delete", "pods"), ("get", "persistentvolumeclaims"), ("get", "secrets")):
        assert _may(platform, verb, kind, kept.users) == "no"
        assert _may(kept, verb, kind, platform.users) == "no"


def _may(instance: Platform, verb: str, kind: str, namespace: str) -> str:
    account = f"system:serviceaccount:{instance.hub}:hub"
    return try_kubectl("auth", "can-i", verb, kind, "-n", namespace, "--as", account).stdout.strip()
