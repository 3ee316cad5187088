"""Whether NetworkPolicies hold on the real cluster: a pod among people's servers tries what it must not reach.

The API server takes every policy, whether anything enforces it or not; so no plan and no `pulumi up` can tell.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pulumi_kubernetes.core import v1 as core

from clouds.base import PolicyEngine
from components.connections import Addresses, Connection
from components.hub.graph import user_connections
from components.hub.scheduling import PriorityNames
from components.hub.values import HUB_PORT, PROXY_API_PORT
from components.kit import Labels, container_security, metadata, plain, pod_security, requirements
from components.namespaces import NamespaceNames
from operate.leftovers import Kubectl
from operate.steps import OperationError
from settings import Settings
from stackfile.resources import resources

PROBE = "isolation-probe"
_PROGRAM = (Path(__file__).parent / "programs/reach.py").read_text()
_PATIENCE = 30
"""Seconds that an engine has for a new pod; the known ones take less than five."""
_DEADLINE = 120
"""Seconds until the kubelet ends the probe, the pull of its image included."""
_UID = 65534
_HTTP = 80


@dataclass(frozen=True, kw_only=True)
class Target:
    """An address that the probe tries."""

    name: str
    host: str
    port: int
    allowed: bool


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the probe saw."""

    reached: tuple[bool, ...]
    """In the order of the targets."""
    seconds: float
    """Until all was as it must be, or until it gave up."""


def prove(kubectl: Kubectl, settings: Settings) -> str:
    """Run the probe on the stack's cluster, and say in one line what it saw.

    Raises:
        OperationError: it reached what policies refuse, or did not reach what they allow, or could not run.
    """
    names, facts = NamespaceNames(instance=settings.instance), settings.facts
    proxy_api = _service(kubectl, names.hub, "proxy-api", PROXY_API_PORT, allowed=True)
    _require_listener(kubectl, names.hub, proxy_api)
    targets = (
        _service(kubectl, names.hub, "hub", HUB_PORT, allowed=True),
        _service(kubectl, names.hub, "proxy-api", PROXY_API_PORT, allowed=False),
        *_outside(kubectl, settings),
    )
    pull_secrets = [str(name) for name in settings.images.pull_secrets]
    image = settings.images.reference(settings.hub.image)
    uid = None if facts.pod_security.assigns_uids else _UID
    labels = Labels(instance=settings.instance, room="users", component=PROBE)
    # On a full cluster it would else wait for a node, and be the first to go.
    priority = PriorityNames(instance=settings.instance).of("platform")
    pod = probe(names.users, image, targets, labels, uid=uid, priority_class=priority, pull_secrets=pull_secrets)
    return judged(targets, run(kubectl, pod), facts.about.network_policies)


def probe(
    namespace: str,
    image: str,
    targets: Sequence[Target],
    labels: Labels,
    *,
    uid: int | None,
    priority_class: str | None = None,
    pull_secrets: Sequence[str] = (),
) -> dict[str, Any]:
    """The probe's pod, which Pod Security `restricted` admits; its image must have Python."""
    asked = json.dumps({"seconds": _PATIENCE, "targets": [asdict(target) for target in targets]})
    container = core.ContainerArgs(
        name="probe",
        image=image,
        command=["python3", "-c", _PROGRAM, asked],
        resources=requirements(resources(cpu=("10m", "500m"), memory=("32Mi", "128Mi"))),
        security_context=container_security(),
    )
    spec = core.PodSpecArgs(
        containers=[container],
        restart_policy="Never",
        active_deadline_seconds=_DEADLINE,
        termination_grace_period_seconds=0,
        priority_class_name=priority_class,
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(uid=uid),
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=name) for name in pull_secrets],
    )
    return plain(core.PodArgs(api_version="v1", kind="Pod", metadata=metadata(PROBE, labels, namespace), spec=spec))


def run(kubectl: Kubectl, pod: dict[str, Any]) -> Seen:
    """Run a probe to its end, and take it away again.

    Raises:
        OperationError: it did not come to its end.
    """
    here = ("--namespace", pod["metadata"]["namespace"])
    # Of an earlier run that was killed.
    kubectl(*here, "delete", "pod", PROBE, "--ignore-not-found", "--timeout=60s")
    kubectl(*here, "create", "--filename", "-", text=json.dumps(pod))
    try:
        ended = "--for=jsonpath={.status.phase}=Succeeded"
        kubectl(*here, "wait", f"pod/{PROBE}", ended, f"--timeout={_DEADLINE + 10}s")
        said = kubectl(*here, "logs", PROBE)
    except OperationError as error:
        status = kubectl(*here, "get", "pod", PROBE, "--ignore-not-found", "--output", "jsonpath={.status}")
        raise OperationError(
            f"whether NetworkPolicies hold is not known: the pod {PROBE} in {here[1]} did not come to its end\n"
            f"found: {status.strip()[:1000] or error}\n"
            f"allowed: it runs within {_DEADLINE} s, its image's pull included\n"
            "fix: what its status says; then `make verify`"
        ) from None
    finally:
        kubectl(*here, "delete", "pod", PROBE, "--ignore-not-found", "--wait=false")
    return _seen(said)


