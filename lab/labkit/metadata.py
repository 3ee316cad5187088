"""A stand-in for a cloud's metadata service: a host in a network namespace, which pods reach unless a policy forbids.

Run as `python3 -m labkit.metadata` inside the namespace, it answers HTTP on port 80. Its address lies in a range for
tests; nothing is ever sent to a cloud's real one.
"""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from . import node, processes, settings
from .network import link_exists, run

DAEMON = "metadata"
ANSWER = b"credentials of the machine\n"
_PREFIX = 30  # the two addresses and nothing else


class Handler(BaseHTTPRequestHandler):
    """Gives everybody the same answer."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)


def up() -> None:
    """Make the host, wait until it answers, and print its address."""
    if not processes.pid_of("kubelet"):
        raise SystemExit("lab: no node runs; `lab up` first")
    # The namespace is the daemon's own: it ends with it, and the link ends with the namespace.
    node.start_module(DAEMON, "metadata", within=["unshare", "--net"])
    pid = str(processes.pid_of(DAEMON))
    processes.wait_until("network namespace", lambda: _namespace(pid) != _namespace("self"), 5, needs=[DAEMON])
    if not link_exists(settings.METADATA_LINK):
        run("ip", "link", "add", settings.METADATA_LINK, "type", "veth", "peer", "name", "eth0", "netns", pid)
        run("ip", "addr", "add", f"{settings.METADATA_GATEWAY}/{_PREFIX}", "dev", settings.METADATA_LINK)
        run("ip", "link", "set", settings.METADATA_LINK, "up")
        inside = ("nsenter", f"--net=/proc/{pid}/ns/net", "ip")
        run(*inside, "addr", "add", f"{settings.METADATA_IP}/{_PREFIX}", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "route", "add", "default", "via", settings.METADATA_GATEWAY)
    processes.wait_until("answer of the metadata stand-in", _answers, 10, needs=[DAEMON])
    print(settings.METADATA_IP)


def _namespace(pid: str) -> Path:
    return Path(f"/proc/{pid}/ns/net").readlink()


def _answers() -> bool:
    try:
        with socket.create_connection((settings.METADATA_IP, 80), timeout=1):
            return True
    except OSError:
        return False


def down() -> None:
    """Remove the host, if there is one."""
    processes.stop(DAEMON)
    if link_exists(settings.METADATA_LINK):
        run("ip", "link", "del", settings.METADATA_LINK, check=False)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 80), Handler).serve_forever()
