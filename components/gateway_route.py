"""Gateway API's HTTPRoute: one host and path that a Gateway leads to a Service."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.meta import v1 as meta

from components.custom import CustomObject

ACCEPTED = {
    "pulumi.com/waitFor": 'jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True',
    "pulumi.com/timeoutSeconds": "120",
}
"""A Gateway that takes no routes from this namespace says nothing by itself."""


@dataclass(frozen=True, kw_only=True)
class HttpRoute:
    """An HTTPRoute (gateway.networking.k8s.io/v1) of one Service, which pulumi-kubernetes has no type for."""

    gateway: str
    gateway_namespace: str
    listener: str | None
    host: str
    path: str
    service: str
    port: int
    quiet_seconds: int
    """How long an exchange may last, a WebSocket's too."""

    def register(self, name: str, meta_args: meta.ObjectMetaArgs, opts: pulumi.ResourceOptions) -> CustomObject:
        """Register it. Where the CRD is absent, `up` fails here, naming the kind."""
        parent = {"name": self.gateway, "namespace": self.gateway_namespace}
        rule = {
            "matches": [{"path": {"type": "PathPrefix", "value": self.path}}],
            "backendRefs": [{"name": self.service, "port": self.port}],
            "timeouts": {"request": f"{self.quiet_seconds // 3600}h"},
        }
        spec = {
            "parentRefs": [{**parent, "sectionName": self.listener} if self.listener else parent],
            "hostnames": [self.host],
            "rules": [rule],
        }
        return CustomObject(
            name,
            api_version="gateway.networking.k8s.io/v1",
            kind="HTTPRoute",
            metadata=meta_args,
            fields={"spec": spec},
            opts=opts,
        )
