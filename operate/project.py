"""The project as the lab runs it: the stack's file with this machine's cluster and directory filled in.

The file in the repository stays as it is: the CLI writes a stack's encryption salt and secrets beside its settings.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from operate import rig
from operate.directory import Directory
from operate.recovery import mend


class _Quoted(yaml.SafeDumper):
    """Writes text in quotes: a bare 1e3 would be a number to Pulumi."""


_Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))

Change = Callable[[dict[str, Any]], None]


def folder_of(stack: str) -> Path:
    """Where the lab's copy of a stack's project is."""
    return rig.HOME / "projects" / stack


def write(stack: str, directory: Directory, *, template: str | None = None, change: Change | None = None) -> Path:
    """Write the project of a stack, made from the repository's stack file (of the same name, or ``template``).

    ``change`` alters the configuration further, by full key. What the CLI added to the file stays.
    """
    folder = folder_of(stack)
    folder.mkdir(parents=True, exist_ok=True)
    project = yaml.safe_load((rig.ROOT / "Pulumi.yaml").read_text())
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({**project, "main": str(rig.ROOT)}, sort_keys=False))
    found = yaml.safe_load((rig.ROOT / f"Pulumi.{template or stack}.yaml").read_text())
    config = found["config"]
    config["elab:cluster"] = {**config["elab:cluster"], "kubeconfig": rig.kubeconfig()}
    config["elab:directory"] = {**config["elab:directory"], "ca_certificates": directory.ca}
    if change is not None:
        change(config)
    file = folder / f"Pulumi.{stack}.yaml"
    _keep(found, file)
    # All at once: a run that is killed here would else lose the salt, and with it every secret.
    unfinished = file.with_suffix(".new")
    unfinished.write_text(yaml.dump(found, Dumper=_Quoted, sort_keys=False))
    unfinished.replace(file)
    return folder


def _keep(found: dict[str, Any], file: Path) -> None:
    """Take over the salt and the encrypted secrets of an earlier run."""
    if not file.exists():
        return
    before = yaml.safe_load(file.read_text())
    if "encryptionsalt" in before:
        found["encryptionsalt"] = before["encryptionsalt"]
    for key, value in before.get("config", {}).items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            found["config"].setdefault(key, value)


def select(project: Path, stack: str) -> None:
    """Have the stack, made if it is not there yet."""
    mend(stack)
    rig.pulumi_cli(project, stack, ["stack", "select", "--create", stack])


def set_secret(project: Path, stack: str, key: str, value: str) -> None:
    """Encrypt a secret into the stack's file; its value goes by standard input, never by an argument."""
    rig.pulumi_cli(project, stack, ["config", "set", "--secret", f"elab:{key}", "--stack", stack], text=value)
