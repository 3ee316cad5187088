"""What a cluster leaves on a machine: taken before `lab up` and after `lab down --wipe`, both must be alike."""

import re
import subprocess
from pathlib import Path

_SYSCTLS = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")


def _lines(*command: str) -> set[str]:
    return set(subprocess.run(command, capture_output=True, text=True).stdout.splitlines())


def _rules(family: str) -> set[str]:
    """Chains and rules of one family; a table that nobody used yet counts as one that is empty."""
    kept = (line for line in _lines(f"{family}-save") if line.startswith((":", "-A")))
    return {re.sub(r"\[\d+:\d+\]", "", line) for line in kept if not re.match(r":[A-Z]+ ACCEPT ", line)}


def _processes(home: Path) -> set[str]:
    """The command lines of the processes that run a program of the lab's, or were given a path in it."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in command or "labkit." in command or "/run/k8s-lab" in command:
            found.add(command)
    return found


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.exists() else set()


def _existing(*folders: Path) -> set[str]:
    return {str(folder) for folder in folders if folder.exists()}


def traces(home: Path) -> dict[str, set[str]]:
    """Everything that a lab with this LAB_HOME may change on the machine, by kind."""
    mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    cgroups = Path("/sys/fs/cgroup").glob("**/kubepods*")
    return {
        "iptables": _rules("iptables"),
        "ip6tables": _rules("ip6tables"),
        "nftables": {line for line in _lines("nft", "list", "tables") if "k8slab" in line},
        "links": _names(Path("/sys/class/net")),
        "routes": _lines("ip", "route", "show", "table", "all"),
        "network namespaces": _names(Path("/run/netns")),
        "mounts": {mount for mount in mounts if str(home) in mount or "k8s-lab" in mount or "netns" in mount},
        "cgroups": {str(path) for path in cgroups},
        "sysctls": {f"{name}={(Path('/proc/sys') / name).read_text().strip()}" for name in _SYSCTLS},
        "processes": _processes(home),
        "folders": _existing(Path("/run/k8s-lab"), Path("/var/log/pods"), Path("/var/log/containers"), home / "state"),
    }


def differences(before: dict[str, set[str]], after: dict[str, set[str]]) -> list[str]:
    """A line for each thing that came or went."""
    return [
        f"{kind}: {sign}{item}"
        for kind in before
        for sign, items in (("+", after[kind] - before[kind]), ("-", before[kind] - after[kind]))
        for item in sorted(items)
    ]
