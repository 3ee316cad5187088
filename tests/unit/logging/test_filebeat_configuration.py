"""Filebeat's configuration: options that version 9 has, nothing unverified or unbounded, no file of a container."""

import fnmatch
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.unit.logging.shippers import CONTAINER, FILEBEAT, filebeat_scripts

SCHEMA = yaml.safe_load((Path(__file__).parent / "schemas/filebeat.yaml").read_text())
CONFIGURATION: dict[str, Any] = yaml.safe_load((FILEBEAT / "filebeat.yml").read_text())
FILES = [source for source in CONFIGURATION["filebeat.inputs"] if source["type"] == "filestream"]


def test_every_option_is_one_that_filebeat_has() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    errors = [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(CONFIGURATION)]
    assert errors == []


def test_elasticsearch_is_verified_and_templates_are_left_to_the_bootstrap() -> None:
    output = CONFIGURATION["output.elasticsearch"]
    assert output["ssl.verification_mode"] == "full"
    assert output["ssl.certificate_authorities"] == ["/etc/elab/ca/ca.crt"]
    assert CONFIGURATION["setup.template.enabled"] is CONFIGURATION["setup.ilm.enabled"] is False


def test_what_is_kept_in_memory_has_a_limit_and_a_refusal_is_answered_slower_each_time() -> None:
    # 2048 lines of 64 KiB are 128 MiB, below the container's limit.
    assert CONFIGURATION["queue.mem"]["events"] <= 2048
    assert all(source["message_max_bytes"] <= 65536 for source in FILES)
    output = CONFIGURATION["output.elasticsearch"]
    assert (output["backoff.init"], output["backoff.max"]) == ("1s", "60s")


def test_positions_are_kept_on_the_node_and_by_ids_that_differ() -> None:
    assert CONFIGURATION["path.data"] == "/state"
    ids = [source["id"] for source in CONFIGURATION["filebeat.inputs"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("path", "dataset"),
    [
        ("/var/log/syslog", "system.syslog"),
        ("/var/log/syslog.1", "system.syslog"),
        ("/var/log/messages", "system.syslog"),
        ("/var/log/auth.log", "system.auth"),
        ("/var/log/secure", "system.auth"),
        ("/var/log/kern.log", "system.kernel"),
    ],
)
def test_each_file_of_the_system_is_read_once(path: str, dataset: str) -> None:
    readers = [source for source in FILES if any(fnmatch.fnmatchcase(path, glob) for glob in source["paths"])]
    assert [source["processors"][0]["add_fields"]["fields"]["dataset"] for source in readers] == [dataset]


def test_no_file_of_a_container_is_read() -> None:
    # An asterisk of Filebeat's ends at a slash, so these would be read only if a path named their folders.
    for path in (f"/var/log/containers/x_elab-hub_hub-{CONTAINER}.log", "/var/log/pods/elab-hub_x_1/hub/0.log"):
        assert not [source for source in FILES for glob in source["paths"] if glob.startswith(str(Path(path).parent))]


@pytest.mark.parametrize(
    ("fields", "dataset", "level"),
    [
        ({"systemd": {"transport": "kernel"}, "log": {"syslog": {"priority": 3}}}, "system.kernel", "error"),
        ({"log": {"syslog": {"facility": {"code": 10}, "priority": 6}}}, "system.auth", "info"),
        ({"log": {"syslog": {"facility": {"code": 4}, "priority": 5}}}, "system.auth", "info"),
        ({"log": {"syslog": {"facility": {"code": 3}, "priority": 4}}}, "system.syslog", "warning"),
        ({"systemd": {"transport": "stdout", "unit": "kubelet.service"}}, "system.syslog", None),
    ],
)
def test_a_line_of_the_journal_goes_where_it_belongs(fields: dict[str, Any], dataset: str, level: str | None) -> None:
    (event,) = filebeat_scripts([{"message": "x", **fields}], "mask.js", "ecs.js")
    assert event["event"]["dataset"] == event["data_stream"]["dataset"] == dataset
    assert event.get("log", {}).get("level") == level


def test_a_file_stays_what_its_input_says() -> None:
    fields = {"event": {"dataset": "system.auth"}, "log": {"offset": 0}}
    (event,) = filebeat_scripts([{"message": "x", **fields}], "mask.js", "ecs.js")
    assert event["data_stream"]["dataset"] == "system.auth"


def test_command_lines_are_not_shipped() -> None:
    (dropped,) = [part["drop_fields"]["fields"] for part in CONFIGURATION["processors"] if "drop_fields" in part]
    assert {"process.cmd", "process.command_line", "process.args"} <= set(dropped)


def test_only_the_containers_own_probes_reach_the_http_endpoint() -> None:
    assert CONFIGURATION["http.host"] == "127.0.0.1"
