"""What alice gets: exactly the server that her profile says, and a disk of her own."""

from collections.abc import Iterator

import pytest

from tests.e2e.cluster import one
from tests.e2e.person import Person
from tests.e2e.platform import Platform

SIZES = {
    None: {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
    "large": {"requests": {"cpu": "150m", "memory": "256Mi"}, "limits": {"cpu": "1500m", "memory": "1536Mi"}},
}
"""By profile, as stacks/e2e.yaml has them; None is the default one."""


@pytest.fixture(params=list(SIZES), ids=["default", "large"])
def profile(request: pytest.FixtureRequest) -> str | None:
    return request.param


@pytest.fixture
def alice(platform: Platform, profile: str | None) -> Iterator[Person]:
    person = platform.person("alice").log_in()
    if person.model()["servers"]:
        person.stop()
    yield person.start(profile)
    person.stop()


def test_her_pod_is_in_the_users_namespace_with_exactly_her_profile(
    platform: Platform, alice: Person, profile: str | None
) -> None:
    pod = platform.pod("alice")
    assert pod is not None
    [container] = pod["spec"]["containers"]
    assert {key: _amounts(value) for key, value in container["resources"].items()} == {
        key: _amounts(value) for key, value in SIZES[profile].items()
    }
    assert pod["spec"]["schedulerName"] == f"{platform.instance}-user-scheduler"
    security = {**pod["spec"]["securityContext"], **container["securityContext"]}
    assert security["runAsNonRoot"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert not security["allowPrivilegeEscalation"]
    # The kernel agrees: no capability, no way to gain one.
    status = platform.in_pod("alice", "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def test_her_claim_is_bound_from_the_stacks_class(platform: Platform, alice: Person, profile: str | None) -> None:
    claim = one("pvc", "claim-alice", platform.users)
    assert claim["status"]["phase"] == "Bound"
    assert claim["spec"]["storageClassName"] == f"{platform.instance}-home"
    assert claim["status"]["capacity"] == {"storage": "1Gi"}
    volume = one("pv", claim["spec"]["volumeName"])
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"


def _amounts(resources: dict[str, str]) -> dict[str, float]:
    """Quantities as numbers, since Kubernetes writes one amount in several ways."""
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

    def number(text: str) -> float:
        unit = text.lstrip("0123456789.")
        return float(text.removesuffix(unit)) * units.get(unit, 1)

    return {name: number(text) for name, text in resources.items()}
