"""Rules for pods: what they share with their node, who they are, and how Kubernetes looks after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from .allowed import host_access
from .model import Context, Fault, Resource, Rule, containers

_SERVED = ("Deployment", "StatefulSet", "DaemonSet")


def host_paths(resource: Resource, _context: Context) -> Iterator[str]:
    """Only those of the allow-list, and written to only where that says so."""
    allowed = host_access(resource.key)
    for volume in (resource.pod or {}).get("volumes") or ():
        path = (volume.get("hostPath") or {}).get("path")
        if path is None or any(fnmatchcase(path, pattern) for pattern in allowed.writable):
            continue
        if path not in allowed.read_only:
            yield f"volume {volume['name']} is the node's {path}"
            continue
        for container in containers(resource):
            for mount in container.body.get("volumeMounts") or ():
                if mount["name"] == volume["name"] and not mount.get("readOnly"):
                    yield f"container {container.name} can write to the node's {path}"


def host_namespaces(resource: Resource, context: Context) -> Iterator[str]:
    """The node's network, processes, memory and ports."""
    allowed, pod = host_access(resource.key), resource.pod or {}
    ports = {context.ports.get(setting) for setting in allowed.ports}
    for field, name in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "memory")):
        if pod.get(field) and name not in allowed.namespaces:
            yield f"its pods share the node's {name}"
    for container in containers(resource):
        for port in container.body.get("ports") or ():
            if port.get("hostPort") and int(port["hostPort"]) not in ports:
                yield f"container {container.name} takes port {int(port['hostPort'])} of the node"


def probes(resource: Resource, _context: Context) -> Iterator[str]:
    """What serves on a port says when it is ready, and when it hangs."""
    if resource.kind not in _SERVED:
        return
    for container in containers(resource):
        if container.init or not container.body.get("ports"):
            continue
        for probe in ("readinessProbe", "livenessProbe"):
            if not container.body.get(probe):
                yield f"container {container.name} has no {probe}"


def token(resource: Resource, _context: Context) -> Iterator[str]:
    """No token unless the pod has an account of its own."""
    pod = resource.pod
    if pod is None:
        return
    mounted = pod.get("automountServiceAccountToken")
    if mounted is None:
        yield "its pods say nothing of automountServiceAccountToken, so they get a token"
    elif mounted and pod.get("serviceAccountName", "default") == "default":
        yield "its pods get a token of the namespace's default account"


def account_token(resource: Resource, _context: Context) -> Iterator[str]:
    """Accounts leave it to pods to ask for their token."""
    if resource.kind == "ServiceAccount" and resource.inputs.get("automountServiceAccountToken") is not False:
        yield "every pod of the account gets its token, whether it asks or not"


def priority(resource: Resource, _context: Context) -> Iterator[str]:
    """A priority class."""
    pod = resource.pod
    if pod is not None and not pod.get("priorityClassName"):
        yield "its pods have no priority class"


def bounded_scratch(resource: Resource, _context: Context) -> Iterator[str]:
    """A size for every emptyDir."""
    for volume in (resource.pod or {}).get("volumes") or ():
        scratch = volume.get("emptyDir")
        if scratch is not None and not scratch.get("sizeLimit"):
            yield f"volume {volume['name']} may grow until the node's disk is full"


def drains(resources: Sequence[Resource], _context: Context) -> Iterator[Fault]:
    """A budget that always lets one pod go."""
    for budget in (one for one in resources if one.kind == "PodDisruptionBudget"):
        spec = budget.spec
        most, least = (
            None if spec.get(field) is None else str(spec[field]) for field in ("maxUnavailable", "minAvailable")
        )
        if most in ("0", "0.0", "0%"):
            yield Fault(resource=budget, what=f"maxUnavailable is {most}")
        if least is None:
            continue
        if least.endswith("%"):
            if least == "100%":
                yield Fault(resource=budget, what="minAvailable is 100%")
            continue
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        for owner in resources:
            labels = ((owner.template or {}).get("metadata") or {}).get("labels") or {}
            matches = owner.namespace == budget.namespace and wanted.items() <= dict(labels).items()
            if (
                owner.kind in ("Deployment", "StatefulSet")
                and matches
                and int(float(least)) >= int(owner.spec.get("replicas", 1))
            ):
                what = f"minAvailable is {least}, and {owner.key} has {int(owner.spec.get('replicas', 1))} pods"
                yield Fault(resource=budget, what=what)


RULES = (
    Rule(
        name="host-paths",
        one=host_paths,
        reason="Through a path of its node a pod reads other pods' secrets, and can write programs that root runs.",
        fix="Use a claim, an emptyDir or a ConfigMap; what must see the node is listed in policy/allowed.yaml.",
    ),
    Rule(
        name="host-namespaces",
        one=host_namespaces,
        reason="In the node's network no NetworkPolicy holds, and among its processes every secret can be read.",
        fix="Leave hostNetwork, hostPID, hostIPC and hostPort out; what needs them is listed in policy/allowed.yaml.",
    ),
    Rule(
        name="probes",
        one=probes,
        reason="Without readiness traffic reaches what is not up; without liveness what hangs is never started anew.",
        fix="Give the container readinessProbe and livenessProbe.",
    ),
    Rule(
        name="token-automount",
        one=token,
        reason="A token of the API server in a pod that does not need it is one more way in.",
        fix="Set automountServiceAccountToken to false, or give the pod an account of its own.",
    ),
    Rule(
        name="account-token",
        one=account_token,
        dev="advisory",
        reason="A pod that is put under the account later would get the token without asking.",
        fix="Set automountServiceAccountToken of the ServiceAccount to false; the pod that needs it says true.",
    ),
    Rule(
        name="priority-class",
        one=priority,
        reason="On a full node the pods without a priority go first, whatever they do.",
        fix="Set priorityClassName to one of the platform's.",
    ),
    Rule(
        name="bounded-scratch",
        one=bounded_scratch,
        dev="advisory",
        reason="An emptyDir without a limit fills the node's disk, and the kubelet evicts the neighbours too.",
        fix="Set emptyDir.sizeLimit.",
    ),
    Rule(
        name="drains",
        all=drains,
        reason="A disruption budget that lets no pod go blocks the drain of its node, and with it every upgrade.",
        fix="Use maxUnavailable: 1, or fewer minAvailable than replicas.",
    ),
)
