"""Fluent Bit: what containers of the platform write, read once on each node and sent to one data stream per room."""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.rbac import v1 as rbac

from components.kit import Labels, metadata
from components.logging.agents import (
    HostPath,
    Node,
    Shipper,
    ShipperSecrets,
    configuration,
    register,
)
from components.namespaces import NamespaceNames
from stackfile.quantities import Bytes
from stackfile.references import Image, Name
from stackfile.resources import Resources

COMPONENT = "fluent-bit"
USER = "fluent-bit"
"""As whom it speaks to Elasticsearch."""
HTTP_PORT = 2020
"""Its metrics and its health, as its files have it."""
DATASETS = ("kubernetes.people", "kubernetes.hub", "kubernetes.proxy", "kubernetes.platform", "kubernetes.cluster")
"""What it writes: data streams `logs-<dataset>-<instance>`, and nothing else. The last one is of other namespaces."""
HOST_PATHS = (
    HostPath(name="containers", path="/var/log/containers"),
    # What the links in the other one lead to.
    HostPath(name="pods", path="/var/log/pods"),
)
"""All that it reads of a node."""
_ROOMS = ("hub", "users", "monitoring", "logging", "node")
"""Rooms whose pods write lines; it asks for no other's."""
_SHARES = {"people": 4, "hub": 2, "proxy": 1, "platform": 2, "cluster": 1}
"""How the buffer is shared: a queue that is full loses its own oldest lines, and no other's."""
_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class FluentBitArgs:
    """What Fluent Bit is made of."""

    node: Node
    image: Image
    resources: Resources
    buffer: Bytes
    """What may wait on each node's disk for Elasticsearch to come back."""
    namespaces: tuple[Name, ...] = ()
    """Namespaces of the institution's own whose containers are read too."""


def _paths(namespaces: tuple[Name, ...]) -> str:
    return ",".join(f"/var/log/containers/*_{name}_*.log" for name in namespaces)


def environment(args: FluentBitArgs) -> dict[str, str]:
    """What its files leave to the stack: the limit of each queue in bytes, and the other namespaces' files."""
    whole = sum(_SHARES.values())
    limits = {f"ELAB_BUFFER_{room.upper()}": str(args.buffer.bytes * share // whole) for room, share in _SHARES.items()}
    return limits | ({"ELAB_CLUSTER_PATHS": _paths(args.namespaces)} if args.namespaces else {})


def shipper(args: FluentBitArgs) -> Shipper:
    """Its pod. An outage of Elasticsearch makes it unready; it is restarted only when it does not answer itself."""
    main = "with-cluster.yaml" if args.namespaces else "fluent-bit.yaml"
    return Shipper(
        component=COMPONENT,
        image=args.image,
        resources=args.resources,
        command=["/fluent-bit/bin/fluent-bit"],
        arguments=[f"--config=/etc/elab/{COMPONENT}/{main}"],
        ports=[core.ContainerPortArgs(name="http", container_port=HTTP_PORT)],
        liveness=_probe("/", failures=6),
        readiness=_probe("/api/v1/health", failures=3),
        user=USER,
        paths=HOST_PATHS,
        files=configuration(COMPONENT),
        environment=environment(args),
        speaks_to_api=True,
    )


def _probe(path: str, *, failures: int) -> core.ProbeArgs:
    return core.ProbeArgs(
        http_get=core.HTTPGetActionArgs(path=path, port="http"),
        period_seconds=10,
        timeout_seconds=5,
        failure_threshold=failures,
    )


@dataclass(frozen=True, kw_only=True)
class Place:
    """A namespace of whose pods it asks."""

    suffix: str
    """Ends the names of the resources."""
    namespace: str
    role: str
    """The name of Role and RoleBinding: the instance is part of it where the namespace is not the platform's."""


def places(args: FluentBitArgs) -> Iterator[Place]:
    """Where it asks which pod a line is of."""
    for room in _ROOMS:
        yield Place(suffix=room, namespace=args.node.names.of(room), role=COMPONENT)
    for name in args.namespaces:
        yield Place(suffix=f"in-{name}", namespace=str(name), role=f"{args.node.names.instance}-{COMPONENT}")


def role(place: Place, labels: Labels) -> rbac.RoleInitArgs:
    """It asks for one pod at a time, by its name; it neither lists nor watches, and sees no Secret."""
    rule = rbac.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get"])
    return rbac.RoleInitArgs(metadata=metadata(place.role, labels, place.namespace), rules=[rule])


def role_binding(place: Place, names: NamespaceNames, labels: Labels) -> rbac.RoleBindingInitArgs:
    """Gives it its Role in one namespace."""
    return rbac.RoleBindingInitArgs(
        metadata=metadata(place.role, labels, place.namespace),
        role_ref=rbac.RoleRefArgs(api_group=_GROUP, kind="Role", name=place.role),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=COMPONENT, namespace=names.of("node"))],
    )


class FluentBit(pulumi.ComponentResource):
    """Ships what the platform's containers write."""

    def __init__(
        self, name: str, args: FluentBitArgs, secrets: ShipperSecrets, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("elab:logging:FluentBit", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = args.node.labels(COMPONENT)
        for place in places(args):
            rbac.Role(f"{name}-role-{place.suffix}", role(place, labels), child)
            rbac.RoleBinding(f"{name}-binding-{place.suffix}", role_binding(place, args.node.names, labels), child)
        register(name, args.node, shipper(args), secrets, self)
        self.register_outputs({})
