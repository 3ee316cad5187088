"""The OCI image format: a folder as a layer, and layers as an image archive."""

import hashlib
import io
import json
import os
import platform
import stat
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_PLATFORM = {"architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64"), "os": "linux"}


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One packed layer: the image whose own it is, its file, the file's digest and its size in bytes."""

    name: str
    file: Path
    digest: str
    size: int


class _Hashing(io.RawIOBase):
    """A file that knows the SHA-256 of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha256, self.size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # ty: ignore[incompatible-method-override]
        self.sha256.update(data)
        self.size += len(data)
        return self.file.write(data)


def pack(root: Path, name: str, target: Path) -> Layer:
    """Write the folder as an OCI layer, its overlayfs deletions as whiteouts."""
    with target.open("wb") as file:
        out = _Hashing(file)
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as archive:
            for folder, subfolders, files in os.walk(root):
                subfolders.sort()
                where = Path(folder).relative_to(root)
                if "trusted.overlay.opaque" in os.listxattr(folder, follow_symlinks=False):
                    archive.addfile(tarfile.TarInfo(str(where / ".wh..wh..opq")))
                for entry in sorted(files + subfolders):
                    _pack_entry(archive, Path(folder) / entry, where)
    return Layer(name=name, file=target, digest=f"sha256:{out.sha256.hexdigest()}", size=out.size)


def _pack_entry(archive: tarfile.TarFile, path: Path, where: Path) -> None:
    status = path.lstat()
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        archive.addfile(tarfile.TarInfo(str(where / f".wh.{path.name}")))
    elif not stat.S_ISSOCK(status.st_mode):
        info = archive.gettarinfo(path, str(where / path.name))
        if info.isreg():
            with path.open("rb") as content:
                archive.addfile(info, content)
        else:
            archive.addfile(info)


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image: its layers, the lowest first, and how it runs (OCI's `config`)."""

    layers: Sequence[Layer]
    config: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The digest of the manifest, by which containerd knows the image."""
        return _digest(self._manifest())

    def _config(self) -> bytes:
        return json.dumps(
            _PLATFORM
            | {
                "config": self.config,
                "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in self.layers]},
                "history": [{"created_by": f"k8s-lab image {layer.name}"} for layer in self.layers],
            },
            sort_keys=True,
        ).encode()

    def _manifest(self) -> bytes:
        config = self._config()
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST_TYPE,
                "config": {"mediaType": _CONFIG_TYPE, "digest": _digest(config), "size": len(config)},
                "layers": [
                    {"mediaType": _LAYER_TYPE, "digest": layer.digest, "size": layer.size} for layer in self.layers
                ],
            },
            sort_keys=True,
        ).encode()

    def _documents(self, reference: str) -> dict[str, bytes]:
        """The files of an image layout, less the layers."""
        manifest, config = self._manifest(), self._config()
        described = {
            "mediaType": _MANIFEST_TYPE,
            "digest": _digest(manifest),
            "size": len(manifest),
            "platform": _PLATFORM,
            "annotations": {"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference},
        }
        index = {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": [described]}
        return {
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            "index.json": json.dumps(index).encode(),
            blob(_digest(manifest)): manifest,
            blob(_digest(config)): config,
        }

    def write(self, reference: str, out: IO[bytes], known: Collection[str] = ()) -> None:
        """Write an archive with this one image in it, less the layers that its reader has."""
        with tarfile.open(fileobj=out, mode="w|", bufsize=1 << 20) as archive:
            for path, content in self._documents(reference).items():
                _add(archive, path, content)
            for layer in self.layers:
                if layer.digest not in known:
                    info = tarfile.TarInfo(blob(layer.digest))
                    info.size = layer.size
                    with layer.file.open("rb") as content:
                        archive.addfile(info, content)

    def lay_out(self, reference: str, folder: Path) -> None:
        """Write a folder with this one image in it; its layers are links to their files."""
        for path, content in self._documents(reference).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for layer in self.layers:
            if not (folder / blob(layer.digest)).exists():
                (folder / blob(layer.digest)).hardlink_to(layer.file)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def blob(digest: str) -> str:
    """Where an image layout has the content of this digest."""
    return f"blobs/{digest.replace(':', '/')}"


def _add(archive: tarfile.TarFile, path: str, data: bytes) -> None:
    info = tarfile.TarInfo(path)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
