"""The running containerd: which images it has, giving it more, and removing what it runs."""

import subprocess
from collections.abc import Callable, Iterable
from typing import IO

from . import settings


def command(*args: str) -> list[str]:
    """The command line of `ctr` on the cluster's containerd."""
    return ["ctr", "-a", str(settings.CONTAINERD_SOCKET), "-n", "k8s.io", *args]


def ctr(*args: str, check: bool = False) -> str:
    """What `ctr` prints."""
    return subprocess.run(command(*args), check=check, capture_output=True, text=True).stdout


def normalized(reference: str) -> str:
    """The full form under which containerd knows an image reference."""
    first, _, rest = reference.partition("/")
    if not rest:
        reference = f"docker.io/library/{reference}"
    elif "." not in first and ":" not in first and first != "localhost":
        reference = f"docker.io/{reference}"
    has_tag = ":" in reference.rpartition("/")[2] or "@" in reference
    return reference if has_tag else f"{reference}:latest"


def digest_of(reference: str) -> str | None:
    """The digest of the image that has this reference."""
    listed = ctr("images", "ls", f"name=={reference}").splitlines()
    return listed[1].split()[2] if len(listed) > 1 else None


def import_archive(write: Callable[[IO[bytes], Iterable[str]], None]) -> bool:
    """Let `write` make an image archive, given the digests that need not be in it; whether the import succeeded."""
    importer = subprocess.Popen(
        command("images", "import", "-"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert importer.stdin
    with importer.stdin as archive:
        write(archive, ctr("content", "ls", "-q").split())
    return importer.wait() == 0


def tag(source: str, reference: str) -> None:
    """Give an image another reference, whatever had that before."""
    ctr("images", "tag", "--force", source, reference, check=True)


def prune() -> None:
    """Drop what only an image ID still names: the versions that a rebuild replaced."""
    images = [(line.split()[0], line.split()[2]) for line in ctr("images", "ls").splitlines()[1:]]
    tagged = {digest for reference, digest in images if not reference.startswith("sha256:")}
    stale = [reference for reference, digest in images if digest not in tagged]
    if stale:
        ctr("images", "rm", *stale, check=True)


def remove_containers() -> None:
    """Kill every task, then delete tasks, containers and their snapshots."""
    containers = ctr("containers", "ls", "-q").split()
    for container in containers:
        ctr("tasks", "kill", "-s", "SIGKILL", "--all", container)
    for container in containers:
        ctr("tasks", "delete", "--force", container)
        ctr("containers", "delete", container)
