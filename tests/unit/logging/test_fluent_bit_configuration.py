"""Fluent Bit's options are ones that it has, nothing is unbounded or unverified, each room has its stream."""

import fnmatch
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from components.namespaces import NamespaceNames
from tests.unit.logging.shippers import CONTAINER, configuration

SCHEMA = yaml.safe_load((Path(__file__).parent / "schemas/fluent-bit.yaml").read_text())
WHOLE = ("fluent-bit.yaml", "with-cluster.yaml")
NAMES = NamespaceNames(instance="elab")


def _parts(kind: str) -> list[dict[str, Any]]:
    return [part for name in WHOLE for part in configuration(name)["pipeline"].get(kind, [])]


@pytest.mark.parametrize("name", WHOLE)
def test_every_option_is_one_that_fluent_bit_has(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    errors = [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(configuration(name))]
    assert errors == []


def test_an_option_that_fluent_bit_does_not_have_is_refused() -> None:
    wrong = configuration()
    wrong["pipeline"]["outputs"][0]["logstash_prefixkey"] = "x"
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)


def test_elasticsearch_is_verified_and_its_password_is_not_in_the_file() -> None:
    for output in _parts("outputs"):
        assert output["tls"] is output["tls.verify"] is output["tls.verify_hostname"] is True
        assert output["tls.ca_file"] == "/etc/elab/ca/ca.crt"
        assert output["http_passwd"] == "${ELASTICSEARCH_PASSWORD}"


def test_what_is_sent_twice_is_kept_once() -> None:
    for output in _parts("outputs"):
        assert output["write_operation"] == "create"
        assert output["id_key"] == "$event['id']"
        # Elasticsearch 8 and later refuse a type (fluent-bit#4825).
        assert output["suppress_type_name"] is True


def test_retries_last_a_day_and_never_storm() -> None:
    service = configuration()["service"]
    longest, shortest = service["scheduler.cap"], service["scheduler.base"]
    for output in _parts("outputs"):
        # From the documentation: a random time between the base and the cap, once the exponent has grown.
        assert 0.9 * 86400 < output["retry_limit"] * (longest + shortest) / 2 < 1.2 * 86400
    assert shortest >= 1


def test_lines_wait_on_the_nodes_disk_and_within_limits() -> None:
    service = configuration()["service"]
    assert service["storage.path"].startswith("/state/")
    # A chunk is 2 MB: the limit of the container's memory must hold them.
    assert service["storage.max_chunks_up"] * 2 <= 128
    databases = [source["db"] for source in _parts("inputs")]
    assert len(set(databases)) == len(databases)
    assert all(database.startswith("/state/") for database in databases)
    for source in _parts("inputs"):
        assert source["storage.type"] == "filesystem"
        assert source["read_from_head"] is True
    for output in _parts("outputs"):
        assert output["storage.total_limit_size"] == f"${{ELAB_BUFFER_{output['alias'].upper()}}}"
    emitters = [part for part in _parts("filters") if part["name"] == "multiline"]
    assert [emitter["emitter_storage.type"] for emitter in emitters] == ["filesystem"]


def test_lines_are_put_together_first_masked_next_and_described_last() -> None:
    names = [(part["name"], part.get("call")) for part in configuration()["pipeline"]["filters"]]
    assert names == [("multiline", None), ("lua", "mask_record"), ("kubernetes", None), ("lua", "to_ecs")]
    for part in configuration()["pipeline"]["filters"]:
        if part["name"] == "lua":
            # Without it, the id of a line would lack its nanoseconds.
            assert part["time_as_table"] is True
            assert part["match"] == "kube.*"


def test_no_parser_has_the_name_of_one_of_fluent_bits_own() -> None:
    # The documentation's list of built-in multi-line parsers; the one that is found first by its name is used.
    names = {parser["name"] for parser in configuration()["multiline_parsers"]}
    assert not names & {"docker", "cri", "go", "python", "ruby", "java", "json"}
    (joined,) = [part for part in _parts("filters") if part["name"] == "multiline"]
    assert {joined["multiline.parser"]} == names


