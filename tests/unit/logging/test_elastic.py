"""The small Elasticsearch that the other tests run against refuses what the real one does, asked by its own client."""

import json
import urllib.request
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest
from elasticsearch import ApiError, BadRequestError, ConnectionError, Elasticsearch, NotFoundError
from elasticsearch.helpers import bulk

from tests.harness.elastic.access import SUPERUSER, User
from tests.harness.elastic.faults import Fault, Kind
from tests.harness.elastic.server import Elastic, serve

STREAM = "logs-kubernetes.hub-elab"
WRITER = {"cluster": ["monitor"], "indices": [{"names": [STREAM], "privileges": ["auto_configure", "create_doc"]}]}


@pytest.fixture
def elastic() -> Elastic:
    return Elastic({"elastic": User.of("e", SUPERUSER), "shipper": User.of("s", WRITER)})


@pytest.fixture
def login(elastic: Elastic) -> Generator[Callable[[str, str], Elasticsearch]]:
    """Clients by user and password, of a server that has one template."""
    clients = []
    with serve(elastic) as port:

        def client(user: str, password: str) -> Elasticsearch:
            made = Elasticsearch(
                f"http://127.0.0.1:{port}", basic_auth=(user, password), max_retries=0, request_timeout=2
            )
            clients.append(made)
            return made

        properties = {"@timestamp": {"type": "date"}, "user": {"properties": {"name": {"type": "keyword"}}}}
        client("elastic", "e").indices.put_index_template(
            name="hub",
            index_patterns=["logs-kubernetes.hub-*"],
            data_stream={},
            template={"mappings": {"properties": properties}, "lifecycle": {"data_retention": "30d"}},
        )
        yield client
        for one in clients:
            one.close()


def _action(number: int, **fields: object) -> dict[str, Any]:
    source = {"@timestamp": "2026-11-24T22:10:01.123456789Z", "message": str(number), **fields}
    return {"_op_type": "create", "_index": STREAM, "_id": str(number), "_source": source}


def test_a_document_is_created_once_and_a_second_time_refused(
    elastic: Elastic, login: Callable[[str, str], Elasticsearch]
) -> None:
    client = login("shipper", "s")
    assert bulk(client, [_action(1), _action(2)]) == (2, [])
    _, errors = bulk(client, [_action(2), _action(3)], raise_on_error=False)
    assert isinstance(errors, list)
    assert [one["create"]["status"] for one in errors] == [409]
    assert [one["message"] for one in elastic.documents(STREAM)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"user": "ada"}, 400),
        ({"@timestamp": "yesterday"}, 400),
        ({"@timestamp": None}, 400),
        ({"unknown": {"x": 1}}, 201),
    ],
)
def test_what_does_not_fit_its_mapping_is_refused(
    login: Callable[[str, str], Elasticsearch], change: dict[str, object], status: int
) -> None:
    action = _action(1, **change)
    answer = login("shipper", "s").bulk(operations=[{"create": {"_index": STREAM}}, action["_source"]])
    assert answer["items"][0]["create"]["status"] == status


def test_rights_and_logins_are_demanded(elastic: Elastic, login: Callable[[str, str], Elasticsearch]) -> None:
    with pytest.raises(ApiError) as wrong:
        login("shipper", "x").info()
    assert wrong.value.status_code == 401
    client = login("shipper", "s")
    with pytest.raises(ApiError) as denied:
        client.indices.put_index_template(name="hub", index_patterns=["*"])
    assert denied.value.status_code == 403
    answer = client.bulk(operations=[{"create": {"_index": "logs-kubernetes.people-elab"}}, _action(1)["_source"]])
    assert answer["items"][0]["create"]["status"] == 403
    assert not elastic.documents("logs-kubernetes.people-elab")


def test_an_index_that_no_template_matches_is_not_made(login: Callable[[str, str], Elasticsearch]) -> None:
    answer = login("elastic", "e").bulk(operations=[{"create": {"_index": "logs-x-y"}}, _action(1)["_source"]])
    assert answer["items"][0]["create"]["status"] == 404


def test_unknown_parameters_and_keys_are_refused(login: Callable[[str, str], Elasticsearch]) -> None:
    client = login("elastic", "e")
    for path, body in (
        ("/_cluster/health?color=green", None),
        ("/_index_template/x", {"index_patterns": ["x-*"], "retention": "30d"}),
        ("/_index_template/x", {"index_patterns": ["x-*"], "template": {"retention": "30d"}}),
        ("/_cluster/settings", {"persistent": {"data_streams.retention": "30d"}}),
        ("/_ingest/pipeline/x", {"processors": [{"set": {"field": "a", "to": 1}}]}),
    ):
        with pytest.raises(BadRequestError):
            client.perform_request(
                "PUT" if body else "GET", path, body=body,
                headers={"content-type": "application/json", "accept": "application/json"},
            )  # fmt: skip
    with pytest.raises(NotFoundError):
        client.indices.get_index_template(name="x")


@pytest.mark.parametrize(
    ("kind", "stored", "statuses"),
    [
        ("status", 0, []),
        ("items", 2, [201, 429, 201]),
        ("mapping", 2, [201, 400, 201]),
        ("half", 2, []),
        ("reset", 0, []),
    ],
)
def test_faults_happen_once_and_then_all_is_well(
    elastic: Elastic, login: Callable[[str, str], Elasticsearch], kind: Kind, stored: int, statuses: list[int]
) -> None:
    client = login("shipper", "s")
    elastic.faults.add(Fault(kind=kind))
    operations = [
        part for n in range(3) for part in ({"create": {"_index": STREAM, "_id": str(n)}}, _action(n)["_source"])
    ]
    try:
        answer = client.bulk(operations=operations)
        assert [one["create"]["status"] for one in answer["items"]] == statuses
    except (ApiError, ConnectionError):
        assert not statuses
    assert len(elastic.documents(STREAM)) == stored
    client.bulk(operations=operations)
    assert len(elastic.documents(STREAM)) == 3


def test_kibana_refuses_objects_without_what_they_stand_on(elastic: Elastic) -> None:
    view = {"type": "index-pattern", "id": "v", "attributes": {"title": "logs-*"}, "references": []}
    search = {
        "type": "search",
        "id": "s",
        "attributes": {"title": "x"},
        "references": [{"name": "index", "type": "index-pattern", "id": "v"}],
    }
    with serve(elastic, kibana=True) as port:

        def send(*objects: Mapping[str, object]) -> dict[str, object]:
            lines = "\n".join(json.dumps(one) for one in objects)
            body = (
                f'--b\r\nContent-Disposition: form-data; name="file"; filename="a.ndjson"\r\n\r\n{lines}\r\n--b--\r\n'
            )
            headers = {
                "kbn-xsrf": "true",
                "content-type": "multipart/form-data; boundary=b",
                "authorization": "Basic ZWxhc3RpYzpl",
            }
            url = f"http://127.0.0.1:{port}/api/saved_objects/_import?overwrite=true"
            with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=5) as answer:
                return json.load(answer)

        assert send(search)["success"] is False
        assert send(view, search) == {
            "success": True,
            "successCount": 2,
            "successResults": [{"id": "v", "type": "index-pattern"}, {"id": "s", "type": "search"}],
        }
