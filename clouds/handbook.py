"""`make clouds`: writes `docs/clouds.md` from the clouds' own modules and the committed stacks."""

from collections.abc import Iterator
from pathlib import Path

from clouds.base import Cloud, PolicyEngine
from clouds.machines import PriceList

ROOT = Path(__file__).parents[1]
HANDBOOK = ROOT / "docs" / "clouds.md"

_HEAD = """\
# Clouds

Written by `make clouds` from the modules in `clouds/` and the committed stacks; change it there. Of these, `local` runs
in the lab. All others are verified by the recorded program: each of its objects and pods is taken by a real API server,
custom resources by their real definitions (`tests/admission`), and nothing of it ran. No cluster of theirs was at hand.

| kind | stacks | disks made by | of one zone | snapshots | nodes added by | packs by itself | assigns uids | prices |
|---|---|---|---|---|---|---|---|---|
"""

_IDENTITY = """
## Roles of the cloud

elab takes none: nothing that it runs calls a cloud's API. Disks, balancers and nodes are made by the cluster's own
controllers, images are pulled by the nodes, and logs and metrics stay on the platform's own disks. A role that no
program uses would only be one more to steal; so no ServiceAccount carries an annotation of workload identity, and
policies refuse the metadata service to people.
"""

_ADDING = """
## How to add a cloud

1. One module in `clouds/`, of the shape of `clouds/azure.py`: a `Section` with a `kind` of its own for what only the
   stack can know, and a frozen dataclass with everything that `clouds/base.py` asks of a `Cloud`. It is data: no
   resource is made there, and nothing outside `clouds/` asks which cloud it is. What differs in a way that the protocol
   has no word for is a new word in the protocol, which all clouds then answer.
2. Two lines in `clouds/__init__.py`: the settings in the union, the class by its kind.
3. One entry in `CLOUDS` of `tests/harness/platform.py`: every test of a component then runs over it.
4. One stack file `Pulumi.<stack>.yaml`; `make plan STACK=<stack>` until it says nothing but what is still to be set,
   then `make golden schema clouds`.

An autoscaler with objects of its own adds a dataclass for each kind to `clouds/scaling.py`, its schema to
`planning/crds/`, and to `lab/build/crds/` the Go module that has its definition and the file's place in it.
"""


def handbook(clouds: dict[str, Cloud]) -> str:
    """The page, in Markdown, from one cloud of each kind, by the stacks that use it."""
    kinds: dict[str, list[str]] = {}
    for stack, cloud in clouds.items():
        kinds.setdefault(cloud.kind, []).append(stack)
    lines = [_HEAD]
    for stacks in kinds.values():
        lines.append(_row(clouds[stacks[-1]], stacks))
    for stacks in kinds.values():
        lines += _section(clouds[stacks[-1]])
    return "".join([*lines, _IDENTITY, _ADDING])


def _row(cloud: Cloud, stacks: list[str]) -> str:
    storage = cloud.storage
    spec = storage.class_spec
    cells = [
        f"[`{cloud.kind}`](#{_anchor(cloud.about.title)})",
        ", ".join(f"`{stack}`" for stack in stacks),
        f"`{spec.provisioner}`" if spec else f"the operator of `{storage.ready_class}`",
        "yes" if storage.zone_bound else "no",
        "yes" if storage.snapshot_spec else "none of elab's",
        cloud.autoscaler.kind,
        "yes" if cloud.autoscaler.packs_already else "no",
        "yes" if cloud.pod_security.assigns_uids else "no",
        f"{cloud.prices.dated}, {cloud.prices.currency}" if cloud.prices else "the stack's",
    ]
    return f"| {' | '.join(cells)} |\n"


def _section(cloud: Cloud) -> Iterator[str]:
    about, endpoints = cloud.about, cloud.endpoints
    ports = ", ".join(str(port) for port in endpoints.dns_ports)
    labels = ", ".join(f"{key}={value}" for key, value in endpoints.dns_labels.items())
    yield f"\n## {about.title}\n\n"
    yield f"- *Disks*: {about.storage}.\n"
    yield f"- *Entry*: {about.entry}.\n"
    yield f"- *Registry*: {about.registry}.\n"
    yield f"- *Nodes*: {about.nodes}.\n"
    yield from _policies(about.network_policies)
    yield f"- *Names* are resolved by `{labels}` in `{endpoints.dns_namespace}`, port {ports}.\n"
    yield f"- *Metadata*, refused to people: {', '.join(f'`{one}`' for one in cloud.ranges.metadata)}.\n"
    for port, owner in cloud.hosts.ports.items():
        yield f"- *Port {port}* of every node belongs to {owner}.\n"
    for annotation, value in cloud.load_balancer_annotations.items():
        yield f"- *Load balancer*: `{annotation}: {value}`.\n"
    yield "\nIt lacks:\n\n"
    for lack in about.lacks:
        yield f"- {lack}.\n"
    if cloud.prices is not None:
        yield from _prices(cloud.prices)


def _policies(engine: PolicyEngine) -> Iterator[str]:
    running = "in every new cluster" if engine.by_default else "**not in every cluster**: see to it before `make up`"
    yield f"- *NetworkPolicies* are enforced by {engine.name}; {running}, and `make verify` proves it. "
    yield f"To turn it on: {engine.turn_on if '`' in engine.turn_on else f'`{engine.turn_on}`'}; {engine.remarks}.\n"


def _prices(prices: PriceList) -> Iterator[str]:
    yield f"\nMachines, {prices.currency} an hour in {prices.region}, {prices.dated}; {prices.source}:\n\n"
    yield "| type | processors | memory | GPUs | disks | price |\n|---|---|---|---|---|---|\n"
    for name, machine in prices.machines.items():
        cells = (name, machine.cpus, machine.memory, machine.gpus or "", machine.disks or "", f"{machine.per_hour:g}")
        yield f"| {' | '.join(str(cell) for cell in cells)} |\n"


def _anchor(title: str) -> str:
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def committed() -> dict[str, Cloud]:
    """The cloud of each committed stack."""
    from settings import SECRETS, read
    from stackfile.configuration import plain_data
    from stackfile.loader import load_stack

    found = {}
    for path in sorted(ROOT.glob("Pulumi.*.yaml")):
        stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        file = load_stack(ROOT, stack)
        found[stack] = read(plain_data(file.config, file.project, SECRETS)).facts
    return found


if __name__ == "__main__":
    HANDBOOK.write_text(handbook(committed()), encoding="utf-8")
