"""Idle servers give their resources back; work without a browser is no idleness."""

import json
import re
import time

import pytest

from tests.e2e.cluster import one, until
from tests.e2e.person import Person
from tests.e2e.platform import Platform

_TIMEOUT, _MAX_AGE, _WARNING = 20, 600, 300
"""Seconds without activity, of a server's life, and of warning before its end, as stacks/e2e-kept.yaml has them."""


def _at_work(kept: Platform, name: str) -> Person:
    return kept.person(name).log_in().at_work()


def _requested(kept: Platform) -> str:
    """What the servers of this instance take of the node's processors, by the cluster's own account."""
    return one("quota", "backstop", kept.users)["status"]["used"]["requests.cpu"]


def _give_work(kept: Platform) -> None:
    """Bob computes and ada has a job, both silent and without a browser: neither output nor requests."""
    bob, ada = (_at_work(kept, name) for name in ("bob", "ada"))
    kernel = bob.kernel()
    kernel.submit("import time; time.sleep(600)")
    kernel.close()
    ada.type_into_terminal("sleep 601")


@pytest.mark.usefixtures("doomed")
def test_an_idle_server_goes_while_a_busy_kernel_and_a_job_in_a_terminal_stay(kept: Platform) -> None:
    alice = _at_work(kept, "alice")
    alice.write("proof.txt", "written before she left")
    _give_work(kept)
    taken = _requested(kept)
    began = time.monotonic()
    until("alice's server is culled", lambda: kept.pod("alice") is None, 4 * _TIMEOUT, every=1)
    assert time.monotonic() - began > _TIMEOUT / 2, "not before its time"
    until("her share is given back", lambda: _requested(kept) != taken, 20)
    # Long after their last request the others are at work still.
    time.sleep(max(0.0, began + 2.5 * _TIMEOUT - time.monotonic()))
    assert kept.pod("bob") is not None
    assert kept.pod("ada") is not None
    assert "sleep 601" in kept.in_pod("ada", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    # What she left is there when she comes back.
    assert alice.start().read("proof.txt") == "written before she left"


def test_work_that_has_ended_is_idleness_again(kept: Platform) -> None:
    bob, ada = (kept.person(name).log_in() for name in ("bob", "ada"))
    if not (bob.has_server() and ada.has_server()):
        _give_work(kept)
    for name, job in (("bob", "ipykernel_launcher"), ("ada", "sleep 601")):
        kept.in_pod(name, "pkill", "-f", job)
    until("both are culled", lambda: kept.pod("bob") is None and kept.pod("ada") is None, 4 * _TIMEOUT, every=1)
    # Nothing, or alice's server; the cluster's account follows a little later.
    until("their share is given back", lambda: _requested(kept) in ("0", "50m"), 20)


def test_the_page_of_a_server_says_when_it_will_end_and_warns_by_itself(kept: Platform) -> None:
    alice = _at_work(kept, "alice")
    page = alice.request("GET", f"{alice.home}/lab")[1]
    config = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert config is not None
    told = json.loads(config[1])
    ends, warns = (int(told[name]) / 1000 for name in ("elabEndsAt", "elabWarnsAt"))
    assert ends - _MAX_AGE < time.time() < warns
    assert ends - warns == _WARNING
    # What shows it is JupyterLab's own notification, by an extension that needs nothing from the image.
    [notice] = [found for found in told["federated_extensions"] if found["name"] == "elab-notice"]
    status, script, _ = alice.request("GET", f"{told['fullLabextensionsUrl']}/elab-notice/{notice['load']}")
    assert status == 200
    assert "elabEndsAt" in script