def _seen(said: str) -> Seen:
    try:
        found = json.loads(said)
        return Seen(reached=tuple(found["reached"]), seconds=found["seconds"])
    except (ValueError, TypeError, KeyError):
        raise OperationError(
            f"whether NetworkPolicies hold is not known: the probe said {said.strip()[:500]!r}\n"
            "allowed: the JSON that operate/programs/reach.py prints, by an image with Python\n"
            "fix: see what hub.image is; then `make verify`"
        ) from None


def judged(targets: Sequence[Target], seen: Seen, engine: PolicyEngine) -> str:
    """What was seen, in one line.

    Raises:
        OperationError: an address was reached that policies refuse, or the other way round.
    """
    pairs = list(zip(targets, seen.reached, strict=True))
    leaks = [_shown(target) for target, reached in pairs if reached and not target.allowed]
    if leaks:
        raise OperationError(
            "NetworkPolicies do not hold on this cluster: people's servers reach whatever they like\n"
            f"found: a pod among people's servers was let through to {'; '.join(leaks)}, {seen.seconds:.0f} s after it "
            "had started\n"
            f"allowed: a cluster that enforces them, by {engine.name}\n"
            f"fix: {engine.turn_on}\n     {engine.remarks}; then `make verify`"
        )
    cut = [_shown(target) for target, reached in pairs if target.allowed and not reached]
    if cut:
        raise OperationError(
            "people's servers do not reach what NetworkPolicies allow them: none would start\n"
            f"found: a pod among people's servers did not reach {'; '.join(cut)} within {seen.seconds:.0f} s\n"
            "allowed: a connection, since the stack's own policies name it\n"
            "fix: see that the hub runs, and that nobody else's policies lie over the stack's: "
            "kubectl get networkpolicies --all-namespaces"
        )
    refused = ", ".join(dict.fromkeys(target.name for target in targets if not target.allowed))
    return f"NetworkPolicies hold: refused {refused}; all as it must be {seen.seconds:.1f} s after the pod had started"


def _shown(target: Target) -> str:
    return f"{target.name} ({target.host}, port {target.port})"


def _service(kubectl: Kubectl, namespace: str, name: str, port: int, *, allowed: bool) -> Target:
    """By its address, so that the answer does not hang on the resolver."""
    host = kubectl("--namespace", namespace, "get", "service", name, "--output", "jsonpath={.spec.clusterIP}").strip()
    return Target(name=f"{name} in {namespace}", host=host, port=port, allowed=allowed)


def _require_listener(kubectl: Kubectl, namespace: str, target: Target) -> None:
    """A refusal proves nothing where nobody listens: the hub must reach what people must not."""
    asked = json.dumps({"seconds": _PATIENCE, "targets": [asdict(target)]})
    said = kubectl("--namespace", namespace, "exec", "deployment/hub", "--", "python3", "-c", _PROGRAM, asked)
    if _seen(said).reached != (True,):
        raise OperationError(
            "whether NetworkPolicies hold is not known: the hub itself does not reach its proxy\n"
            f"found: no connection to {_shown(target)} within {_PATIENCE} s\n"
            "allowed: a proxy that runs, and policies that let the hub through\n"
            f"fix: kubectl --namespace {namespace} get pods; then `make verify`"
        )


def _outside(kubectl: Kubectl, settings: Settings) -> list[Target]:
    """What only policies on the way out refuse: the API server, and whoever hands out the node's credentials."""
    names, facts = NamespaceNames(instance=settings.instance), settings.facts
    opened = tuple(user_connections(names, settings.users.egress, settings.network, facts.endpoints, facts.ranges))
    found = []
    default = ("--namespace", "default")
    selector = "kubernetes.io/service-name=kubernetes"
    slices = json.loads(kubectl(*default, "get", "endpointslices", "--selector", selector, "--output", "json"))["items"]
    behind = [
        (address, port["port"])
        for one in slices
        for endpoint in one["endpoints"]
        for address in endpoint["addresses"]
        for port in one["ports"]
    ]
    # Where its address is public, and the stack has not named it, `users.egress.internet` lets people through to it.
    if not any(opens(opened, address, port) for address, port in behind):
        found.append(_service(kubectl, "default", "kubernetes", 443, allowed=False))
    for cidr in facts.ranges.metadata:
        address = cidr.network.network_address
        if cidr.network.num_addresses == 1 and not opens(opened, str(address), _HTTP):
            found.append(Target(name="the metadata service", host=str(address), port=_HTTP, allowed=False))
    return found


def opens(connections: Sequence[Connection], address: str, port: int) -> bool:
    """Whether connections to addresses, as policies state them, let through to this one by TCP."""
    host = ip_address(address)
    return any(
        any(host in cidr.network for cidr in one.target.cidrs)
        and not any(host in cidr.network for cidr in one.target.excluded)
        and any(found.protocol == "TCP" and found.number in (None, port) for found in one.ports)
        for one in connections
        if isinstance(one.target, Addresses)
    )
