"""Work that outlives the server it was done on."""

import base64
import json

import pytest

from tests.e2e.cluster import kubectl, until
from tests.e2e.person import Person
from tests.e2e.platform import Platform
from tests.e2e.wheels import wheel


@pytest.fixture
def alice(platform: Platform) -> Person:
    return platform.person("alice").log_in().at_work()


def test_files_and_packages_are_there_after_stop_and_start(platform: Platform, alice: Person) -> None:
    alice.write("proof.txt", "still here")
    content = base64.b64encode(wheel("herown", "ANSWER = 'from her own package'\n")).decode()
    name = "herown-1.0-py3-none-any.whl"
    alice.call("PUT", f"contents/{name}", {"type": "file", "format": "base64", "content": content})
    kernel = alice.kernel()
    kernel.run(
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-m', 'pip', 'install', '--user', '--no-index', {name!r}], check=True)"
    )
    kernel.close()
    before = platform.pod("alice")
    alice.stop()
    assert platform.pod("alice") is None
    alice.start()
    after = platform.pod("alice")
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
    assert alice.read("proof.txt") == "still here"
    kernel = alice.kernel()
    assert kernel.run("import herown; print(herown.ANSWER)") == "from her own package\n"
    kernel.close()


def test_her_notebook_and_its_checkpoint_survive_a_server_that_is_killed(platform: Platform, alice: Person) -> None:
    _save(alice, "what she had saved")
    alice.call("POST", "contents/work.ipynb/checkpoints")
    # What autosave writes while she types; then the machine goes, without a word to the server.
    _save(alice, "what autosave wrote")
    kubectl("-n", platform.users, "delete", "pod", "jupyter-alice", "--grace-period=0", "--force")
    until("the hub sees that it is gone", lambda: not alice.has_server(), 60)
    alice.start()
    assert _text(alice) == "what autosave wrote"
    [checkpoint] = json.loads(alice.request("GET", f"{alice.home}/api/contents/work.ipynb/checkpoints")[1])
    alice.call("POST", f"contents/work.ipynb/checkpoints/{checkpoint['id']}")
    assert _text(alice) == "what she had saved"


def test_jupyterlab_saves_every_minute_by_itself(alice: Person) -> None:
    status, text, _ = alice.request("GET", f"{alice.home}/lab/api/settings/@jupyterlab/docmanager-extension:plugin")
    assert status == 200
    properties = json.loads(text)["schema"]["properties"]
    assert properties["autosave"]["default"] is True
    assert properties["autosaveInterval"]["default"] == 60


def _save(person: Person, text: str) -> None:
    cell = {"cell_type": "markdown", "metadata": {}, "source": text, "id": "only"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    person.call("PUT", "contents/work.ipynb", {"type": "notebook", "format": "json", "content": notebook})


def _text(person: Person) -> str:
    return person.call("GET", "contents/work.ipynb")["content"]["cells"][0]["source"]
