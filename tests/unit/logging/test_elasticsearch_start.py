"""A node's start: the real script, with a disk that is empty, that holds data, and on which founding was cut short."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

SCRIPTS = Path(__file__).parents[3] / "components/logging/files/elasticsearch"
SEEDS = "elasticsearch-nodes.elab-logging.svc"
ALONE = {"POD_NAME": "elasticsearch-0", "ELAB_PEERS": "elasticsearch-0", "ELAB_SEEDS": SEEDS}
FIRST = ALONE | {"ELAB_PEERS": "elasticsearch-0,elasticsearch-1,elasticsearch-2"}
ANOTHER = FIRST | {"POD_NAME": "elasticsearch-1"}
SECURITY = ("users", "users_roles", "roles.yml", "service_tokens")
IMAGES_GC = "-Xlog:gc*,gc+age=trace,safepoint:file=logs/gc.log:utctime,level,pid,tags:filecount=32,filesize=64m"
KEYSTORE = """#!/bin/sh
echo "$@" >>"$CALLS"
# The real one asks whether it shall overwrite, and there is nobody to say so.
case $1 in create) set -C; : >"$ES_PATH_CONF/elasticsearch.keystore" || exit 1 ;; esac
case $* in *--stdin*) cat >>"$CALLS"; echo >>"$CALLS" ;; esac
"""
# It takes the first certificate of a file, and refuses an alias that is there.
KEYTOOL = """#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in -alias) alias=$2 ;; -file) file=$2 ;; -keystore) store=$2 ;; esac
    shift
