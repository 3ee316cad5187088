"""What restarts the hub: whatever it reads at start, and nothing else. Everyone's logins pause for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.hub.configuration import Configuration
from components.hub.room import HubRoomArgs, configuration
from components.kit import CONTENT_HASH
from stack import extra_config
from tests.harness.platform import objects, settings, unmonitored

CONFIGURATION = Configuration(
    files={"jupyterhub_config.py": "c = get_config()"},
    servers={"jupyter_server_config.py": "c.ServerApp.root_dir = '/'"},
    values={"hub": {"announcement": ""}},
    extra=None,
    directory_ca=None,
    trust_ca=None,
)


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"jupyterhub_config.py": "c = get_config()  # another"}},
        {"files": {"other.py": "c = get_config()"}},
        {"values": {"hub": {"announcement": "tonight"}}},
        {"extra": "c.JupyterHub.log_level = 10"},
        {"directory_ca": "a certificate"},
        {"trust_ca": "a certificate"},
    ],
    ids=["text", "name", "values", "extra", "directory-ca", "trust-ca"],
)
def test_whatever_the_hub_reads_changes_its_hash(change: dict[str, Any]) -> None:
    assert replace(CONFIGURATION, **change).hash != CONFIGURATION.hash


def test_an_authority_of_the_directory_is_not_one_of_the_network() -> None:
    assert replace(CONFIGURATION, directory_ca="x").hash != replace(CONFIGURATION, trust_ca="x").hash


def test_what_only_servers_read_does_not_change_it() -> None:
    assert replace(CONFIGURATION, servers={"jupyter_server_config.py": "another"}).hash == CONFIGURATION.hash


def test_the_order_of_keys_does_not_change_it() -> None:
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert replace(CONFIGURATION, values=one).hash == replace(CONFIGURATION, values=other).hash


def template_of(changes: dict[str, Any], workload: str = "hub") -> dict[str, Any]:
    return dict(objects(unmonitored(changes), "Deployment")[f"elab-hub/{workload}"]["spec"]["template"])


def hash_of(changes: dict[str, Any]) -> str:
    found = settings(changes)
    extra, problems = extra_config(found)
    assert problems == []
    args = HubRoomArgs(
        values=found.values_args,
        cloud=found.facts,
        proxy=found.proxy,
        puller=found.puller,
        scheduling=found.scheduling,
        data=found.data,
        platform_storage_class=found.storage.platform_class,
        extra_config=extra,
        notebook_image="",
        secrets={},
        home=None,
    )
    return configuration(args).hash


@pytest.mark.parametrize("changes", [{}, {"hub.extra_config": "tests/harness/extra_config.py"}], ids=["plain", "extra"])
def test_what_the_hub_reads_stands_on_its_pods_as_a_hash(changes: dict[str, Any]) -> None:
    assert template_of(changes)["metadata"]["annotations"][CONTENT_HASH] == hash_of(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"hub.announcement": "Maintenance tonight"},
        {"culling.timeout": "30m"},
        {"users.home": {"size": "20Gi"}},
        {"hub.extra_config": "tests/harness/extra_config.py"},
        {"directory.refresh": "2m"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_setting_that_the_hub_reads_rolls_it(changes: dict[str, Any]) -> None:
    assert hash_of(changes) != hash_of({})


@pytest.mark.parametrize(
    "changes",
    [
        {"hub.resources": {"cpu": {"request": "1", "limit": "2"}, "memory": {"request": "1Gi", "limit": "2Gi"}}},
        {"hub.database": {"kind": "sqlite", "size": "2Gi"}},
        {"users.egress.internet": True},
        {"puller": {"enabled": False}},
        {"proxy.resources": {"cpu": {"request": "1", "limit": "2"}, "memory": {"request": "1Gi", "limit": "2Gi"}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_setting_that_it_does_not_read_leaves_its_hash(changes: dict[str, Any]) -> None:
    assert hash_of(changes) == hash_of({})


@pytest.mark.parametrize(
    "changes",
    [
        {"users.egress.internet": True},
        {"puller": {"enabled": False}},
        {"storage.snapshots": True},
        {"entry.annotations": {"example.org/team": "platform"}},
        {"protection": {"protect": True}},
    ],
    ids=lambda changes: next(iter(changes)),
)
@pytest.mark.parametrize("workload", ["hub", "proxy", "user-scheduler"])
def test_a_setting_of_another_room_restarts_nothing(changes: dict[str, Any], workload: str) -> None:
    assert template_of(changes, workload) == template_of({}, workload)


def test_a_setting_of_the_hub_restarts_the_hub_alone() -> None:
    changes = {"hub.announcement": "Maintenance tonight"}
    for workload in ("proxy", "user-scheduler"):
        assert template_of(changes, workload) == template_of({}, workload)


def test_files_of_python_caches_are_no_configuration() -> None:
    names = {name for body in objects(unmonitored(), "ConfigMap").values() for name in body["data"]}
    assert [name for name in names if "pycache" in name or name.endswith(".pyc")] == []
