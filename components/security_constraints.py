"""OpenShift's SecurityContextConstraints, where a pod needs more than the cluster gives to all."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.meta import v1 as meta

from components.custom import CustomObject


@dataclass(frozen=True, kw_only=True)
class HostReader:
    """SecurityContextConstraints (security.openshift.io/v1) of a pod that reads its host, and can change nothing of it.

    OpenShift's own `hostaccess` would not do: it names no seccomp profile, and so refuses pods that ask for one.
    """

    account: str
    """The one ServiceAccount that may use them, `system:serviceaccount:<namespace>:<name>`."""
    namespaces: bool
    """Whether it sees the host's network and processes."""
    root: bool
    """Whether it reads as root, without root's rights: logs are root's files."""
    volumes: tuple[str, ...]
    """Kinds of volumes that it mounts."""

    def fields(self) -> dict[str, Any]:
        """Its fields, as the cluster takes them; they have no `spec`."""
        return {
            "allowHostDirVolumePlugin": True,
            "allowHostIPC": False,
            "allowHostNetwork": self.namespaces,
            "allowHostPID": self.namespaces,
            "allowHostPorts": self.namespaces,
            "allowPrivilegedContainer": False,
            "allowPrivilegeEscalation": False,
            "allowedCapabilities": [],
            "defaultAddCapabilities": [],
            "requiredDropCapabilities": ["ALL"],
            "priority": 0,
            "readOnlyRootFilesystem": True,
            "runAsUser": {"type": "RunAsAny" if self.root else "MustRunAsRange"},
            # A pod in the host's PID namespace has no label of its own in any case, and no ordinary one may read logs.
            "seLinuxContext": {"type": "RunAsAny"},
            "fsGroup": {"type": "MustRunAs"},
            "supplementalGroups": {"type": "RunAsAny"},
            "seccompProfiles": ["runtime/default"],
            "volumes": list(self.volumes),
            "users": [self.account],
        }

    def register(self, name: str, meta_args: meta.ObjectMetaArgs, opts: pulumi.ResourceOptions) -> CustomObject:
        """Register it, before the pods that need it."""
        return CustomObject(
            name,
            api_version="security.openshift.io/v1",
            kind="SecurityContextConstraints",
            metadata=meta_args,
            fields=self.fields(),
            opts=opts,
        )
