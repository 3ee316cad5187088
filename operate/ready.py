"""Whether things are there: the API server before anything is changed, the hub and the images after."""

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path

from operate.steps import OperationError, output


def require_cluster(context: str, kubeconfig: str, kubectl: str | Path = "kubectl") -> None:
    """Ask the API server whether it is ready: a Pulumi preview succeeds even where none answers.

    Raises:
        OperationError: it does not answer, or says no.
    """
    command = [
        kubectl,
        f"--kubeconfig={Path(kubeconfig).expanduser()}",
        f"--context={context}",
        "--request-timeout=10s",
        "get",
        "--raw",
        "/readyz",
    ]
    try:
        answer = output(command)
    except (OperationError, OSError) as error:
        raise OperationError(
            f"the cluster of context {context} does not answer: {error}\n"
            f"allowed: a cluster whose /readyz says ok, by cluster.context in {kubeconfig}\n"
            "fix: correct elab:cluster in the stack file, or start the cluster; nothing was changed"
        ) from None
    if answer.strip() != "ok":
        raise OperationError(f"the cluster of context {context} is not ready: {answer.strip()}; nothing was changed")


def hub_answers(url: str) -> bool:
    """Whether the hub's login page comes through the one address."""
    # The address is this machine's own; a corporate proxy of the shell would look for it elsewhere.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/hub/health", timeout=3) as reply:
            return reply.status == 200
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def pullers(listing: str) -> dict[str, tuple[int, int]]:
    """Of each pool, how many nodes have its images and how many there are, from kubectl's JSON list of DaemonSets."""
    found = {}
    for item in json.loads(listing)["items"]:
        status = item["status"]
        found[item["metadata"]["name"]] = (status.get("numberReady", 0), status.get("desiredNumberScheduled", 0))
    return found
