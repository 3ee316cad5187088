"""Every object of every committed stack, and every pod that comes of them, before a real API server."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from components.namespaces import NamespaceNames
from planning.manifests import Manifest
from planning.people import people
from planning.plan import subject
from planning.pods import pod_template
from tests.admission.mutants import changed
from tests.admission.registered import Body, manifest, objects
from tests.admission.server import Server
from tests.harness.stacks import PROJECT, STACKS

TEMPLATE = re.compile(r"\{[a-z_]+\}")
"""What KubeSpawner fills in."""
FIRST = ("ServiceAccount", "PriorityClass", "LimitRange", "ResourceQuota")
"""What admission of a pod looks at, beside its namespace; kept while a stack is looked at."""


def _namespaces(stack: str) -> Iterator[Body]:
    """The stack's own with their levels of Pod Security, and plain ones of others that its objects lie in."""
    found = {body["metadata"]["namespace"] for body in objects(stack) if body["metadata"].get("namespace")}
    own = {body["metadata"]["name"]: body for body in objects(stack) if body["kind"] == "Namespace"}
    yield from own.values()
    for name in sorted(found - own.keys()):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@contextmanager
def _before(server: Server, stack: str) -> Generator[None]:
    """What is there before the stack's pods are, and gone again before the next stack's."""
    kept = [body for body in objects(stack) if body["kind"] in FIRST]
    for namespace in _namespaces(stack):
        server.apply(namespace)
        # As the controller manager would, like the quotas' figures below.
        name = {"name": "default", "namespace": namespace["metadata"]["name"]}
        kept.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name})
    for body in kept:
        server.apply(body)
        if body["kind"] == "ResourceQuota":
            hard = body["spec"]["hard"]
            server.apply({**body, "status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}, "status")
    try:
        yield
    finally:
        for body in kept:
            server.delete(body)


def _pod(made: Manifest) -> Body | None:
    """The pod that a workload makes; its claims are those of the workload's templates."""
    template = pod_template(made)
    if template is None:
        return None
    spec: dict[str, Any] = dict(template.spec)
    claims = made.body["spec"].get("volumeClaimTemplates") or ()
    spec["volumes"] = [
        *spec.get("volumes", ()),
        *({"name": one["metadata"]["name"], "persistentVolumeClaim": {"claimName": "disk"}} for one in claims),
    ]
    name = made.name[:50]
    metadata = {"name": name, "namespace": template.namespace, "labels": dict(template.labels)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _servers(stack: str) -> Iterator[Body]:
    """What KubeSpawner makes for a person of each profile."""
    settings = subject(PROJECT, stack).settings
    for made in people(settings, "registry.example.org/elab/notebook:1").manifests:
        body = json.loads(TEMPLATE.sub("ada", json.dumps(made.body)))
        metadata = {"namespace": NamespaceNames(instance=settings.instance).users, **body["metadata"]}
        yield {**body, "metadata": metadata}


@pytest.mark.parametrize("server", ["newest"], indirect=True)
@pytest.mark.parametrize("stack", STACKS)
def test_every_object_of_a_stack_and_every_pod_of_it_is_taken_without_a_warning(server: Server, stack: str) -> None:
    with _before(server, stack):
        asked = [*objects(stack), *filter(None, (_pod(manifest(body)) for body in objects(stack))), *_servers(stack)]
        server.warnings.clear()
        refused: dict[str, Any] = {}
        for body in asked:
            why = server.applied(body)
            if why or server.warnings:
                refused[_title(body)] = [why, *server.warnings]
                server.warnings.clear()
    assert refused == {}


def _title(body: Mapping[str, Any]) -> str:
    return f"{body['kind']} {body['metadata'].get('namespace', '')}/{body['metadata']['name']}"


@pytest.mark.parametrize("server", ["newest"], indirect=True)
def test_what_pod_security_quotas_and_types_forbid_is_refused(server: Server) -> None:
    """Or nothing above would say anything."""
    with _before(server, "prod"):
        (hub,) = (body for body in objects("prod") if (body["kind"], body["metadata"]["name"]) == ("Deployment", "hub"))
        person = next(body for body in _servers("prod") if body["kind"] == "Pod")
        container = person["spec"]["containers"][0]
        huge = {**container["resources"], "limits": {"cpu": "5000", "memory": "9000Ti"}}
        for body, place, value, why in (
            (hub, ("spec", "replica"), 2, "replica"),
            (hub, ("spec", "replicas"), "two", "replicas"),
            (person, ("spec", "hostNetwork"), True, "PodSecurity"),
            (person, ("spec", "serviceAccountName"), "nobody", "not found"),
            (person, ("spec", "priorityClassName"), "nothing", "no PriorityClass"),
            (person, ("spec", "containers", 0, "resources"), huge, "maximum cpu usage"),
        ):
            assert why in (server.applied(changed(body, place, value)) or "taken"), (place, value)
        door = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door", "namespace": "elab-users"}}
        ports = [{"port": 80}]
        assert "exceeded quota" in (
            server.applied({**door, "spec": {"type": "LoadBalancer", "ports": ports}}) or "taken"
        )
        server.warnings.clear()
        server.applied(changed(hub, ("spec", "template", "spec", "hostPID"), True))
        assert "would violate PodSecurity" in "".join(server.warnings)
