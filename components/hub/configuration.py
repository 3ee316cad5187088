"""What hub and servers read at start: static files, the values file, and the hash that rolls the hub."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.hub.values import SERVER_FILES_MAP, TRUST_MAP
from components.kit import config_map_key, content_hash, files_below

_FILES = Path(__file__).parent / "files"


def hub_files() -> dict[str, str]:
    """What the hub's pod runs, by path."""
    return files_below(_FILES / "hub")


def server_files() -> dict[str, str]:
    """What every person's server reads, by path."""
    return files_below(_FILES / "notebook")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that is read from ConfigMaps."""

    files: dict[str, str]
    servers: dict[str, str]
    values: dict[str, Any]
    extra: str | None
    """The stack's own piece of hub configuration."""
    directory_ca: str | None
    trust_ca: str | None

    @property
    def hash(self) -> str:
        """Changes with whatever the hub reads at start, and with nothing else."""
        return content_hash(self.files, self.values, self.extra, self.trust)

    @property
    def trust(self) -> dict[str, str]:
        """The authorities that the hub trusts, by file."""
        found = {"directory.crt": self.directory_ca, "ca.crt": self.trust_ca}
        return {name: text for name, text in found.items() if text is not None}

    def hub_maps(self) -> dict[str, dict[str, str]]:
        """The ConfigMaps of the hub's namespace, by name."""
        found = {
            "hub-files": {config_map_key(path): text for path, text in self.files.items()},
            "hub-values": {"values.json": json.dumps(self.values, indent=1, sort_keys=True)},
        }
        if self.extra is not None:
            found["hub-extra"] = {"extra_config.py": self.extra}
        return found | ({"hub-trust": self.trust} if self.trust else {})

    def server_maps(self) -> dict[str, dict[str, str]]:
        """The ConfigMaps of the users namespace, by name."""
        found = {SERVER_FILES_MAP: {config_map_key(path): text for path, text in self.servers.items()}}
        return found | ({TRUST_MAP: {"ca.crt": self.trust_ca}} if self.trust_ca is not None else {})
