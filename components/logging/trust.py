"""The institution's certificate authorities as Elasticsearch takes them: the snapshots' storage may be theirs."""

import re
from collections.abc import Mapping

from pulumi_kubernetes.core import v1 as core

from components.kit import Labels, metadata

FOLDER = "/etc/elab/authorities"
"""Where start.sh finds them, a file each."""
_MAP = "elasticsearch-authorities"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def certificates(bundle: str | None) -> dict[str, str]:
    """Each certificate of a PEM text as a file of its own, by name: Java's keytool takes one at a time."""
    return {f"{place}.crt": f"{one}\n" for place, one in enumerate(_CERTIFICATE.findall(bundle or ""))}


def config_map(files: Mapping[str, str], labels: Labels, namespace: str) -> core.ConfigMapInitArgs:
    """The files."""
    return core.ConfigMapInitArgs(metadata=metadata(_MAP, labels, namespace), data=dict(files))


def mount() -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
    """Where they lie in the container."""
    volume = core.VolumeArgs(name="authorities", config_map=core.ConfigMapVolumeSourceArgs(name=_MAP))
    return volume, core.VolumeMountArgs(name="authorities", mount_path=FOLDER, read_only=True)
