"""What the rooms share: labels, plain objects, hashes and files that become ConfigMaps."""

from __future__ import annotations

import re
from pathlib import Path

import pulumi
import pytest
from pulumi_kubernetes.core import v1 as core

from components.kit import Labels, config_map_items, config_map_key, content_hash, files_below, plain
from components.namespaces import NamespaceNames
from tests.harness.platform import objects, platform

LABELS = Labels(instance="elab", room="hub", component="hub", extra={"app.kubernetes.io/version": "1"})
MEBIBYTE = 2**20


def test_a_selector_selects_what_the_labels_label_and_outlives_versions() -> None:
    assert LABELS.selector().items() <= LABELS.all().items()
    assert "app.kubernetes.io/version" in LABELS.all()
    assert "app.kubernetes.io/version" not in LABELS.selector()


def test_plain_objects_have_kubernetes_own_names_and_nothing_empty() -> None:
    probe = core.ProbeArgs(http_get=core.HTTPGetActionArgs(path="/", port="http"), period_seconds=2)
    assert plain([probe]) == [{"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 2}]


def test_an_output_has_no_plain_form() -> None:
    with pytest.raises(TypeError, match="Output"):
        plain(core.EnvVarArgs(name="A", value=pulumi.Output.from_input("b")))


def test_a_hash_tells_contents_apart_and_where_they_stand() -> None:
    hashes = {content_hash({"a": "b"}, {}), content_hash({}, {"a": "b"}), content_hash({"a": "c"}, {})}
    assert len(hashes) == 3


def test_a_hash_is_the_same_on_every_machine() -> None:
    """And in every version of elab: another would restart every hub."""
    assert content_hash({"b": 1, "a": [None, True]}, "text") == "40fccd7c527fd078"


def test_files_come_with_their_path_and_without_what_python_leaves_behind(tmp_path: Path) -> None:
    for name in ("a.py", "templates/page.html", "__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert files_below(tmp_path) == {"a.py": "a.py", "templates/page.html": "templates/page.html"}


def test_a_file_of_a_folder_is_mounted_at_its_path() -> None:
    paths = ["a.py", "templates/page.html"]
    assert {str(item.path): item.key for item in config_map_items(paths)} == {
        path: config_map_key(path) for path in paths
    }


def test_every_config_map_is_one_that_the_api_server_takes() -> None:
    """Keys without a slash, and less than 1 MiB in all."""
    found = objects(platform(), "ConfigMap")
    assert len(found) >= 4
    for identity, body in found.items():
        assert [key for key in body["data"] if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key)] == [], identity
        assert sum(len(text.encode()) for text in body["data"].values()) < MEBIBYTE, identity


def test_a_room_that_is_none_has_no_namespace() -> None:
    with pytest.raises(KeyError):
        NamespaceNames(instance="elab").of("kitchen")
