"""Stacks on a cluster that is there already: plain Pulumi, after one look at whether the cluster answers, and before
one at whether it keeps people's servers apart.
"""

import json
import shutil
from pathlib import Path

from components.entry_settings import public_url
from components.namespaces import NamespaceNames
from operate import rig
from operate.isolation import ending_up, prove
from operate.leftovers import Kubectl, confirm, stays
from operate.ready import require_cluster
from operate.removal import Stack, purge, take_down
from operate.settings_of import settings_of
from operate.steps import OperationError, Steps, output, run
from settings import Settings


def ready(stack: str) -> None:
    """Ask the API server of the stack's own file, whatever context the shell is in, whether it is ready.

    Raises:
        OperationError: its file is faulty, or the cluster does not answer.
    """
    cluster = settings_of(stack).cluster
    require_cluster(cluster.context, cluster.kubeconfig)


def run_command(command: str, stack: str) -> None:
    """`up`, `down`, `status`, `verify` or `purge` of a stack.

    Raises:
        OperationError: with what must be mended.
    """
    settings = settings_of(stack)
    for program in ("kubectl",) if command == "verify" else ("pulumi", "kubectl"):
        if not shutil.which(program):
            raise OperationError(f"{program} is not installed, or not on PATH; install it and try again")
    require_cluster(settings.cluster.context, settings.cluster.kubeconfig)
    here, there, names = _here(stack), _stack(stack, settings), NamespaceNames(instance=settings.instance)
    if command == "up":
        run(["pulumi", "up", *here])
        print(f"\nelab is up: {public_url(settings.entry)}\n", flush=True)
        with ending_up():
            _verify(settings)
    elif command == "verify":
        _verify(settings)
    elif command == "status":
        run(["pulumi", "stack", *here])
    elif command == "down":
        run(["pulumi", "destroy", *here, "--exclude-protected", "--preview-only"])
        confirm(stack, f"stops people's servers and takes {stack} away")
        take_down(there, names, Steps())
        print(stays(there.export(), stack))
    else:
        run(["pulumi", "stack", *here])
        confirm(stack, f"deletes all of that, with people's disks and the hub's database of {stack}")
        purge(there, names, Steps())


def _kubectl(settings: Settings) -> Kubectl:
    cluster = settings.cluster
    base = ["kubectl", f"--kubeconfig={Path(cluster.kubeconfig).expanduser()}", f"--context={cluster.context}"]
    return lambda *arguments, text=None: output([*base, *arguments], text=text)


def _verify(settings: Settings) -> None:
    print("==> do NetworkPolicies hold", flush=True)
    print(f"    {prove(_kubectl(settings), settings)}")


def _here(stack: str) -> list[str | Path]:
    return ["--stack", stack, "--cwd", rig.ROOT]


def _stack(stack: str, settings: Settings) -> Stack:
    here = _here(stack)
    return Stack(
        kubectl=_kubectl(settings),
        export=lambda: json.loads(output(["pulumi", "stack", "export", *here])),
        put=lambda state: run(["pulumi", "stack", "import", *here], text=json.dumps(state)),
        destroy=lambda *options: run(["pulumi", "destroy", *here, "--yes", "--skip-preview", *options]),
    )
