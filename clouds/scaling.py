"""What adds nodes, where it is configured in the cluster: a frozen dataclass for each kind of object; and the commands
where it is configured outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from clouds.pools import NodePool, Taint


class ScalingObject(Protocol):
    """An object that an autoscaler reads; `planning/crds/` has the schema of its kind."""

    api_version: ClassVar[str]
    kind: ClassVar[str]

    @property
    def name(self) -> str: ...

    @property
    def namespace(self) -> str | None:
        """None: the whole cluster's."""
        ...

    def spec(self) -> dict[str, Any]:
        """Its fields, as the cluster takes them."""
        ...


@dataclass(frozen=True, kw_only=True)
class Command:
    """What its reader runs once, and again when the pool changes, since no object in the cluster can say it."""

    pool: str
    why: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """All that tells a cloud's autoscaler of the pools."""

    objects: tuple[ScalingObject, ...] = ()
    commands: tuple[Command, ...] = ()


def shown_taint(taint: Taint) -> str:
    """A taint as kubectl and the clouds' own command lines take it."""
    return f"{taint.key}={taint.value}:{taint.effect}"


def shown_labels(pool: NodePool) -> str:
    """The pool's labels, likewise."""
    return ",".join(f"{key}={value}" for key, value in sorted(pool.selector.items()))


def shares(total: int, parts: int) -> list[int]:
    """A number in whole shares that differ by one at most: a pool's nodes over the zones of its machine sets."""
    return [total // parts + (index < total % parts) for index in range(parts)]


def _taints(taints: Sequence[Taint]) -> list[dict[str, str]]:
    return [
        {"key": str(taint.key), "effect": taint.effect, **({"value": str(taint.value)} if taint.value else {})}
        for taint in taints
    ]


@dataclass(frozen=True, kw_only=True)
class KarpenterNodePool:
    """A NodePool (karpenter.sh/v1): which machines may be rented for a pool, and when they may go.

    A node goes when its pods fit elsewhere; people's servers carry `karpenter.sh/do-not-disrupt` and keep theirs.
    `expireAfter` is Never, since expiry drains a node with people on it; new machine images come by drift, which waits.
    A new node takes nobody until its disks' driver is there: before that the scheduler knows no bound of its disks, and
    would put more people on it than it can attach (kubernetes/kubernetes#95911).
    """

    api_version: ClassVar[str] = "karpenter.sh/v1"
    kind: ClassVar[str] = "NodePool"

    name: str
    node_class: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    machine: str
    spot: bool
    zones: tuple[str, ...]
    """None: every zone of the node class' subnets."""
    cpus: int
    """Of all the pool's machines together: Karpenter counts no nodes."""
    consolidate_after: str
    startup_taint: str
    """The key of the taint that the driver takes away once it has told how many disks the node takes."""
    namespace: None = None

    def spec(self) -> dict[str, Any]:
        requirements = [
            ("node.kubernetes.io/instance-type", (self.machine,)),
            ("karpenter.sh/capacity-type", ("spot" if self.spot else "on-demand",)),
            ("topology.kubernetes.io/zone", self.zones),
        ]
        return {
            "template": {
                "metadata": {"labels": dict(self.labels)},
                "spec": {
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": Ec2NodeClass.kind, "name": self.node_class},
                    "requirements": [
                        {"key": key, "operator": "In", "values": list(values)} for key, values in requirements if values
                    ],
                    **({"taints": _taints(self.taints)} if self.taints else {}),
                    "startupTaints": [{"key": self.startup_taint, "effect": "NoExecute"}],
                    "expireAfter": "Never",
                },
            },
            "limits": {"cpu": str(self.cpus)},
            "disruption": {
                # Not WhenEmpty: to Karpenter a node with a placeholder on it is not empty.
                "consolidationPolicy": "WhenEmptyOrUnderutilized",
                "consolidateAfter": self.consolidate_after,
                "budgets": [{"nodes": "1"}],
            },
        }


@dataclass(frozen=True, kw_only=True)
class Ec2NodeClass:
    """An EC2NodeClass (karpenter.k8s.aws/v1): how a machine is set up. IMDSv2 alone, and no pod reaches it."""

    api_version: ClassVar[str] = "karpenter.k8s.aws/v1"
    kind: ClassVar[str] = "EC2NodeClass"

    name: str
    ami: str
    """An alias, for example `al2023@v20250920`."""
    role: str
    discovery: str
    """The value of the tag `karpenter.sh/discovery` of subnets and security groups."""
    disk: str
    tags: Mapping[str, str]
    namespace: None = None

    def spec(self) -> dict[str, Any]:
        tagged = [{"tags": {"karpenter.sh/discovery": self.discovery}}]
        disk = {"volumeSize": self.disk, "volumeType": "gp3", "encrypted": True, "deleteOnTermination": True}
        # Bottlerocket's own system is on its first disk; images and scratch space are on the second.
        device = "/dev/xvdb" if self.ami.startswith("bottlerocket@") else "/dev/xvda"
        return {
            "amiSelectorTerms": [{"alias": self.ami}],
            "role": self.role,
            "subnetSelectorTerms": tagged,
            "securityGroupSelectorTerms": tagged,
            "blockDeviceMappings": [{"deviceName": device, "ebs": disk}],
            # One hop: the node's own programs; a pod's packet has one more to go.
            "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
            "tags": dict(self.tags),
        }


@dataclass(frozen=True, kw_only=True)
class OpenShiftClusterAutoscaler:
    """A ClusterAutoscaler (autoscaling.openshift.io/v1): there is one in a cluster, and its name is given."""

    api_version: ClassVar[str] = "autoscaling.openshift.io/v1"
    kind: ClassVar[str] = "ClusterAutoscaler"

    cut_off: int
    """Pods of a lower priority call for no node."""
    name: str = "default"
    namespace: None = None

    def spec(self) -> dict[str, Any]:
        return {
            "podPriorityThreshold": self.cut_off,
            # People's servers have emptyDir volumes; what may not go carries `safe-to-evict: "false"`.
            "skipNodesWithLocalStorage": False,
            "scaleDown": {"enabled": True, "delayAfterAdd": "10m", "unneededTime": "10m"},
        }


@dataclass(frozen=True, kw_only=True)
class OpenShiftMachineAutoscaler:
    """A MachineAutoscaler (autoscaling.openshift.io/v1beta1): between how many machines a MachineSet is kept."""

    api_version: ClassVar[str] = "autoscaling.openshift.io/v1beta1"
    kind: ClassVar[str] = "MachineAutoscaler"

    name: str
    machine_set: str
    min: int
    max: int
    namespace: str = "openshift-machine-api"

    def spec(self) -> dict[str, Any]:
        target = {"apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineSet", "name": self.machine_set}
        return {"minReplicas": self.min, "maxReplicas": self.max, "scaleTargetRef": target}
