"""What `down` leaves of a stack that protects nothing: nothing. And an `up` that was killed half way."""

import os
import signal
import subprocess
import sys

from operate import project, rig
from operate.recovery import recover
from tests.e2e.cluster import exists, found, kubectl, until
from tests.e2e.platform import Platform


def test_down_leaves_nothing_behind(platform: Platform) -> None:
    # With a server at work and disks in use, as on any day.
    platform.person("alice").log_in().at_work()
    assert platform.volumes()
    assert platform.leftovers()
    platform.down()
    until("the end of the volumes", lambda: not platform.volumes(), 20)
    assert platform.leftovers() == []
    namespaces = {item["metadata"]["name"] for item in found("namespaces")}
    assert not namespaces & {platform.hub, platform.users}
    kinds = "pods,services,pvc,secrets,configmaps,roles,rolebindings"
    label = f"app.kubernetes.io/instance={platform.instance}"
    assert kubectl("get", kinds, "-A", "-l", label, "-o", "name") == ""


def test_a_purge_deletes_what_is_protected_and_volumes_that_their_class_retains(kept: Platform) -> None:
    assert {volume["spec"]["persistentVolumeReclaimPolicy"] for volume in kept.volumes()} == {"Retain"}
    kept.purge()
    until("the end of the volumes", lambda: not kept.volumes(), 20)
    assert kept.leftovers() == []


def test_an_up_that_was_killed_half_way_goes_on(platform: Platform) -> None:
    platform.pulumi("destroy")
    where = ("--dir", platform.folder, "--stack", platform.stack, "--python", sys.executable)
    command = [*rig.LAB, "pulumi", "up", *where]
    half = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until("half of it", lambda: exists("deployment", "proxy", platform.hub), 60, every=0.1)
        assert half.poll() is None, "it ended before it could be killed"
    finally:
        os.killpg(half.pid, signal.SIGKILL)
        half.wait(timeout=10)
    project.select(platform.folder, platform.stack)
    recover(platform.folder, platform.stack)
    platform.up()
    until("the login page", lambda: platform.person("alice").request("GET", "/hub/login")[0] == 200, 60)
    platform.person("alice").log_in().start()
    assert platform.pulumi("preview", "--expect-no-changes") == []
