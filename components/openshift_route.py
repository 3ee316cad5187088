"""OpenShift's Route: one host and path that its router leads to a Service of the Route's own namespace."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.meta import v1 as meta

from components.custom import CustomObject

_ADMITTED = {
    "pulumi.com/waitFor": 'jsonpath={.status.ingress[0].conditions[?(@.type=="Admitted")].status}=True',
    "pulumi.com/timeoutSeconds": "120",
}
"""A router that refuses a Route says so in its status alone: another namespace has the host, or it may not have it."""


@dataclass(frozen=True, kw_only=True)
class OpenShiftRoute:
    """A Route (route.openshift.io/v1), which pulumi-kubernetes has no type for."""

    host: str
    path: str
    service: str
    target_port: int
    """The port of the Service's pods, by which the router knows them."""
    quiet_seconds: int
    """How long a connection may stay quiet."""

    def annotations(self) -> dict[str, str]:
        """`timeout` holds until an answer begins, `timeout-tunnel` for a WebSocket after its upgrade."""
        prefix, time = "haproxy.router.openshift.io", f"{self.quiet_seconds}s"
        return {
            f"{prefix}/timeout": time,
            f"{prefix}/timeout-tunnel": time,
            # Who the client is, the router says: not whatever the client has written into the header.
            f"{prefix}/set-forwarded-headers": "replace",
            **_ADMITTED,
        }

    def register(self, name: str, meta_args: meta.ObjectMetaArgs, opts: pulumi.ResourceOptions) -> CustomObject:
        """Register it. Where the CRD is absent, `up` fails here, naming the kind."""
        spec = {
            "host": self.host,
            "path": self.path,
            "to": {"kind": "Service", "name": self.service, "weight": 100},
            "port": {"targetPort": self.target_port},
            "tls": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
            "wildcardPolicy": "None",
        }
        return CustomObject(
            name,
            api_version="route.openshift.io/v1",
            kind="Route",
            metadata=meta_args,
            fields={"spec": spec},
            opts=opts,
        )
