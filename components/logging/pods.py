"""What Elasticsearch and Kibana are told of the platform."""

from dataclasses import dataclass

from clouds.base import PodSecurity
from components.kit import Labels
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings

UID = 1000
"""The user of Elastic's images."""
CA_FILE = "/etc/elab/ca/ca.crt"
"""Where clients find the room's authority."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What every pod of the room is told."""

    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str

    @property
    def namespace(self) -> str:
        """The room's namespace."""
        return self.names.of("logging")

    @property
    def uid(self) -> int | None:
        """None where the cluster assigns one."""
        return None if self.pod_security.assigns_uids else UID

    def labels(self, component: str) -> Labels:
        """The labels of one of the room's programs."""
        return logging_labels(self.names, component)


def logging_labels(names: NamespaceNames, component: str) -> Labels:
    """The labels of one of the room's programs."""
    return Labels(instance=names.instance, room="logging", component=component)
