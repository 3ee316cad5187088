"""What Fluent Bit sends is taken by Elasticsearch with the rights it has, and kept once however often it is sent."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from components.logging import filebeat
from components.logging.agents import FILES
from components.logging.fluent_bit import DATASETS, USER
from tests.harness.elastic.access import User
from tests.harness.elastic.faults import Fault
from tests.harness.elastic.server import Elastic, serve
from tests.unit.logging.bootstrapped import bootstrapped
from tests.unit.logging.roles import role
from tests.unit.logging.shippers import CONTAINER, Lua, configuration

INDICES = [f"logs-{dataset}-elab" for dataset in DATASETS]
TEMPLATE = json.loads((FILES / "bootstrap/documents/component-template.json").read_text())
TAG = f"kube.hub.var.log.containers.hub-6d5f-x2x_elab-hub_hub-{CONTAINER}.log"
LINES = ["one", "one", "", "[I 2026-11-24 22:10:01.123 JupyterHub app:1] token=a1b2", "Zażółć\n  gęślą"]


@pytest.fixture
def elastic(tmp_path: Path) -> Elastic:
    """A server after its bootstrap, which Fluent Bit may write to."""
    return bootstrapped(tmp_path, {USER: "p"})


def documents(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Lines of one moment after both filters; some runtimes write one time for many lines."""
    for name, value in (("ELAB_STREAMS", "elab"), ("ELAB_CLUSTER", "campus"), ("ELAB_NODE", "node-7")):
        monkeypatch.setenv(name, value)
    masks, ecs = Lua("mask.lua"), Lua("ecs.lua")
    made = []
    for place, line in enumerate(LINES):
        record = {"log": line, "stream": "stdout", "offset": 80 * place, "path": "/var/log/containers/x.log"}
        record = masks.filter("mask_record", TAG, (1764022201, 123456789), record)
        made.append(ecs.filter("to_ecs", TAG, (1764022201, 123456789), record))
    return made


def bulk(port: int, records: list[dict[str, Any]]) -> list[int] | None:
    """Send a chunk as the output `es` does with its options here: the status of each item; None: no answer."""
    (output,) = [one for one in configuration()["pipeline"]["outputs"] if one["alias"] == "hub"]
    outer, inner = output["id_key"].removeprefix("$").removesuffix("']").split("['")
    body = ""
    for record in records:
        index = output["index"].replace("${ELAB_STREAMS}", "elab")
        action = {output["write_operation"]: {"_index": index, "_id": record[outer][inner]}}
        stamped = {output["time_key"]: "2025-11-24T22:10:01.123Z", **record}
        body += f"{json.dumps(action)}\n{json.dumps(stamped)}\n"
    login = b64encode(f"{USER}:p".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/_bulk",
        body.encode(),
        {"Authorization": f"Basic {login}", "Content-Type": "application/x-ndjson"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return [item["create"]["status"] for item in json.load(answer)["items"]]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error
    except (urllib.error.URLError, ConnectionError):
        return None


def test_every_line_is_kept_once_though_the_chunk_is_sent_again(
    elastic: Elastic, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = documents(monkeypatch)
    elastic.faults.add(Fault(kind="half"))
    with serve(elastic) as port:
        assert bulk(port, records) is None
        assert bulk(port, records) == [409, 409, 409, 201, 201]
    kept = elastic.documents(INDICES[1])
    assert [one["message"] for one in kept] == [one["message"] for one in records]
    assert not [one for one in kept if one["event"]["kind"] != "event"]
    assert elastic.streams.refused == []


def test_it_writes_to_no_stream_but_its_own(elastic: Elastic, monkeypatch: pytest.MonkeyPatch) -> None:
    elastic.users[USER] = User.of("p", role(filebeat.USER))
    with serve(elastic) as port:
        assert set(bulk(port, documents(monkeypatch)) or ()) == {403}


def test_every_field_is_one_that_can_be_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(fields: dict[str, Any], mapped: dict[str, Any], path: str = "") -> list[str]:
        missing: list[str] = []
        for name, value in fields.items():
            mapping = mapped.get(name, {})
            if "properties" in mapping:
                missing += known(value, mapping["properties"], f"{path}{name}.")
            elif mapping.get("type") != "flattened" and (not mapping or isinstance(value, dict)):
                missing.append(f"{path}{name}")
        return missing

    properties = TEMPLATE["template"]["mappings"]["properties"]
    assert {path for one in documents(monkeypatch) for path in known(one, properties)} == set()
