"""`make verify`: it proves that NetworkPolicies hold, and finds a namespace where they don't."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.kit import Labels
from operate import rig
from operate.isolation import judged, prove
from operate.probe import PROBE, Target, probe, run
from operate.settings_of import settings_of
from operate.steps import OperationError
from tests.e2e.cluster import exists, kubectl, one, until
from tests.e2e.platform import Platform

_OPEN = "e2e-open"
_MANIFEST = str(Path(__file__).parent / "manifests/open.yaml")


@pytest.fixture
def held_back(lab: None) -> Iterator[str]:
    """A namespace whose pods reach its listener and nothing else, as long as its one policy is there."""
    kubectl("apply", "-f", _MANIFEST)
    kubectl("-n", _OPEN, "wait", "pod/listener", "--for=condition=Ready", "--timeout=60s", seconds=70)
    yield _OPEN
    kubectl("delete", "namespace", _OPEN, "--wait", seconds=90)


def test_the_platform_keeps_people_where_its_policies_say(platform: Platform) -> None:
    said = prove(rig.kubectl, settings_of(platform.stack, platform.folder))
    assert "NetworkPolicies hold" in said
    for refused in (f"proxy-api in {platform.hub}", "kubernetes in default", "the metadata service"):
        assert refused in said
    until("the probe's end", lambda: not exists("pod", PROBE, platform.users), 30)


def test_a_namespace_that_loses_its_policies_is_found_out(platform: Platform, held_back: str) -> None:
    settings = settings_of(platform.stack, platform.folder)
    host = one("pod", "listener", held_back)["status"]["podIP"]
    listener = Target(name="the listener", host=host, port=8080, allowed=True)
    address = one("service", "kubernetes", "default")["spec"]["clusterIP"]
    api = Target(name="the API server", host=address, port=443, allowed=False)
    labels = Labels(instance=platform.instance, room="users", component=PROBE)
    image, largest = settings.images.reference(settings.hub.image), settings.users.largest
    pod = probe(held_back, image, (listener, api), labels, largest=largest, uid=65534)
    engine = settings.facts.about.network_policies
    assert "refused the API server" in judged((listener, api), run(rig.kubectl, pod), engine)
    kubectl("-n", held_back, "delete", "networkpolicies", "--all")
    with pytest.raises(OperationError, match="let through to the API server"):
        judged((listener, api), run(rig.kubectl, pod), engine)
