"""The cluster's one node: containerd, kubelet, kube-proxy and the lab's own controllers."""

import os
import shutil
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from . import containerd, pki, processes, settings
from .control_plane import kubectl

DAEMONS = ("containerd", "kubelet", "kube-proxy", "provisioner", "network-policy")


def in_mount_namespace(argv: Sequence[str | Path]) -> list[str]:
    """The command that runs argv where containerd and kubelet mount things; those mounts end with the namespace."""
    return ["nsenter", f"--mount=/proc/{processes.pid_of('mounts')}/ns/mnt", "--", *map(str, argv)]


def refuse_another() -> None:
    """Refuse where a node of another LAB_HOME runs: it has the same links, addresses and socket."""
    if processes.pid_of("containerd"):
        return
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(str(settings.CONTAINERD_SOCKET))
        except OSError:
            return
        pid, *_ = struct.unpack("3i", asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    config = Path(_arguments(pid)[-1])
    raise SystemExit(
        "lab: another lab runs on this machine, and there can be one with a node\n"
        f"found: a containerd (pid {pid}) at {settings.CONTAINERD_SOCKET}, by {config}\n"
        f"allowed: none, or that of LAB_HOME={settings.HOME}\n"
        f"fix: stop it by `LAB_HOME={config.parents[2]} lab/lab down`, or use it by the same LAB_HOME"
    )


def _arguments(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def start_containerd() -> None:
    """Start containerd in the node's mount namespace; its socket comes a little later."""
    for folder in (settings.CONTAINERD, settings.RUN):
        folder.mkdir(parents=True, exist_ok=True)
    settings.configured("cni.conflist", "cni/10-k8slab.conflist")
    settings.configured("hosts.toml", "registries/_default/hosts.toml")
    config = settings.configured("containerd.toml", "containerd.toml")
    # First private, so that no mount shows outside; then shared, so that containers may see later mounts.
    hold = "mount --make-rshared / && exec sleep infinity"
    processes.start("mounts", ["unshare", "--mount", "--propagation=private", "sh", "-c", hold])
    command = Path(f"/proc/{processes.pid_of('mounts')}/comm")
    processes.wait_until("mount namespace", lambda: command.read_text() == "sleep\n", 5, needs=["mounts"])
    if not processes.pid_of("containerd"):
        settings.CONTAINERD_SOCKET.unlink(missing_ok=True)
    processes.start("containerd", in_mount_namespace(["containerd", "--config", config]))


def await_containerd() -> None:
    """Return once containerd can be asked."""
    processes.wait_until("containerd socket", settings.CONTAINERD_SOCKET.exists, 30, needs=["containerd"])


def start_agents() -> None:
    """Start kubelet and kube-proxy."""
    settings.configured("resolv.conf", "resolv.conf")
    processes.start(
        "kubelet",
        in_mount_namespace(
            [
                settings.BIN / "kubelet",
                f"--config={settings.configured('kubelet.yaml', 'kubelet.yaml')}",
                f"--kubeconfig={pki.kubeconfig('kubelet')}",
                f"--root-dir={settings.KUBELET}",
                f"--cert-dir={settings.KUBELET / 'pki'}",
                f"--hostname-override={settings.NODE_NAME}",
                f"--node-ip={settings.NODE_IP}",
                # Deprecated, and the only way to tell cAdvisor, which counts what containers use, of this containerd.
                f"--containerd={settings.CONTAINERD_SOCKET}",
            ]
        ),
    )
    config = settings.configured("kube-proxy.yaml", "kube-proxy.yaml")
    processes.start("kube-proxy", [settings.BIN / "kube-proxy", f"--config={config}"])


def start_module(name: str, module: str, *args: str, within: Sequence[str] = ()) -> None:
    """Run one of the lab's own modules as a daemon, started by the command `within` if there is one."""
    environment = {
        "PYTHONPATH": str(settings.SOURCE),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAB_HOME": str(settings.HOME),
    }
    processes.start(name, [*within, sys.executable, "-m", f"labkit.{module}", *args], environment)


def start_controllers(provisioners: Sequence[str]) -> None:
    """Start what makes volumes, for these provisioners besides the lab's, and what enforces NetworkPolicy."""
    settings.VOLUMES.mkdir(parents=True, exist_ok=True)
    start_module("provisioner", "provisioner", settings.PROVISIONER, *provisioners)
    start_module("network-policy", "network_policy")


def ready() -> bool:
    """Whether the node is Ready and this kubelet has said so; what one said before a stop is stale."""
    wanted = 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}'
    condition = kubectl("get", "node", settings.NODE_NAME, "--ignore-not-found", "-o", wanted).split()
    if len(condition) != 2 or condition[0] != "True":
        return False
    return datetime.fromisoformat(condition[1]) >= processes.started("kubelet").replace(microsecond=0)


def dns_answers() -> bool:
    """Whether the cluster DNS, asked at its Service address, knows the API server's Service."""
    name = b"".join(bytes([len(part)]) + part.encode() for part in ["kubernetes", "default", "svc", "cluster", "local"])
    query = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + name + struct.pack(">B2H", 0, 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(1)
        try:
            udp.sendto(query, (settings.DNS_IP, 53))
            return udp.recv(512).endswith(socket.inet_aton(settings.API_SERVICE_IP))
        except OSError:
            return False


def remove_containers() -> None:
    """Stop and delete every container of the node."""
    # Even a containerd that died is needed once more: only it knows what to remove.
    start_containerd()
    await_containerd()
    containerd.remove_containers()


def remove_leftovers() -> None:
    """Remove what the node's daemons leave on the machine: mount points, cgroups, sockets, logs."""
    # The namespaces' mounts went with the mount namespace; their mount points remain as empty files.
    for stub in Path("/run/netns").glob("cni-*"):
        if stub.stat().st_size == 0 and not os.path.ismount(stub):
            stub.unlink()
    root = Path("/sys/fs/cgroup")
    for controller in (root, *root.iterdir()):
        for folder, _, _ in os.walk(controller / "kubepods", topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
    for folder in (settings.RUN, settings.POD_LOGS, settings.STATE / "cni", settings.KUBELET):
        shutil.rmtree(folder, ignore_errors=True)
