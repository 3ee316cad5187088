"""`python -m policy.handbook`: writes docs/policy.md from the rules."""

from __future__ import annotations

from pathlib import Path

from .exemptions import LONGEST
from .rules import RULES

HANDBOOK = Path(__file__).parents[1] / "docs" / "policy.md"

_HEAD = f"""\
# Policies

Made by `make handbook` from `policy/rules/`; a test keeps it true. Each rule is a plain function over the resources
that a stack registers and the pods that KubeSpawner will make of it. The same functions run in three places:

- `make plan STACK=…`: a mandatory rule that does not hold is an error; an advisory is told. `make plan-diff BASE=…`
  tells what is new and what is solved, and fails where a mandatory rule holds no longer.
- `pulumi preview --stack … --policy-pack policy`: the CrossGuard pack, `policy/__main__.py`. Pods of KubeSpawner's are
  judged with the stack itself. A value that a preview does not know yet (a secret that is still to be made, and what
  follows from it) is advice where a rule turns on it: "can't run policy … during preview". The pack sees no old state;
  what *changes* is `make plan-diff`'s to judge. Rules over the whole stack speak at the end, so an `up` without a
  preview has made everything by then: leave `--skip-preview` out.
- `make test`: over every committed stack, and through the pack's own analyzer protocol (gRPC), as an engine speaks it.

The pack was run by a real engine (3.259.0, built from its module), by `lab/lab pulumi preview|up --policy-pack policy`:
a stack that passes, one refused before anything was made, one that gets advice, a slip in a stack file
(`tests/cli/test_policies.py`). That engine started it both ways that it has: by a program
`pulumi-analyzer-policy-python`, the lab's own, and by a language host, which tells it of the stack by calls and no
variables; the host was the tests' own, since the official distribution's is not served where elab is developed.

A level depends on the stack's `environment`. Bounds that a stack sets itself are under `policies` in its file:
`monthly_cost`, `registries`, `memory_ratio`. What may see its node is listed in `policy/allowed.yaml`.

## What policies don't see

`hub.extra_config` is Python that the hub runs: what it sets of the spawner changes people's pods after everything here
has looked at them, `make images` included. So the rule `extra-config` reads the file (it does not run it) and tells of
every line that sets a spawner class, imports one, or reaches for the configuration by a way that reading can't follow.
It can't prove a program harmless: such a file is code, and is reviewed as code.

## Exemptions

`policy/exemptions.yaml` holds all of them: rule, pattern of resources (`namespace/kind-name`, as `make plan` names its
files), pattern of stacks, reason, and the last day, at most {LONGEST.days} days ahead. One that is expired, incomplete,
or for an unknown rule stops every plan and every preview, with its path and what to do; `make plan-diff` takes those
of its base whatever their day, so that what renews one can pass. One that excuses nothing any
more fails `make test`. What `make scan` (checkov over `build/prod/`) excuses stands in `policy/scan.yaml`, under the
same terms but without a day.

## Rules

| rule | dev | prod | why | fix |
|---|---|---|---|---|
"""


def text() -> str:
    """The whole page."""
    rows = (f"| `{one.name}` | {one.dev} | {one.prod} | {one.reason} | {_cell(one.fix)} |\n" for one in RULES)
    return _HEAD + "".join(rows)


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("<", "\\<").replace("{", "\\{")


if __name__ == "__main__":
    HANDBOOK.write_text(text(), encoding="utf-8")
