"""The lab, a directory of the tests' own, and two stacks; every test here needs them."""

import html
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.labkit import turns
from operate import directory, rig
from tests.e2e.cluster import kubectl, until
from tests.e2e.platform import Platform

DIRECTORY = "e2e-directory"
PROBE = "e2e-probe"
_FIRST, _LAST = "test_up.py", "test_down.py"
_MANIFESTS = Path(__file__).parent / "manifests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is an e2e test; the platform comes up in the first module and goes in the last."""
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    for item in mine:
        item.add_marker("e2e")
    items.sort(key=lambda item: (item.path.name == _LAST) - (item.path.name == _FIRST))


@pytest.fixture(scope="session")
def lab() -> None:
    """The lab's cluster with its images; what is there already is left alone."""
    # Where the official plugins can't be had, asking for them takes a minute.
    os.environ.setdefault("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    if not (rig.HOME / "bin/pulumi").exists() and not shutil.which("pulumi"):
        pytest.exit("the lab is not built yet; run `make up` first, which shows what it does for 10 minutes", 1)
    # Two halves of the tests run side by side, and both begin here.
    with turns.alone(rig.HOME / "e2e.lock", "the other half of the tests"):
        rig.start()
        rig.images()


@pytest.fixture(scope="session")
def people(lab: None) -> Iterator[directory.Directory]:
    """A directory of two servers, whose people and groups tests may change."""
    yield from _directory(DIRECTORY)


def _directory(namespace: str) -> Iterator[directory.Directory]:
    made = directory.new(namespace)
    directory.stop(namespace)
    directory.start(made)
    yield made
    directory.stop(namespace)


@pytest.fixture(scope="session")
def platform(people: directory.Directory) -> Iterator[Platform]:
    """The main stack, brought up from nothing."""
    yield from _brought_up(Platform(stack="e2e", directory=people, port=30091))


@pytest.fixture(scope="session")
def doomed(platform: Platform) -> Iterator[Future[str]]:
    """The page of somebody whose image is nowhere; begun early, since the hub tries for a minute and a half."""

    def page() -> str:
        ada = platform.person("ada").log_in()
        assert ada.ask_for_server("broken")[0] in (201, 202)
        until("the end of the attempt", lambda: not ada.model()["servers"], 150, every=1)
        return html.unescape(ada.request("GET", "/hub/spawn-pending/ada")[1])

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(page)


@pytest.fixture(scope="session")
def kept(people: directory.Directory, platform: Platform) -> Iterator[Platform]:
    """A second stack beside the first, which keeps data as prod does and culls soon."""
    yield from _brought_up(Platform(stack="e2e-kept", directory=people, port=30092))


@pytest.fixture(scope="module")
def watched(lab: None) -> Iterator[Platform]:
    """A stack with metrics, for the tests of them only; its people are its own, since it is there beside the others."""
    for made in _directory("e2e-metrics-directory"):
        yield from _brought_up(Platform(stack="e2e-metrics", directory=made, port=30093))


@pytest.fixture(scope="module")
def home(lab: None) -> Iterator[Platform]:
    """The stack where people of several clouds log in; a directory of its own, since it is there beside the others."""
    for made in _directory("e2e-places-directory"):
        yield from _brought_up(Platform(stack="e2e-home", directory=made, host="10.97.0.1", port=30094))


@pytest.fixture(scope="module")
def place(home: Platform) -> Iterator[Platform]:
    """Another cloud's stack, which has home's address and its own key by a StackReference."""
    yield from _brought_up(Platform(stack="e2e-place", directory=home.directory, port=30095))


def _brought_up(platform: Platform) -> Iterator[Platform]:
    platform.remove()
    platform.create()
    platform.up()
    until("the login page", lambda: platform.person("alice").request("GET", "/hub/login")[0] == 200, 90)
    yield platform
    platform.remove()


@pytest.fixture(scope="session")
def probe(lab: None) -> Iterator[str]:
    """A pod that no policy holds back, to see that what people can't reach is there."""
    kubectl("apply", "-f", str(_MANIFESTS / "probe.yaml"))
    kubectl("-n", PROBE, "wait", "pod/probe", "--for=condition=Ready", "--timeout=60s", seconds=70)
    yield "probe"
    kubectl("delete", "namespace", PROBE, "--wait", seconds=90)
