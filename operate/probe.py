"""The pod that tries addresses from among people's servers, from its making to its end."""

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pulumi_kubernetes.core import v1 as core

from components.kit import Labels, container_security, metadata, plain, pod_security, requirements
from operate.leftovers import Kubectl
from operate.steps import OperationError
from stackfile.resources import Resources, resources, within

PROBE = "isolation-probe"
PROGRAM = (Path(__file__).parent / "programs/reach.py").read_text()
PATIENCE = 30
"""Seconds that an engine has for a new pod; the known ones take less than five."""
UNKNOWN = "whether NetworkPolicies hold is not known"
_DEADLINE = 120
"""Seconds until the kubelet ends the probe, the pull of its image included."""
_SIZE = resources(cpu=("10m", "500m"), memory=("32Mi", "128Mi"))


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


def probe(
    namespace: str,
    image: str,
    targets: Sequence[Target],
    labels: Labels,
    *,
    largest: Resources,
    uid: int | None,
    priority_class: str | None = None,
    pull_secrets: Sequence[str] = (),
) -> dict[str, Any]:
    """The probe's pod, which Pod Security `restricted` admits; its image must have Python.

    No limit of it exceeds the `largest`, as the LimitRange of the users namespace has it.
    """
    asked = json.dumps({"seconds": PATIENCE, "targets": [asdict(target) for target in targets]})
    container = core.ContainerArgs(
        name="probe",
        image=image,
        command=["python3", "-c", PROGRAM, asked],
        resources=requirements(within(_SIZE, largest)),
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
        OperationError: it could not be made, or did not come to its end.
    """
    namespace = pod["metadata"]["namespace"]
    here = ("--namespace", namespace)
    delete = (*here, "delete", "pod", PROBE, "--ignore-not-found")
    try:
        with needed(
            f"the pod {PROBE} of an earlier run can't be deleted from {namespace}",
            allowed="that it is gone within 60 s, and an account that may delete pods",
            fix=f"kubectl --namespace {namespace} get pod {PROBE} --output yaml tells what holds it",
        ):
            kubectl(*delete, "--timeout=60s")
        with needed(
            f"the pod {PROBE} can't be made in {namespace}",
            allowed="a namespace that has room for one pod more, and an account that may create it",
            fix="what was found says who refuses it; a full quota has room again when a server has stopped "
            f"(kubectl --namespace {namespace} describe resourcequotas,limitranges)",
        ):
            kubectl(*here, "create", "--filename", "-", text=json.dumps(pod))
        said = _ended(kubectl, namespace)
    finally:
        _take_away(kubectl, *delete, "--wait=false")
    return answer(said)


def _ended(kubectl: Kubectl, namespace: str) -> str:
    here = ("--namespace", namespace)
    try:
        ended = "--for=jsonpath={.status.phase}=Succeeded"
        kubectl(*here, "wait", f"pod/{PROBE}", ended, f"--timeout={_DEADLINE + 10}s")
        return kubectl(*here, "logs", PROBE)
    except OperationError as error:
        try:
            status = kubectl(*here, "get", "pod", PROBE, "--ignore-not-found", "--output", "jsonpath={.status}")
        except OperationError:
            status = ""
        raise OperationError(
            f"{UNKNOWN}: the pod {PROBE} in {namespace} did not come to its end\n"
            f"found: {status.strip()[:1000] or error}\n"
            f"allowed: it runs within {_DEADLINE} s, its image's pull included\n"
            "fix: what its status says; then `make verify`"
        ) from None


def _take_away(kubectl: Kubectl, *delete: str) -> None:
    """A pod that stays is a warning: what was seen, or why nothing was, is of more use. The next run deletes it too."""
    try:
        kubectl(*delete)
    except OperationError as error:
        by_hand = " ".join(("kubectl", *delete))
        print(f"    warning: the pod {PROBE} may be there still: {error}\n    fix: {by_hand}", file=sys.stderr)


@contextmanager
def needed(what: str, *, allowed: str, fix: str) -> Generator[None]:
    """A step without which nothing is known; where it fails, `what` is the matter."""
    try:
        yield
    except OperationError as error:
        raise OperationError(
            f"{UNKNOWN}: {what}\nfound: {error}\nallowed: {allowed}\nfix: {fix}; then `make verify`"
        ) from None


def answer(said: str) -> Seen:
    """What operate/programs/reach.py printed.

    Raises:
        OperationError: something else.
    """
    try:
        found = json.loads(said)
        return Seen(reached=tuple(found["reached"]), seconds=found["seconds"])
    except (ValueError, TypeError, KeyError):
        raise OperationError(
            f"{UNKNOWN}: the probe said {said.strip()[:500]!r}\n"
            "allowed: the JSON that operate/programs/reach.py prints, by an image with Python\n"
            "fix: see what hub.image is; then `make verify`"
        ) from None
