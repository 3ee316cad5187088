"""The image puller: every node of a pool has that pool's images, and nobody waits for it."""

from __future__ import annotations

from typing import Any

from planning.recording import Recording
from tests.harness.platform import objects, pod, unmonitored

NOTEBOOK = "quay.io/jupyter/datascience-notebook:2025-03-14"
R = "quay.io/jupyter/r-notebook:2025-03-14"


def pullers(recording: Recording) -> dict[str, Any]:
    found = objects(recording, "DaemonSet")
    return {name: body for name, body in found.items() if name.startswith("elab-placeholders/")}


def pulled(recording: Recording, pool: str) -> list[str]:
    spec = pod(recording, f"daemonset-puller-{pool}").spec
    return [one["image"] for one in spec["initContainers"]]


def test_each_pool_pulls_exactly_the_images_of_its_profiles() -> None:
    recording = unmonitored()
    assert pulled(recording, "general") == [NOTEBOOK]
    assert pulled(recording, "memory") == [NOTEBOOK, R]


def test_an_image_that_no_profile_offers_is_not_pulled() -> None:
    unused = {
        "r": {"title": "R", "image": R},
        "julia": {"title": "Julia", "image": "quay.io/jupyter/julia-notebook:2025-03-14"},
    }
    recording = unmonitored({"users.images": unused})
    assert {image for pool in ("general", "memory") for image in pulled(recording, pool)} == {NOTEBOOK, R}


def test_it_pulls_what_servers_run_by_digest_and_from_the_mirror() -> None:
    digest = "sha256:" + "ab" * 32
    recording = unmonitored({"images": {"digests": {R: digest}, "mirrors": {"quay.io": "mirror.example.org/quay"}}})
    assert f"mirror.example.org/quay/jupyter/r-notebook:2025-03-14@{digest}" in pulled(recording, "memory")


def test_each_pools_puller_runs_on_every_node_of_the_pool_and_on_no_other() -> None:
    for pool, tolerations in (("general", 1), ("memory", 0)):
        spec: Any = pod(unmonitored(), f"daemonset-puller-{pool}").spec
        affinity = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        (term,) = affinity["nodeSelectorTerms"]
        assert term["matchExpressions"] == [{"key": "elab.dev/pool", "operator": "In", "values": [pool]}]
        assert len(spec["tolerations"]) == tolerations


def test_nobody_waits_for_a_puller_and_a_new_image_goes_to_all_nodes_at_once() -> None:
    for name, body in pullers(unmonitored()).items():
        assert body["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true", name
        assert body["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == "100%", name


def test_two_pools_pullers_select_pods_of_their_own() -> None:
    selectors = [str(body["spec"]["selector"]) for body in pullers(unmonitored()).values()]
    assert len(selectors) == len(set(selectors)) == 2


def test_a_stack_can_do_without() -> None:
    assert pullers(unmonitored({"puller": {"enabled": False}})) == {}
