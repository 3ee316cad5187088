"""A digest of an image that nothing runs is told: it pins nothing, and the image that was meant stays open."""

from __future__ import annotations

from planning import digests
from tests.harness.rooms import settings_of

HUB = "quay.io/jupyterhub/k8s-hub:4.4.0"
DIGEST = "sha256:" + "1" * 64


def test_a_digest_of_an_image_that_nothing_runs_is_told_with_the_one_that_is_like_it() -> None:
    written = {HUB: DIGEST, HUB.replace("4.4.0", "4.4.O"): DIGEST, "registry.example.org/a/b:1": DIGEST}
    slip, other = digests.findings(settings_of("dev", images={"digests": written}))
    assert (slip.level, slip.where) == ("warning", "images.digests")
    assert "k8s-hub:4.4.O" in slip.what
    assert slip.fix == f"write {HUB}, or remove it"
    assert "registry.example.org/a/b:1" in other.what
    assert other.fix == "remove it"


def test_a_digest_of_an_image_that_is_run_says_nothing() -> None:
    assert list(digests.findings(settings_of("dev", images={"digests": {HUB: DIGEST}}))) == []
