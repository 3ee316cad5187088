"""Real registries on loopback, the images in them, and skopeo told to find them under the names of the world's."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness.stacks import PROJECT

_EXTRACTED = PROJECT / "build/registry/usr/bin/docker-registry"
_PATIENCE = 10
"""Seconds in which a registry starts; it takes a tenth of one."""
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class Registry:
    """One that runs."""

    address: str
    folder: Path
    """All that it holds; it may be copied, or damaged."""
    log: Path

    @property
    def uploads(self) -> list[str]:
        """The repositories of all blobs that it took so far, in order."""
        return re.findall(r'"PUT /v2/(\S+)/blobs/uploads/\S+ HTTP/1.1" 201 ', self.log.read_text())

    def blob(self, digest: str) -> Path:
        """Where the bytes of a blob lie, of a layer or of a manifest."""
        name = digest.removeprefix("sha256:")
        return self.folder / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


def _program() -> str:
    found = str(_EXTRACTED) if _EXTRACTED.exists() else shutil.which("docker-registry")
    assert found, "there is no docker-registry; run `make registries`"
    assert shutil.which("skopeo"), "there is no skopeo; run `make registries`"
    return found


@contextmanager
def running(folder: Path, *, login: bool = False) -> Generator[Registry]:
    """Debian's docker-registry, on a port of loopback that is free, with its data in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    found = Registry(address, folder / "data", folder / "log")
    settings: dict[str, Any] = {
        "version": 0.1,
        "http": {"addr": address, "secret": "of this test"},
        "storage": {"filesystem": {"rootdirectory": str(found.folder)}},
    }
    if login:
        # It makes the file with a password that nobody knows.
        settings["auth"] = {"htpasswd": {"realm": "a test", "path": str(folder / "htpasswd")}}
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    command = [_program(), "serve", str(folder / "config.yml")]
    with found.log.open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait(address, process)
            yield found
        finally:
            process.terminate()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"no registry at {address}")


def home(folder: Path, registries: Iterable[Registry], places: Mapping[str, str] = {}) -> Path:
    """A home whose skopeo reaches these registries without TLS, and finds each prefix of a name at a place."""
    own = folder / ".config/containers"
    own.mkdir(parents=True)
    entries = [{"location": one.address} for one in registries]
    entries += [{"prefix": prefix, "location": location} for prefix, location in places.items()]
    # A JSON string is one of TOML too.
    tables = ["".join(f"{name} = {json.dumps(value)}\n" for name, value in entry.items()) for entry in entries]
    (own / "registries.conf").write_text("".join(f"[[registry]]\ninsecure = true\n{table}" for table in tables))
    (own / "policy.json").write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    return folder


def skopeo(home: Path, *arguments: str) -> bytes:
    """What the real skopeo prints; it must succeed."""
    done = subprocess.run(["skopeo", *arguments], env=os.environ | {"HOME": str(home)}, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def digest(home: Path, reference: str) -> str:
    """Of what a registry serves under a name."""
    return f"sha256:{hashlib.sha256(skopeo(home, 'inspect', '--raw', f'docker://{reference}')).hexdigest()}"


@dataclass(frozen=True)
class Layout:
    """An image in a folder, as the OCI's image layout lays it out."""

    folder: Path
    digest: str
    layers: tuple[str, ...]
    """Digests of all layers, of all platforms."""
    sizes: Mapping[str, int]
    """By platform: all that a node downloads, manifests not counted."""

    def push(self, home: Path, reference: str, *options: str) -> None:
        """Into a registry, as it is."""
        skopeo(home, "copy", "--quiet", "--all", *options, f"oci:{self.folder}", f"docker://{reference}")


def layer(*words: str) -> bytes:
    """A layer with one file, the same for the same words."""
    content = " ".join(words).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(words[-1])
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def layout(folder: Path, layers: Mapping[str, Sequence[bytes]]) -> Layout:
    """An image with these layers by platform: of one a plain image, of several an index with an attestation in it."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(kind: str, content: bytes) -> dict[str, Any]:
        name = hashlib.sha256(content).hexdigest()
        (blobs / name).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{name}", "size": len(content)}

    def image(platform: str, parts: Sequence[bytes]) -> dict[str, Any]:
        system, _, architecture = platform.partition("/")
        history = [f"sha256:{hashlib.sha256(gzip.decompress(part)).hexdigest()}" for part in parts]
        told = {"os": system, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": history}}
        config = put(f"{_OCI}.config.v1+json", json.dumps(told).encode())
        packed = [put(f"{_OCI}.layer.v1.tar+gzip", part) for part in parts]
        sizes[platform] = config["size"] + sum(one["size"] for one in packed)
        digests.extend(one["digest"] for one in packed)
        manifest = {"schemaVersion": 2, "mediaType": f"{_OCI}.manifest.v1+json", "config": config, "layers": packed}
        found = put(f"{_OCI}.manifest.v1+json", json.dumps(manifest).encode())
        return {**found, "platform": {"os": system, "architecture": architecture}}

    sizes: dict[str, int] = {}
    digests: list[str] = []
    if len(layers) > 1:
        layers = {**layers, "unknown/unknown": [layer("attestation")]}
    images = [image(platform, parts) for platform, parts in layers.items()]
    top = images[0]
    if len(images) > 1:
        index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": images}
        top = put(f"{_OCI}.index.v1+json", json.dumps(index).encode())
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    return Layout(folder, top["digest"], tuple(digests), sizes)
