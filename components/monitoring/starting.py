"""How Prometheus and Alertmanager start: by `files/start.sh`, so that a bad configuration never takes them down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi_kubernetes.core import v1 as core

from components.monitoring.documents import FILES

START_MAP = "start"
_SCRIPT = "start.sh"
_START = "/usr/local/lib/elab"
CONFIG = "/etc/elab/config"
CREDENTIALS = "/etc/elab/credentials"
TRUST_MAP = "trust"
_TRUST = "/etc/elab/trust"


def start_files() -> dict[str, str]:
    """What the ConfigMap `start` holds."""
    return {_SCRIPT: (FILES / _SCRIPT).read_text()}


@dataclass(frozen=True, kw_only=True)
class Started:
    """A program that keeps data, and what it is started with."""

    program: str
    disk: str
    """Where its claim is mounted."""
    file: str
    """The name of its configuration."""
    check: str
    """The command that says whether a configuration is good."""
    patience: int
    """Seconds in which it must have become ready; its startup probe allows as many."""

    @property
    def config_file(self) -> str:
        """Where it reads its configuration."""
        return f"{self.disk}/config/{self.file}"

    def command(self) -> list[str]:
        """The container's command; the program's own arguments follow."""
        options = [CONFIG, self.disk, self.file, str(self.patience), self.check]
        return ["/bin/sh", f"{_START}/{_SCRIPT}", *options, "--", self.program]


def start_volume() -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
    """The script."""
    volume = core.VolumeArgs(name="start", config_map=core.ConfigMapVolumeSourceArgs(name=START_MAP))
    return volume, core.VolumeMountArgs(name="start", mount_path=_START, read_only=True)


def trust() -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
    """The institution's certificate authorities."""
    return projected("trust", _TRUST, [from_map(TRUST_MAP, {"ca.crt": "ca.crt"})])


def trust_environment(authorities: str | None) -> dict[str, str]:
    """By which variable a Go program finds them."""
    return {"SSL_CERT_FILE": f"{_TRUST}/ca.crt"} if authorities is not None else {}


def projected(
    name: str, path: str, sources: Sequence[core.VolumeProjectionArgs]
) -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
    """Several ConfigMaps and Secrets as one folder, which changes as a whole."""
    volume = core.VolumeArgs(
        name=name, projected=core.ProjectedVolumeSourceArgs(sources=list(sources), default_mode=0o440)
    )
    return volume, core.VolumeMountArgs(name=name, mount_path=path, read_only=True)


def from_map(name: str, paths: Mapping[str, str]) -> core.VolumeProjectionArgs:
    """Keys of a ConfigMap, each at its path."""
    items = [core.KeyToPathArgs(key=key, path=path) for key, path in sorted(paths.items())]
    return core.VolumeProjectionArgs(config_map=core.ConfigMapProjectionArgs(name=name, items=items))


def from_secret(name: str, paths: Mapping[str, str]) -> core.VolumeProjectionArgs:
    """Keys of a Secret, each at its path."""
    items = [core.KeyToPathArgs(key=key, path=path) for key, path in sorted(paths.items())]
    return core.VolumeProjectionArgs(secret=core.SecretProjectionArgs(name=name, items=items))


def claim_volume(claim: str, path: str) -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
    """The program's own disk."""
    source = core.PersistentVolumeClaimVolumeSourceArgs(claim_name=claim)
    volume = core.VolumeArgs(name="data", persistent_volume_claim=source)
    return volume, core.VolumeMountArgs(name="data", mount_path=path)