def test_people_can_neither_hide_their_lines_nor_choose_how_they_are_read() -> None:
    (pods,) = [part for part in _parts("filters") if part["name"] == "kubernetes"]
    assert pods["k8s-logging.exclude"] is pods["k8s-logging.parser"] is False
    assert pods["tls.verify"] is pods["tls.verify_hostname"] is True
    assert pods["use_kubelet"] is False


def _file(namespace: str, pod: str, container: str) -> str:
    return f"/var/log/containers/{pod}_{namespace}_{container}-{CONTAINER}.log"


def _readers(path: str, instance: str = "elab") -> list[str]:
    """Which inputs read a file, as glob(3) would find it."""
    values = {"${ELAB_INSTANCE}": instance, "${ELAB_CLUSTER_PATHS}": "/var/log/containers/*_team_*.log"}

    def patterns(value: str) -> list[str]:
        for name, text in values.items():
            value = value.replace(name, text)
        return value.split(",")

    return [
        source["alias"]
        for source in _parts("inputs")
        if any(fnmatch.fnmatchcase(path, glob) for glob in patterns(source["path"]))
        and not any(fnmatch.fnmatchcase(path, glob) for glob in patterns(source.get("exclude_path", "")))
    ]


@pytest.mark.parametrize(
    ("namespace", "pod", "container", "room"),
    [
        (NAMES.users, "jupyter-ada---1f2e", "notebook", "people"),
        (NAMES.hub, "hub-6d5f-x2x", "hub", "hub"),
        (NAMES.hub, "proxy-6d5f-x2x", "proxy", "proxy"),
        (NAMES.hub, "user-scheduler-1-x", "kube-scheduler", "platform"),
        (NAMES.of("monitoring"), "prometheus-1-x", "prometheus", "platform"),
        (NAMES.of("logging"), "elasticsearch-0", "elasticsearch", "platform"),
        (NAMES.of("node"), "node-exporter-x", "node-exporter", "platform"),
        (NAMES.of("node"), "filebeat-x", "filebeat", "platform"),
        ("team", "app-1", "app", "cluster"),
    ],
)
def test_each_room_has_its_own_stream(namespace: str, pod: str, container: str, room: str) -> None:
    path = _file(namespace, pod, container)
    assert _readers(path) == [room]
    tag = next(source["tag"] for source in _parts("inputs") if source["alias"] == room)
    # The documentation of `tag`: the asterisk becomes the path, with points for slashes.
    tagged = tag.replace("*", path[1:].replace("/", "."))
    matching = [output for output in _parts("outputs") if fnmatch.fnmatchcase(tagged, output["match"])]
    assert [output["index"] for output in matching] == [f"logs-kubernetes.{room}-${{ELAB_STREAMS}}"]


@pytest.mark.parametrize(
    ("namespace", "pod", "container"),
    [
        ("kube-system", "coredns-1", "coredns"),
        ("default", "elab-hub-x", "hub"),
        ("other-users", "jupyter-bob", "notebook"),
        ("elab-hub-copy", "hub-1", "hub"),
        # Its own complaints about a line would each make another line.
        ("elab-node", "fluent-bit-x", "fluent-bit"),
    ],
)
def test_other_files_are_not_opened(namespace: str, pod: str, container: str) -> None:
    assert _readers(_file(namespace, pod, container)) == []


def test_the_tag_tells_the_kubernetes_filter_which_pod_it_is() -> None:
    (parser,) = configuration()["parsers"]
    (pods,) = [part for part in _parts("filters") if part["name"] == "kubernetes"]
    assert pods["regex_parser"] == parser["name"]
    tag = "kube.hub." + _file(NAMES.hub, "hub-6d5f.x-2", "hub")[1:].replace("/", ".")
    rest = tag.removeprefix(pods["kube_tag_prefix"])
    # Onigmo writes named groups without Python's P.
    found = re.match(parser["regex"].replace("(?<", "(?P<"), rest)
    assert found
    assert found.groupdict() == {
        "pod_name": "hub-6d5f.x-2",
        "namespace_name": "elab-hub",
        "container_name": "hub",
        "docker_id": CONTAINER,
    }
