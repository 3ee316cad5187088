"""The stack `local`: on the lab's own cluster, with the lab's directory."""

import sys
from pathlib import Path
from typing import Any

from components.namespaces import NamespaceNames
from operate import directory, project, removal, rig
from operate.isolation import ending_up, prove
from operate.leftovers import confirm, stays
from operate.ready import hub_answers, pullers, require_cluster
from operate.recovery import look_anew, recover
from operate.settings_of import settings_of
from operate.steps import OperationError, Steps, wait_for

STACK = "local"
CONTEXT = "lab"
"""The context of the lab's own cluster; with any other, the stack is on a cluster that is there already."""
_PULL_SECONDS = 60


def in_the_lab() -> bool:
    """Whether the stack file leaves the stack on the lab's own cluster."""
    return settings_of(STACK).cluster.context == CONTEXT


def up() -> None:
    """From nothing to a hub that answers; what is there already is left alone."""
    steps = Steps()
    settings_of(STACK)
    with steps.step("the lab's programs (the first time about 10 minutes, then seconds)"):
        rig.build()
    with steps.step("the cluster"):
        rig.start()
    with steps.step("images"):
        rig.images()
    with steps.step("is the API server ready"):
        _require_lab()
    with steps.step("the directory"):
        people = directory.kept()
        directory.start(people)
    with steps.step("the stack's secrets"):
        folder = project.write(STACK, people)
        project.select(folder, STACK)
        recover(folder, STACK)
        look_anew(folder, STACK)
        project.set_secret(folder, STACK, "ldap_bind_password", people.passwords["elab"])
    with steps.step("pulumi up"):
        rig.pulumi("up", folder, STACK)
    outputs = _outputs(folder)
    with steps.step("the hub answers"):
        if not wait_for("the hub's health page", lambda: hub_answers(outputs["url"]), 120):
            raise OperationError(f"{outputs['url']} does not answer; see `make status`")
    with steps.step("images on the nodes"):
        _wait_for_images(outputs["namespaces"]["placeholders"])
    _say(outputs["url"], people, steps)
    with ending_up(), steps.step("do NetworkPolicies hold"):
        verify()


def _require_lab() -> None:
    """Raise before anything is asked of a cluster that does not run: after a restart of the machine, say."""
    try:
        require_cluster(CONTEXT, rig.kubeconfig(), rig.HOME / "bin/kubectl")
    except OperationError as error:
        found = str(error).partition("\n")[0]
        raise OperationError(
            f"{found}\nallowed: the lab's own cluster, which runs\n"
            "fix: `lab/lab up` starts it with what it holds; if it was never built, `make up` does; nothing was changed"
        ) from None


def _wait_for_images(namespace: str) -> None:
    """One ready node per pool that has nodes; a pool whose image can't be pulled is a warning, not a failure."""

    def waiting() -> list[str]:
        found = pullers(rig.kubectl("-n", namespace, "get", "daemonsets", "-o", "json"))
        return [name for name, (ready, wanted) in found.items() if wanted and not ready]

    if not wait_for("one node with its images in every pool", lambda: not waiting(), _PULL_SECONDS):
        print(f"    warning: no node has its images yet: {', '.join(waiting())}", file=sys.stderr)


def _say(url: str, people: directory.Directory, steps: Steps) -> None:
    print(f"\nelab is up after {steps.elapsed:.0f} s: {url}\n\naccounts of the lab's directory:")
    for name, role in directory.ACCOUNTS.items():
        print(f"  {name:<6} {people.passwords[name]:<18} {role}")
    print("\nnext: make status · make test · make e2e · make down · make plan STACK=prod")


def down() -> None:
    """Take the platform away again, with the directory; the lab's cluster stays for the next `up`."""
    steps = Steps()
    folder = project.folder_of(STACK)
    if not (folder / f"Pulumi.{STACK}.yaml").exists():
        print("nothing is up")
        return
    _require_lab()
    project.select(folder, STACK)
    recover(folder, STACK)
    removal.take_down(removal.stack_in_lab(folder, STACK), _names(), steps)
    with steps.step("the directory"):
        directory.stop()
    print(stays(rig.pulumi_json(folder, STACK, "stack", "export"), STACK))
    print("the cluster still runs; `lab/lab down` stops it, `lab/lab down --wipe` forgets it")


def status() -> None:
    """What runs: the cluster, the address, the platform's pods and people's servers."""
    try:
        rig.run([*rig.LAB, "status"])
    except OperationError:
        raise OperationError("the cluster does not run; `make up` starts it, and what it holds is kept") from None
    folder = project.folder_of(STACK)
    outputs = _outputs(folder) if (folder / f"Pulumi.{STACK}.yaml").exists() else {}
    if not outputs:
        print("\nthe stack is not up; `make up` brings it up")
        return
    answers = "answers" if hub_answers(outputs["url"]) else "does not answer"
    listing = rig.kubectl("-n", outputs["namespaces"]["users"], "get", "pods,persistentvolumeclaims", "-o", "name")
    found = listing.split()
    servers = sum(name.startswith("pod/") for name in found)
    print(f"\n{outputs['url']} {answers}; {servers} servers run, {len(found) - servers} people have a disk")


def verify() -> None:
    """Prove that NetworkPolicies hold: a pod among people's servers tries what it must not reach."""
    _require_lab()
    print(f"    {prove(rig.kubectl, settings_of(STACK))}")


def _outputs(folder: Path) -> dict[str, Any]:
    # Nothing at all is printed while another command writes the state.
    return rig.pulumi_json(folder, STACK, "stack", "output", "--json")


def purge() -> None:
    """Delete what `down` left for people's sake, after the name of the stack was typed."""
    folder = project.folder_of(STACK)
    if not (folder / f"Pulumi.{STACK}.yaml").exists():
        print("nothing is up, and nothing was left")
        return
    _require_lab()
    confirm(STACK, f"deletes people's disks and the hub's database of {STACK}")
    project.select(folder, STACK)
    recover(folder, STACK)
    removal.purge(removal.stack_in_lab(folder, STACK), _names(), Steps())


def _names() -> NamespaceNames:
    return NamespaceNames(instance=settings_of(STACK).instance)
