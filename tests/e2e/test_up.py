"""From nothing to a platform, and nothing left to do."""

import pytest

from components.namespaces import ROOMS
from tests.e2e.cluster import found, one, try_kubectl, until
from tests.e2e.platform import Platform


def test_up_from_nothing_gives_a_hub_that_answers(platform: Platform) -> None:
    until("the hub's health page", lambda: platform.person("alice").request("GET", "/hub/health")[0] == 200, 60)
    deployments = found("deployments", platform.hub)
    ready = {item["metadata"]["name"]: item["status"].get("readyReplicas") for item in deployments}
    assert ready == {"hub": 1, "proxy": 1, "user-scheduler": 1}


def test_a_second_preview_shows_no_change(platform: Platform) -> None:
    assert platform.pulumi("preview", "--expect-no-changes") == []


def test_a_preview_that_reads_the_cluster_first_shows_no_drift(platform: Platform) -> None:
    steps = platform.pulumi("preview", "--refresh", "--expect-no-changes")
    assert {step["op"] for step in steps} == {"refresh"}


@pytest.mark.parametrize("room", [room for room, level in ROOMS.items() if level == "restricted"])
def test_no_namespace_takes_a_pod_that_may_gain_rights(platform: Platform, room: str) -> None:
    namespace = f"{platform.instance}-{room}"
    command = ("run", "intruder", "--image=lab.local/base:1", "--dry-run=server", "-n", namespace)
    refused = try_kubectl(*command)
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted:' in refused.stderr


def test_every_pod_runs_as_restricted_asks_with_requests_and_limits(platform: Platform) -> None:
    for pod in found("pods", platform.hub):
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["spec"]["containers"]:
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
            assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
            assert container["securityContext"]["readOnlyRootFilesystem"]


def test_an_image_that_no_node_can_pull_blocks_neither_up_nor_anything_else(platform: Platform) -> None:
    # The stack has a profile whose image is in no registry: the puller of the only pool waits for it.
    puller = one("daemonset", "puller-machine", f"{platform.instance}-placeholders")
    assert puller["status"]["desiredNumberScheduled"] == 1
    assert puller["status"].get("numberReady", 0) == 0
    platform.person("alice").log_in()
