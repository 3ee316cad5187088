"""The two hubs: elab by its own program, and a bare JupyterHub by a manifest, each in namespaces of its own."""

import json
import secrets
import shutil
import string
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pods import Watch, kubectl
from operate import directory, project, rig
from operate.ready import hub_answers
from operate.steps import OperationError, output, wait_for

STACK = "bench"
_PORT = 30082
_ELAB_URL = f"http://127.0.0.1:{_PORT}"
_BARE_URL = "http://127.0.0.1:30083"
_BARE_NAMESPACE = "bench-bare"
_DIRECTORY_NAMESPACE = "bench-directory"
_HERE = Path(__file__).parent
_USABLE_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who logs in."""

    name: str
    password: str


@dataclass(frozen=True, kw_only=True)
class RunningHub:
    """A hub that answers."""

    name: str
    url: str
    hub_namespace: str
    users_namespace: str
    watch: Watch

    @classmethod
    def watched(cls, name: str, url: str, hub_namespace: str, users_namespace: str) -> "RunningHub":
        """The hub, its servers' pods watched."""
        watch = Watch(namespace=users_namespace)
        watch.start()
        return cls(name=name, url=url, hub_namespace=hub_namespace, users_namespace=users_namespace, watch=watch)


def people(count: int) -> list[Person]:
    """People of the benchmark, their passwords made now."""
    return [Person(name=f"bench{number}", password=secrets.token_urlsafe(12)) for number in range(count)]


def directory_up(found: list[Person]) -> directory.Directory:
    """Bring a directory of the benchmark's own up, with these people in the group of those who may log in."""
    made = directory.new(_DIRECTORY_NAMESPACE)
    directory.start(made)
    template = string.Template((_HERE / "person.ldif").read_text())
    text = "".join(template.substitute(NAME=person.name, PASSWORD=person.password) for person in found)
    for server in directory.SERVERS:
        command = ("-n", _DIRECTORY_NAMESPACE, "exec", "-i", f"deployment/{server}", "--", "/etc/lab-ldap/modify")
        kubectl(*command, text=text)
    return made


def directory_down() -> None:
    """Take the benchmark's directory away, if it is there."""
    directory.stop(_DIRECTORY_NAMESPACE)


def elab_up(people_of: directory.Directory) -> RunningHub:
    """Bring elab's stack up, from nothing to a hub that answers."""
    folder = project.write(STACK, people_of, template="local", change=_own_names)
    project.select(folder, STACK)
    project.set_secret(folder, STACK, "ldap_bind_password", people_of.passwords["elab"])
    with ThreadPoolExecutor(2) as threads:
        began = time.monotonic()
        # People can log in long before the last program of the monitoring is ready, which `up` waits for.
        answered = threads.submit(_usable, _ELAB_URL)
        # A manifest that somebody has rendered before is applied from here on.
        applied = threads.submit(_made, f"namespace/{STACK}-hub")
        _pulumi("up", folder)
        done = time.monotonic() - began
        since = answered.result() - applied.result()
        print(f"    elab: login page after {answered.result() - began:.1f} s, {since:.1f} s after the first object;")
        print(f"    `pulumi up` done after {done:.1f} s")
    outputs = rig.pulumi_json(folder, STACK, "stack", "output", "--json")
    namespaces = outputs["namespaces"]
    return RunningHub.watched("elab", outputs["url"], namespaces["hub"], namespaces["users"])


def _own_names(config: dict[str, Any]) -> None:
    config["elab:instance"] = STACK
    config["elab:entry"] = {**config["elab:entry"], "port": _PORT}
    servers = [f"ldap://{server}.{_DIRECTORY_NAMESPACE}.svc" for server in directory.SERVERS]
    config["elab:directory"] |= {"servers": servers, "namespace": _DIRECTORY_NAMESPACE}
    config["elab:storage"] = {**config["elab:storage"], "class_name": f"{STACK}-home"}
    # The bare hub's: what is compared is hubs.
    config["elab:notebook_image"] = {"kind": "ready", "image": "lab.local/singleuser:1"}


def elab_down() -> None:
    """Take elab's stack away, if it is there."""
    folder = project.folder_of(STACK)
    if (folder / f"Pulumi.{STACK}.yaml").exists():
        # A run that was stopped early has no stack of this name yet.
        project.select(folder, STACK)
        _pulumi("destroy", folder, "--remove")
        shutil.rmtree(folder)


def _pulumi(command: str, folder: Path, *options: str) -> None:
    lab = [*rig.LAB, "pulumi", command, "--dir", folder, "--stack", STACK, "--python", sys.executable]
    output([*lab, *options])


def bare_up() -> RunningHub:
    """Bring the bare hub up, from nothing to a hub that answers."""
    configuration = {"jupyterhub_config.py": (_HERE / "bare_config.py").read_text()}
    began = time.monotonic()
    kubectl("create", "namespace", _BARE_NAMESPACE)
    _create("ConfigMap", "hub", data=configuration)
    _create("Secret", "proxy-token", stringData={"token": secrets.token_hex(32)})
    kubectl("apply", "-f", str(_HERE / "bare.yaml"))
    print(f"    bare: login page after {_usable(_BARE_URL) - began:.1f} s")
    return RunningHub.watched("bare", _BARE_URL, _BARE_NAMESPACE, _BARE_NAMESPACE)


def _create(kind: str, name: str, **content: dict[str, str]) -> None:
    metadata = {"name": name, "namespace": _BARE_NAMESPACE}
    kubectl("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": kind, "metadata": metadata} | content))


def bare_down() -> None:
    """Take the bare hub away, if it is there."""
    kubectl("delete", "namespace", _BARE_NAMESPACE, "--ignore-not-found", "--wait")


def _made(name: str) -> float:
    """Waits for an object; the moment at which it was there."""
    kubectl("wait", "--for=create", name, f"--timeout={_USABLE_SECONDS}s")
    return time.monotonic()


def _usable(url: str) -> float:
    """Waits for the login page; the moment at which it was there."""
    if not wait_for(f"{url}/hub/health", lambda: hub_answers(url), _USABLE_SECONDS, every=0.1):
        raise OperationError(f"{url} does not answer")
    return time.monotonic()
