"""Rules for namespaces, doors and rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stackfile.secrets import decoded, in_clear, in_words, is_secret

from .allowed import public_service
from .model import Context, Fault, Resource, Rule, containers, strings

_TOO_MUCH = ("cluster-admin", "admin", "edit", "system:masters")
_EVERYBODY = ("system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts")
_ESCALATION = ("escalate", "bind", "impersonate")
_DOORS = {
    "nodes/proxy": "speak to every kubelet past the API server's checks",
    "pods/exec": "run commands in others' containers",
    "pods/attach": "run commands in others' containers",
    "pods/portforward": "reach every port of others' pods",
    "pods/proxy": "reach every port of others' pods",
    "services/proxy": "reach every Service past all NetworkPolicies",
    "pods/ephemeralcontainers": "put containers into others' pods",
    "serviceaccounts/token": "make tokens of other accounts",
    "certificatesigningrequests/approval": "sign certificates for anybody",
}
"""Resources that are a way to other rights (Kubernetes' RBAC good practices name them)."""
_EVERYWHERE = ("0.0.0.0/0", "::/0")


def pod_security(resource: Resource, context: Context) -> Iterator[str]:
    """A Pod Security level that is enforced: restricted, but where the agents of the nodes are."""
    if resource.kind != "Namespace":
        return
    level = resource.labels.get("pod-security.kubernetes.io/enforce")
    if level is None:
        yield "no Pod Security level is enforced in it"
    elif level != "restricted" and resource.name != f"{context.instance}-node":
        yield f"pods of the level {level} may run in it"


def isolated(resources: Sequence[Resource], _context: Context) -> Iterator[Fault]:
    """A policy for every pod of each namespace, in both directions, and none that lets everything through."""
    covered: dict[str | None, set[str]] = {}
    for policy in (one for one in resources if one.kind == "NetworkPolicy"):
        egress = ("Egress",) if policy.spec.get("egress") else ()
        types = set(policy.spec.get("policyTypes") or ("Ingress", *egress))
        opened = {direction for direction in types if _lets_everything(policy, direction)}
        for direction in sorted(opened):
            yield Fault(resource=policy, what=f"a rule of it lets all {direction.lower()} through")
        if not any((policy.spec.get("podSelector") or {}).values()):
            covered.setdefault(policy.namespace, set()).update(types - opened)
    for namespace in (one for one in resources if one.kind == "Namespace"):
        for direction in ("Ingress", "Egress"):
            if direction not in covered.get(namespace.name, set()):
                what = f"no NetworkPolicy for all of its pods bounds {direction.lower()}"
                yield Fault(resource=namespace, what=what)


def _lets_everything(policy: Resource, direction: str) -> bool:
    side = {"Ingress": "from", "Egress": "to"}[direction]
    rules = policy.spec.get(direction.lower()) or ()
    return any(not rule.get("ports") and _anybody(rule.get(side)) for rule in rules)


def _anybody(peers: Sequence[Mapping[str, Any]] | None) -> bool:
    """Whether peers are everybody: none named, every address, or every pod of the cluster."""
    if not peers:
        return True
    for peer in peers:
        block, namespaces = peer.get("ipBlock") or {}, peer.get("namespaceSelector")
        if block.get("cidr") in _EVERYWHERE and not block.get("except"):
            return True
        pods = peer.get("podSelector") or {}
        if namespaces is not None and not any(namespaces.values()) and not any(pods.values()):
            return True
    return False


def own_namespace(resource: Resource, _context: Context) -> Iterator[str]:
    """Nothing in the cluster's own namespaces."""
    if resource.pod is not None and resource.namespace in (None, "default", "kube-system", "kube-public"):
        yield f"its pods run in the namespace {resource.namespace or 'default'}"


def exposure(resource: Resource, context: Context) -> Iterator[str]:
    """Doors of the allow-list only."""
    if resource.kind != "Service":
        return
    kind = resource.spec.get("type") or "ClusterIP"
    if kind in ("LoadBalancer", "NodePort") and not public_service(resource.key, context.instance):
        yield f"it is of type {kind}"
    if resource.spec.get("externalIPs"):
        yield "it takes external addresses"


def tls(resource: Resource, context: Context) -> Iterator[str]:
    """Every public address by TLS."""
    if resource.kind == "Ingress":
        # An entry without hosts covers them all, with the controller's own certificate.
        covered = {str(host) for one in resource.spec.get("tls") or () for host in one.get("hosts") or (None,)}
        reached = [rule.get("host") for rule in resource.spec.get("rules") or ()]
        if resource.spec.get("defaultBackend"):
            reached.append(None)
        for host in dict.fromkeys(reached):
            if not {str(host), "None"} & covered:
                yield f"{host or 'every host'} is reached without TLS"
        for name, value in (resource.metadata.get("annotations") or {}).items():
            # ingress-nginx and every HAProxy controller: each host by http too, where they send people to https.
            if name.endswith("/ssl-redirect") and str(value).lower() == "false":
                yield f"annotation {name} lets it be reached without TLS too"
    if resource.kind == "Route":
        ends = resource.spec.get("tls") or {}
        if not ends or ends.get("insecureEdgeTerminationPolicy") == "Allow":
            yield f"{resource.spec.get('host')} is reached without TLS"
    if resource.kind == "Gateway":
        for listener in resource.spec.get("listeners") or ():
            if listener.get("protocol") in ("HTTP", "TCP"):
                yield f"listener {listener.get('name')} speaks {listener['protocol']}"
    if resource.kind == "HTTPRoute" and not _redirects(resource):
        if not context.listener_tls:
            yield "its listener ends no TLS"
        for parent in resource.spec.get("parentRefs") or ():
            if not parent.get("sectionName"):
                yield f"it hangs on every listener of {parent.get('name')}, one without TLS too"
    if resource.kind == "Service" and resource.spec.get("type") in ("LoadBalancer", "NodePort"):
        for port in resource.spec.get("ports") or ():
            if int(port.get("port") or 0) != 443:
                yield f"port {int(port.get('port') or 0)} is reached without TLS"


def _redirects(route: Resource) -> bool:
    """Whether a route does nothing but send people elsewhere, as one from http to https does."""
    kinds = [{one.get("type") for one in rule.get("filters") or ()} for rule in route.spec.get("rules") or ()]
    return bool(kinds) and all("RequestRedirect" in found for found in kinds)


def no_wildcards(resource: Resource, _context: Context) -> Iterator[str]:
    """Rights by name."""
    if resource.kind not in ("Role", "ClusterRole"):
        return
    for index, rule in enumerate(resource.inputs.get("rules") or ()):
        for field in ("verbs", "resources", "apiGroups", "nonResourceURLs"):
            if any("*" in str(value) for value in rule.get(field) or ()):
                yield f"rule {index} grants every one of {field}"
        for verb in rule.get("verbs") or ():
            if verb in _ESCALATION:
                yield f"rule {index} grants {verb}, by which its holder gets any right"
    aggregated = resource.inputs.get("aggregationRule")
    if aggregated is not None:
        every = any(not any(one.values()) for one in aggregated.get("clusterRoleSelectors") or ())
        yield f"it takes the rights of {'every role' if every else 'all roles with a label'}, whatever they are one day"


def no_doors(resource: Resource, _context: Context) -> Iterator[str]:
    """No resource that leads to others' rights."""
    if resource.kind not in ("Role", "ClusterRole"):
        return
    for index, rule in enumerate(resource.inputs.get("rules") or ()):
        for name in rule.get("resources") or ():
            if name in _DOORS:
                yield f"rule {index} lets its holder {_DOORS[name]}, by {name}"


def no_administrators(resource: Resource, _context: Context) -> Iterator[str]:
    """No right over the cluster, and none for everybody."""
    if resource.kind not in ("RoleBinding", "ClusterRoleBinding"):
        return
    role = (resource.inputs.get("roleRef") or {}).get("name")
    if role in _TOO_MUCH:
        yield f"it grants {role}"
    for subject in resource.inputs.get("subjects") or ():
        if str(subject.get("name")).startswith(_EVERYBODY):
            yield f"it grants rights to {subject['name']}"


def no_secrets_of_all(resource: Resource, _context: Context) -> Iterator[str]:
    """Secrets of the whole cluster to nobody."""
    if resource.kind != "ClusterRole":
        return
    for index, rule in enumerate(resource.inputs.get("rules") or ()):
        readable = {"get", "list", "watch"} & set(rule.get("verbs") or ())
        if "secrets" in list(rule.get("resources") or ()) and readable and not rule.get("resourceNames"):
            yield f"rule {index} lets its holder read every Secret of the cluster"


def secrets_in_secrets(resource: Resource, _context: Context) -> Iterator[str]:
    """No key and no password where everybody reads."""
    if not resource.kind or resource.kind == "Secret":
        return
    for path, text in strings(resource.inputs):
        binary = resource.kind == "ConfigMap" and path.startswith("binaryData.")
        yield from (f"{path} holds {what}" for what in in_clear(path, decoded(text) if binary else text))
    if resource.kind == "ConfigMap":
        for name, text in (resource.inputs.get("data") or {}).items():
            if text and "\n" not in text.strip() and is_secret(name, text.strip()):
                yield f"data.{name} holds the value of {name}"
    for container in containers(resource):
        words = [str(word) for field in ("command", "args") for word in container.body.get(field) or ()]
        yield from (f"the command of container {container.name} holds {what}" for what in in_words(words))


RULES = (
    Rule(
        name="pod-security",
        one=pod_security,
        reason="Only a level that is enforced keeps a pod out that somebody else makes there.",
        fix="Label the namespace pod-security.kubernetes.io/enforce: restricted (<instance>-node alone may have less).",
    ),
    Rule(
        name="network-policy",
        all=isolated,
        reason="Without a policy for all pods of a namespace each of them speaks to everything.",
        fix="Add a NetworkPolicy with an empty podSelector and both policyTypes (components/isolation.py).",
    ),
    Rule(
        name="own-namespace",
        one=own_namespace,
        reason="The cluster's own namespaces have other owners, and none of elab's bounds.",
        fix="Give the workload a namespace of the platform.",
    ),
    Rule(
        name="exposure",
        one=exposure,
        reason="A port of every node, or a balancer of its own, is a door beside the one that is watched.",
        fix="Publish it as a Route of components/entry.py; another door is listed in policy/allowed.yaml.",
    ),
    Rule(
        name="tls",
        one=tls,
        dev="advisory",
        reason="Passwords and people's work cross the network at this door.",
        fix="Set entry.tls; where a Gateway's listener ends TLS, name that one in entry.listener.",
    ),
    Rule(
        name="rbac-wildcards",
        one=no_wildcards,
        reason="A wildcard grants what does not exist yet, and the right to grant more is every right.",
        fix="Name verbs, resources and groups one by one.",
    ),
    Rule(
        name="rbac-administrators",
        one=no_administrators,
        reason="A program with an administrator's rights hands the cluster to whoever breaks into it.",
        fix="Write a Role with what the program needs, and bind that to its own ServiceAccount.",
    ),
    Rule(
        name="rbac-doors",
        one=no_doors,
        reason="Through these a program acts in others' pods and accounts, whatever its own rights are.",
        fix="Leave the resource out of the role; nodes/metrics is enough to read what a kubelet measures.",
    ),
    Rule(
        name="rbac-secrets",
        one=no_secrets_of_all,
        reason="Who reads every Secret of the cluster has every other right too.",
        fix="Use a Role in the namespace, or resourceNames.",
    ),
    Rule(
        name="secrets-in-secrets",
        one=secrets_in_secrets,
        texts=True,
        reason="What is no Secret is read by everybody who may look, and kept in clear in state and logs.",
        fix="Keep it in a Secret, and mount that or refer to it.",
    ),
)
