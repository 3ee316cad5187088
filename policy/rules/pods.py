"""Rules for pods: what they share with their node, who they are, and how Kubernetes looks after them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeGuard

from .allowed import host_access, unasked
from .model import WORKLOADS, Context, Fault, Resource, Rule, containers
from .selectors import matches

_SERVED = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
_REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def judged(resource: Resource, _context: Context) -> Iterator[str]:
    """Rules know where the pods are that it makes."""
    if resource.type.startswith("kubernetes:") and not resource.kind:
        yield "nobody can see which objects it makes"
    if resource.kind in (*WORKLOADS, "PodTemplate") and not resource.template:
        yield "it has no template, so nobody can see which pods it makes"
    for path in _containers_beside(resource.inputs, resource.pod, ""):
        yield f"no rule looks at the containers at {path}"


def _containers_beside(value: object, pod: object, path: str) -> Iterator[str]:
    """Where containers stand elsewhere than in the pods that rules look at."""
    if value is pod or isinstance(value, str | int | float):
        return
    if isinstance(value, Mapping):
        for name in value:
            inner = f"{path}.{name}" if path else str(name)
            if str(name).lower().endswith("containers") and _objects(value[name]):
                yield inner
            else:
                yield from _containers_beside(value[name], pod, inner)
    elif _objects(value):
        for index, item in enumerate(value):
            yield from _containers_beside(item, pod, f"{path}.{index}")


def _objects(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value)


def host_paths(resource: Resource, context: Context) -> Iterator[str]:
    """Only those of the allow-list, and written to only where that says so."""
    allowed = host_access(resource.key, context.instance)
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
    allowed, pod = host_access(resource.key, context.instance), resource.pod or {}
    ports = {context.ports.get(setting) for setting in allowed.ports}
    for field, name in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "memory")):
        if pod.get(field) and name not in allowed.namespaces:
            yield f"its pods share the node's {name}"
    for container in containers(resource):
        for port in container.body.get("ports") or ():
            if port.get("hostPort") and int(port["hostPort"]) not in ports:
                yield f"container {container.name} takes port {int(port['hostPort'])} of the node"


def probes(resource: Resource, context: Context) -> Iterator[str]:
    """What runs says when it is ready, and when it hangs; ports that are not named may be served all the same."""
    if resource.kind not in _SERVED:
        return
    for container in containers(resource):
        if container.init or unasked(resource.key, container.name, context.instance):
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
    account = pod.get("serviceAccountName") or pod.get("serviceAccount") or "default"
    if mounted is None:
        yield "its pods say nothing of automountServiceAccountToken, so they get a token"
    elif mounted and account == "default":
        yield "its pods get a token of the namespace's default account"
    for volume in pod.get("volumes") or ():
        sources = (volume.get("projected") or {}).get("sources") or ()
        if account == "default" and any(source.get("serviceAccountToken") is not None for source in sources):
            yield f"volume {volume.get('name')} is a token of the namespace's default account"


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
        most, least = (budget.spec.get(field) for field in ("maxUnavailable", "minAvailable"))
        if most is not None and _share(most, 100) == 0:
            yield Fault(resource=budget, what=f"maxUnavailable is {_shown(most)}")
        if least is None:
            continue
        if str(least).endswith("%") and _share(least, 100) >= 100:
            yield Fault(resource=budget, what=f"minAvailable is {least}")
            continue
        for owner in resources:
            stated = owner.spec.get("replicas")
            replicas = 1 if stated is None else int(float(stated))
            labels = ((owner.template or {}).get("metadata") or {}).get("labels") or {}
            if (
                owner.kind in _REPLICATED
                and owner.namespace == budget.namespace
                and matches(budget.spec.get("selector") or {}, labels)
                and _share(least, replicas) >= replicas > 0
            ):
                what = f"minAvailable is {_shown(least)}, and {owner.key} has {replicas} pods"
                yield Fault(resource=budget, what=what)


def _share(value: object, of: int) -> int:
    """How many pods a number or a share of them is; the controller rounds both of a budget's bounds up."""
    text = str(value)
    return math.ceil(of * float(text[:-1]) / 100) if text.endswith("%") else int(float(text))


def _shown(value: object) -> str:
    """Numbers as they were written: an engine hands all of them over as fractions."""
    return f"{value:g}" if isinstance(value, float) else str(value)


RULES = (
    Rule(
        name="pods-judged",
        one=judged,
        texts=True,
        reason="What rules can't see they can't refuse: charts, custom workloads, and kinds that nobody has met yet.",
        fix="Register the workload as one of Kubernetes' own kinds, or teach policy/rules/model.py where its pods are.",
    ),
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
        fix="Give the container readinessProbe and livenessProbe; what only waits is listed in policy/allowed.yaml.",
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
