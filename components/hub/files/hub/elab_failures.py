"""Why a server did not start: a sentence for the person, the fix for the operator, and a label for the metrics."""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from kubernetes_asyncio.client.rest import ApiException
from prometheus_client import Counter
from tornado.web import HTTPError

FAILURES = Counter("elab_spawn_failures", "Servers that did not start", ["reason"])

Reason = Literal["full", "image", "disk", "node", "policy", "crash", "slow", "choice", "cluster"]


for _reason in get_args(Reason):
    # A series that appears with its first failure would show no rise.
    FAILURES.labels(reason=_reason)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What went wrong, for both who read it."""

    reason: Reason
    person: str
    operator: str


FULL = Explanation(
    reason="full",
    person="The platform is full at the moment. Try again in a few minutes.",
    operator="no room: raise a node pool's maximum, or the quota of the users' namespace where that is what refused",
)
IMAGE = Explanation(
    reason="image",
    person="The software for your server can't be fetched. The people who run the platform have to repair this.",
    operator="the image can't be pulled: check its name, the pull secret, and that the registry can be reached",
)
DISK = Explanation(
    reason="disk",
    person="Your disk can't be attached at the moment. Your files are safe; try again in ten minutes.",
    operator="the claim can't be made or attached: look at the events of claim and pod, and at the storage driver",
)
NODE = Explanation(
    reason="node",
    person="The machine that was to run your server failed. Start it again.",
    operator="the node was lost or is short of something: look at the node's conditions",
)
POLICY = Explanation(
    reason="policy",
    person="The cluster refused your server. The people who run the platform have to change its settings.",
    operator="a policy or a reference of the pod is wrong: the message names it",
)
CRASH = Explanation(
    reason="crash",
    person="Your server stopped while it was starting. Start it again; if it stops again, choose a larger size.",
    operator="the container ended: read its log; exit code 137 is mostly the memory limit",
)
SLOW = Explanation(
    reason="slow",
    person="Your server took too long to start. Try again.",
    operator="it started and did not answer: read the pod's log, and check that the hub reaches the pod's port 8888",
)
CHOICE = Explanation(
    reason="choice",
    person="This choice of server does not exist. Choose one from the list.",
    operator="somebody asked for a profile or image that the settings don't have",
)
CLUSTER = Explanation(
    reason="cluster",
    person="The cluster gives no answer at the moment. Try again in a few minutes.",
    operator="the Kubernetes API gave no usable answer: check that the hub reaches it and may use it",
)

EVENTS: tuple[tuple[str, Explanation], ...] = (
    (
        r"FailedScheduling .*(persistentvolumeclaim|volume node affinity|VolumeBinding|persistent volumes)",
        DISK,
    ),
    (r"FailedScheduling ", FULL),
    (r"FailedMount .*(configmap|secret) .* not found", POLICY),
    (r"(FailedMount|FailedAttachVolume|FailedMapVolume|ProvisioningFailed|VolumeFailed|VolumeResizeFailed) ", DISK),
    (r"(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|InspectFailed) ", IMAGE),
    (r"Failed .*(runAsNonRoot|configmap|secret)", POLICY),
    (r"Failed .*([Pp]ull|ImageNever)|BackOff Back-off pulling", IMAGE),
    (r"(NodeNotReady|NodeShutdown|TaintManagerEviction|Evicted|Preempted|Preempting) ", NODE),
    (r"(OutOfcpu|OutOfmemory|OutOfpods|UnexpectedAdmissionError) ", FULL),
    (r"(CreateContainerConfigError|CreateContainerError|RunContainerError) ", POLICY),
    (r"(BackOff|CrashLoopBackOff) .*(restarting|container)", CRASH),
)
"""What an event or a container's state says, by its reason and message; the first that fits."""

REFUSALS: tuple[tuple[str, Explanation], ...] = (
    (r"exceeded quota", FULL),
    # The hub's own rights, and not the pod, are at fault.
    (r"User \".*\" cannot ", CLUSTER),
    (r"PodSecurity|admission webhook|ValidatingAdmissionPolicy|is invalid|denied the request|forbidden", POLICY),
)
"""What the API server's refusal says; the first that fits."""


class SpawnError(HTTPError):
    """A server that did not start, explained. Pages and the API show the person's sentence, the log the operator's."""

    def __init__(self, explanation: Explanation, detail: str) -> None:
        super().__init__(503, explanation.person)
        self.explanation = explanation
        self.operator = f"{explanation.reason}: {explanation.operator}. The cluster says: {detail}"
        self.jupyterhub_message = explanation.person


def explain_refusal(error: ApiException) -> Explanation:
    """Why the API server refused to create something."""
    message = refusal_message(error)
    for pattern, explanation in REFUSALS:
        if re.search(pattern, message):
            return explanation
    return CLUSTER


def refusal_message(error: ApiException) -> str:
    """The API server's own sentence."""
    try:
        return str(json.loads(error.body or "{}").get("message") or error.reason)
    except (ValueError, AttributeError):
        return str(error.reason)


def explain_pod(pod: dict[str, Any] | None, events: list[dict[str, Any]]) -> tuple[Explanation, str]:
    """Why a pod is not ready yet, by its state and its newest telling event, and the words that say so."""
    said = [
        *_states(pod or {}),
        *(f"{event.get('reason', '')} {event.get('message', '')}" for event in reversed(events)),
    ]
    for words in said:
        for pattern, explanation in EVENTS:
            if re.match(pattern, words):
                return explanation, words
    return (SLOW if pod else CLUSTER), (said[0] if said else "no event was seen")


def hopeless(pod: dict[str, Any]) -> Explanation | None:
    """Why this pod will never be ready; None while there is hope."""
    status = pod.get("status", {})
    if status.get("phase") in ("Failed", "Succeeded"):
        return next((why for pattern, why in EVENTS if re.match(pattern, f"{status.get('reason', '')} ")), CRASH)
    if "deletionTimestamp" in pod["metadata"]:
        return NODE
    waiting = {_waiting(container) for container in status.get("containerStatuses") or ()}
    if "InvalidImageName" in waiting:
        return IMAGE
    restarts = sum(container.get("restartCount", 0) for container in status.get("containerStatuses") or ())
    return CRASH if restarts > 1 else None


def _states(pod: dict[str, Any]) -> list[str]:
    """What the pod's own status says of trouble."""
    status = pod.get("status", {})
    said = [f"{status.get('reason', '')} {status.get('message', '')}"] if status.get("reason") else []
    for container in status.get("containerStatuses") or ():
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason"):
            said.append(f"{waiting['reason']} {waiting.get('message', 'container')}")
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            said.append(f"FailedScheduling {condition.get('message', '')}")
    return said


def _waiting(container: dict[str, Any]) -> str | None:
    return (container.get("state", {}).get("waiting") or {}).get("reason")