done
grep -q "^$alias:" "$store" && exit 1
echo "$alias: $(head -1 "$file")" >>"$store"
"""


@dataclass(frozen=True)
class Disks:
    """What a pod has: the image's folder, its own, and a disk that outlives it."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def own(self) -> Path:
        return self.folder / "own"

    def start(self, **environment: str) -> dict[str, Any]:
        """One start of a new pod: the settings that Elasticsearch would then read."""
        if self.own.exists():
            shutil.rmtree(self.own)
        (self.own / "security").mkdir(parents=True)
        for name in SECURITY:
            (self.own / "security" / name).write_text("of the Secret")
            (self.own / "security" / name).chmod(0o444)
        return self.start_again(**environment)

    def start_again(self, **environment: str) -> dict[str, Any]:
        """One start of a container in a pod that is there: its own folder is as the last container left it."""
        image, own = self.folder / "image", self.own
        for path in (image, self.disk):
            path.mkdir(exist_ok=True)
        for name in SECURITY:
            (image / name).write_text("of the image")
        (image / "jvm.options").write_text(f"{IMAGES_GC}\n")
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        java = self.folder / "jdk"
        for folder in (java / "bin", java / "lib/security"):
            folder.mkdir(parents=True, exist_ok=True)
        (java / "lib/security/cacerts").write_text("public: one\n")
        for program, text in ((programs / "elasticsearch-keystore", KEYSTORE), (java / "bin/keytool", KEYTOOL)):
            program.write_text(text)
            program.chmod(0o755)
        script = [str(SCRIPTS / "start.sh"), *map(str, (image, SCRIPTS, own, self.disk))]
        ran = subprocess.run(
            ["/bin/sh", *script, "echo", "started"],
            env={
                "PATH": f"{programs}:{os.environ['PATH']}",
                "CALLS": str(self.folder / "calls"),
                "ES_PATH_CONF": str(own),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert ran.stdout == "started\n"
        assert (own / "jvm.options").exists()
        return yaml.safe_load((own / "elasticsearch.yml").read_text())

    def ready(self, port: int) -> int:
        """The probe's exit code."""
        command = ["/bin/bash", str(SCRIPTS / "ready.sh"), str(port), str(self.disk / "founding")]
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode


@pytest.fixture
def pod(tmp_path: Path) -> Disks:
    return Disks(tmp_path)


def holds_data(pod: Disks) -> None:
    (pod.disk / "store/_state").mkdir(parents=True)


def test_a_cluster_is_founded_where_the_disk_is_empty(pod: Disks) -> None:
    pod.disk.mkdir()
    (pod.disk / "lost+found").mkdir()
    found = pod.start(**FIRST)
    assert found["cluster.initial_master_nodes"] == FIRST["ELAB_PEERS"].split(",")
    assert found["discovery.seed_hosts"] == [SEEDS]


def test_a_node_with_data_never_founds_a_second_cluster(pod: Disks) -> None:
    holds_data(pod)
    for _ in range(2):
        found = pod.start(**FIRST)
        assert "cluster.initial_master_nodes" not in found
        assert found["discovery.seed_hosts"] == [SEEDS]


def test_founding_goes_on_after_a_restart_until_there_is_a_cluster_and_never_after_that(pod: Disks) -> None:
    pod.start(**FIRST)
    (pod.disk / "store/_state").mkdir()
    assert "cluster.initial_master_nodes" in pod.start(**FIRST)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert pod.ready(port) == 0
    assert "cluster.initial_master_nodes" not in pod.start(**FIRST)
    assert pod.ready(port) != 0


def test_a_node_that_is_not_ready_keeps_the_mark_of_founding(pod: Disks) -> None:
    pod.start(**FIRST)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert pod.ready(port) != 0
    assert (pod.disk / "founding").exists()


def test_a_node_other_than_the_first_founds_nothing_with_and_without_data(pod: Disks) -> None:
    for _ in range(2):
        found = pod.start(**ANOTHER)
        assert "cluster.initial_master_nodes" not in found
        assert found["discovery.seed_hosts"] == [SEEDS]
        (pod.disk / "store/_state").mkdir(exist_ok=True)


def test_one_node_becomes_one_of_three_and_founds_no_second_cluster(pod: Disks) -> None:
    """A node of the type single-node would refuse the others for ever."""
    found = pod.start(**ALONE)
    assert found["cluster.initial_master_nodes"] == ["elasticsearch-0"]
    assert "discovery.type" not in found
    (pod.disk / "store/_state").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert pod.ready(listening.getsockname()[1]) == 0
    for environment in (ALONE, FIRST):
        found = pod.start(**environment)
        assert "cluster.initial_master_nodes" not in found
        assert "discovery.type" not in found
        assert found["discovery.seed_hosts"] == [SEEDS]


def test_the_collector_logs_to_no_file(pod: Disks) -> None:
    """Java takes its options in this order, and what comes after `disable` alone holds."""
    pod.start(**ALONE)
    read = [pod.own / "jvm.options", *sorted((pod.own / "jvm.options.d").glob("*.options"))]
    options = [line for path in read for line in path.read_text().splitlines() if line.startswith("-Xlog:")]
    assert options[0] == IMAGES_GC
    left = options[len(options) - options[::-1].index("-Xlog:disable") :]
    assert left
    assert all(":stderr" in option for option in left)


def test_users_and_tokens_are_links_into_what_kubernetes_keeps_fresh(pod: Disks) -> None:
    pod.start(**ALONE)
    links = {path.name: str(path.readlink()) for path in pod.own.iterdir() if path.is_symlink()}
    assert links == {name: f"security/{name}" for name in SECURITY}


def test_a_container_that_starts_again_in_its_pod_writes_nothing_into_the_secret(pod: Disks) -> None:
    pod.start(**ALONE)
    pod.start_again(**ALONE)
    for name in SECURITY:
        assert (pod.own / name).is_symlink()
        assert (pod.own / name).read_text() == "of the Secret"


def test_a_container_that_starts_again_makes_its_keystore_anew(pod: Disks) -> None:
    keys = pod.folder / "keys"
    keys.mkdir()
    (keys / "s3.client.default.access_key").write_text("a key")
    pod.start(**ALONE, ELAB_KEYSTORE_FOLDER=str(keys))
    pod.start_again(**ALONE, ELAB_KEYSTORE_FOLDER=str(keys))
    assert (pod.folder / "calls").read_text().splitlines().count("create") == 2


def test_keys_of_the_snapshots_storage_go_into_the_keystore_and_into_no_argument(pod: Disks) -> None:
    keys = pod.folder / "keys"
    keys.mkdir()
    (keys / "s3.client.default.secret_key").write_text("a key")
    (keys / "gcs.client.default.credentials_file").write_text("{}")
    pod.start(**ALONE, ELAB_KEYSTORE_FOLDER=str(keys))
    calls = (pod.folder / "calls").read_text().splitlines()
    assert calls == [
        "create",
        f"add-file gcs.client.default.credentials_file {keys}/gcs.client.default.credentials_file",
        "add --force --stdin s3.client.default.secret_key",
        "a key",
    ]


def test_the_institutions_authorities_are_trusted_besides_the_images(pod: Disks) -> None:
    authorities = pod.folder / "authorities"
    authorities.mkdir()
    for place, text in enumerate(("first", "second")):
        (authorities / f"{place}.crt").write_text(text)
    pod.start(**ALONE)
    assert not (pod.own / "jvm.options.d/trust.options").exists()
    for start in (pod.start, pod.start_again):
        start(**ALONE, ELAB_AUTHORITIES_FOLDER=str(authorities))
        options = (pod.own / "jvm.options.d/trust.options").read_text().splitlines()
        (store,) = (one.partition("=")[2] for one in options if one.startswith("-Djavax.net.ssl.trustStore="))
        # Every part of Elasticsearch may read its folder of settings, and hardly any other.
        assert Path(store).parent == pod.own
        assert Path(store).read_text().splitlines() == ["public: one", "elab-0.crt: first", "elab-1.crt: second"]
