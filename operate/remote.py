"""Stacks on an institution's own cluster: plain Pulumi, after one look at whether the cluster answers."""

import json
import shutil

from operate import rig
from operate.ready import require_cluster
from operate.release import released
from operate.settings_of import settings_of
from operate.steps import OperationError, output, run


def run_command(command: str, stack: str) -> None:
    """`up`, `down`, `status` or `purge` of a stack.

    Raises:
        OperationError: with what must be mended; nothing was changed then.
    """
    settings = settings_of(stack)
    for program in ("pulumi", "kubectl"):
        if not shutil.which(program):
            raise OperationError(f"{program} is not installed, or not on PATH; install it and try again")
    require_cluster(settings.cluster.context, settings.cluster.kubeconfig)
    if command == "up":
        run(["pulumi", "up", "--stack", stack, "--cwd", rig.ROOT])
    elif command == "down":
        run(["pulumi", "destroy", "--stack", stack, "--cwd", rig.ROOT, "--exclude-protected"])
        print(f"protected objects stay: make status STACK={stack} lists them, make purge STACK={stack} deletes them")
    elif command == "status":
        run(["pulumi", "stack", "--stack", stack, "--cwd", rig.ROOT])
    else:
        _purge(stack)


def _purge(stack: str) -> None:
    if input(f"this deletes people's disks and the hub's database of {stack}; type {stack} to go on: ") != stack:
        raise OperationError("nothing was deleted")
    here = ["--stack", stack, "--cwd", rig.ROOT]
    state = released(json.loads(output(["pulumi", "stack", "export", *here])))
    run(["pulumi", "stack", "import", *here], text=json.dumps(state))
    run(["pulumi", "destroy", *here])
