"""Whether NetworkPolicies hold on the real cluster: a pod among people's servers tries what it must not reach.

The API server takes every policy, whether anything enforces it or not; so no plan and no `pulumi up` can tell.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from ipaddress import ip_address

from clouds.base import PolicyEngine
from components.connections import Addresses, Connection
from components.hub.graph import user_connections
from components.hub.scheduling import PriorityNames
from components.hub.values import HUB_PORT, PROXY_API_PORT
from components.kit import Labels
from components.namespaces import NamespaceNames
from operate.leftovers import Kubectl
from operate.probe import PATIENCE, PROBE, PROGRAM, UNKNOWN, Seen, Target, answer, needed, probe, run
from operate.steps import OperationError
from settings import Settings

_UID = 65534
_HTTP = 80


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
    pod = probe(
        names.users,
        image,
        targets,
        labels,
        largest=settings.users.largest,
        uid=uid,
        priority_class=priority,
        pull_secrets=pull_secrets,
    )
    return judged(targets, run(kubectl, pod), facts.about.network_policies)


@contextmanager
def ending_up() -> Generator[None]:
    """Around the proof with which `up` ends: where it fails, the stack is up all the same.

    Raises:
        OperationError: the proof's own, with these words before it.
    """
    try:
        yield
    except OperationError as error:
        raise OperationError(f"the stack is up; only the proof with which `make up` ends has failed: {error}") from None


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
    here = ("--namespace", namespace)
    with needed(
        f"the Service {name} in {namespace} can't be read",
        allowed="a stack that is up, and an account that may read Services",
        fix="see that it is (`make status`), and that the account may: "
        f"kubectl --namespace {namespace} auth can-i get services",
    ):
        host = kubectl(*here, "get", "service", name, "--output", "jsonpath={.spec.clusterIP}").strip()
    return Target(name=f"{name} in {namespace}", host=host, port=port, allowed=allowed)


def _require_listener(kubectl: Kubectl, namespace: str, target: Target) -> None:
    """A refusal proves nothing where nobody listens: the hub must reach what people must not."""
    asked = json.dumps({"seconds": PATIENCE, "targets": [asdict(target)]})
    with needed(
        "the hub can't be asked whether its proxy listens",
        allowed="a hub that runs, and an account that may run commands in its pod (pods/exec)",
        fix=f"see that it runs (kubectl --namespace {namespace} get pods), and that the account may: "
        f"kubectl --namespace {namespace} auth can-i create pods/exec",
    ):
        said = kubectl("--namespace", namespace, "exec", "deployment/hub", "--", "python3", "-c", PROGRAM, asked)
    if answer(said).reached != (True,):
        raise OperationError(
            f"{UNKNOWN}: the hub itself does not reach its proxy\n"
            f"found: no connection to {_shown(target)} within {PATIENCE} s\n"
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
    with needed(
        "the addresses of the API server can't be read",
        allowed="an account that may read the EndpointSlices of default",
        fix="see that it may: kubectl --namespace default auth can-i list endpointslices.discovery.k8s.io",
    ):
        listing = kubectl(*default, "get", "endpointslices", "--selector", selector, "--output", "json")
    # Where there is no endpoint, address, port or number of one, the API writes null.
    behind = [
        (address, number)
        for one in json.loads(listing)["items"]
        for endpoint in one.get("endpoints") or []
        for address in endpoint.get("addresses") or []
        for port in one.get("ports") or []
        if (number := port.get("port"))
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
