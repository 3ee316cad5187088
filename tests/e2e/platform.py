"""A stack of these tests: the project's own program, on the lab, with a few settings of its own."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import yaml

from components.namespaces import NamespaceNames
from operate import project, rig
from operate.directory import Directory
from operate.recovery import recover
from operate.removal import purge, stack_in_lab, take_down
from operate.steps import OperationError, Steps
from tests.e2e.cluster import Object, exists, found, kubectl, maybe, one, run_in
from tests.e2e.person import Person

_STACKS = Path(__file__).parent / "stacks"
_CLUSTER_WIDE = ("namespaces", "storageclasses", "priorityclasses", "clusterroles", "clusterrolebindings")


def merged(base: Any, change: Any) -> Any:  # noqa: ANN401  any part of a stack file
    """The first with what the second has otherwise; maps are merged, anything else is replaced."""
    if isinstance(base, Mapping) and isinstance(change, Mapping):
        return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}
    return change


@dataclass(kw_only=True)
class Platform:
    """One instance of elab in the lab."""

    stack: str
    directory: Directory
    port: int
    host: str = "127.0.0.1"
    change: dict[str, Any] = field(default_factory=dict)
    """What is set otherwise now, by full key."""

    @property
    def instance(self) -> str:
        """Stacks and instances of these tests have one name."""
        return self.stack

    @property
    def url(self) -> str:
        """The one address."""
        return f"http://{self.host}:{self.port}"

    @property
    def names(self) -> NamespaceNames:
        """Its namespaces."""
        return NamespaceNames(instance=self.instance)

    @property
    def hub(self) -> str:
        """The hub's namespace."""
        return self.names.hub

    @property
    def users(self) -> str:
        """The namespace of people's servers."""
        return self.names.users

    @property
    def folder(self) -> Path:
        """The project as the lab runs it."""
        return project.folder_of(self.stack)

    def person(self, name: str, cookies: CookieJar | None = None) -> Person:
        """Somebody at a browser, with the cookies of sites they have been to; without, a browser of their own."""
        return Person(self.url, name, self.directory.passwords[name], cookies)

    @property
    def own(self) -> dict[str, Any]:
        """What the stack has otherwise than `local`, by full key; null: it has none of it."""
        return yaml.safe_load((_STACKS / f"{self.stack}.yaml").read_text())

    def write(self) -> None:
        """Write the stack's file: that of `local`, this stack's own, and what the tests have changed since."""

        def change(config: dict[str, Any]) -> None:
            config.update(merged(merged(config, self.own), self.change))
            for key in [key for key, value in config.items() if value is None]:
                del config[key]

        project.write(self.stack, self.directory, template="local", change=change)

    def create(self) -> None:
        """Make the stack, with its secret; nothing is in the cluster yet."""
        self.write()
        project.select(self.folder, self.stack)
        recover(self.folder, self.stack)
        # Where people log in at another stack there is no directory to ask.
        if "elab:login" not in self.own:
            project.set_secret(self.folder, self.stack, "ldap_bind_password", self.directory.passwords["elab"])

    def up(self, **change: Any) -> list[dict[str, Any]]:  # noqa: ANN401  settings, by section
        """Bring it up with settings changed, and give the engine's steps."""
        self.change = merged(self.change, {f"elab:{section}": value for section, value in change.items()})
        self.write()
        return self.pulumi("up")

    def pulumi(self, command: str, *options: str) -> list[dict[str, Any]]:
        """Run one of the lab's Pulumi commands, and give its steps: operation, URN and what changed."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            rig.pulumi(command, self.folder, self.stack, *options, "--json", report)
            return json.loads(report.read_text())["steps"]

    def pod(self, person: str) -> Object | None:
        """A person's server."""
        return maybe("pod", f"jupyter-{person}", self.users)

    def uid(self, person: str) -> str:
        """Which pod a person's server is, and there is one."""
        pod = self.pod(person)
        assert pod is not None
        return pod["metadata"]["uid"]

    def in_pod(self, person: str, *command: str, seconds: float = 60) -> str:
        """What a command prints inside a person's server."""
        return run_in(self.users, f"jupyter-{person}", *command, seconds=seconds)

    def the_pod_of(self, component: str) -> Object:
        """The one pod of a Deployment of the hub's namespace that is not on its way out."""
        pods = found("pods", self.hub, "-l", f"app.kubernetes.io/component={component}")
        alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        assert len(alive) == 1, [pod["metadata"]["name"] for pod in alive]
        return alive[0]

    def unprotect(self) -> None:
        """Let the next destroy go on, as somebody does who thinks that a refusal was a nuisance."""
        rig.pulumi_cli(self.folder, self.stack, ["state", "unprotect", "--all", "--yes", "--stack", self.stack])

    def lose_state(self) -> None:
        """Have the engine forget the stack, which runs on."""
        command = ["stack", "rm", "--force", "--yes", "--preserve-config", "--stack", self.stack]
        rig.pulumi_cli(self.folder, self.stack, command)

    def down(self) -> None:
        """As `make down` does."""
        take_down(stack_in_lab(self.folder, self.stack), self.names, Steps())

    def purge(self) -> None:
        """As `make purge` does."""
        purge(stack_in_lab(self.folder, self.stack), self.names, Steps())

    def leftovers(self) -> list[str]:
        """What the cluster holds of this instance outside namespaces, and its volumes."""
        label = f"app.kubernetes.io/instance={self.instance}"
        names = kubectl("get", ",".join(_CLUSTER_WIDE), "-l", label, "-o", "name").splitlines()
        names += kubectl("get", "rolebindings", "-n", "kube-system", "-l", label, "-o", "name").splitlines()
        return names + [f"persistentvolume/{volume['metadata']['name']}" for volume in self.volumes()]

    def volumes(self) -> list[Object]:
        """The volumes of this instance's class."""
        return [
            volume for volume in found("pv") if volume["spec"]["storageClassName"].startswith(f"{self.instance}-home")
        ]

    def remove(self) -> None:
        """Take away whatever there is of it, protected or not, by the engine and then by hand."""
        if (self.folder / f"Pulumi.{self.stack}.yaml").exists():
            try:
                project.select(self.folder, self.stack)
                recover(self.folder, self.stack)
                self.purge()
                rig.pulumi("destroy", self.folder, self.stack, "--remove")
            except OperationError as error:
                print(f"{self.stack}: {error}")
            shutil.rmtree(self.folder)
        for name in self.leftovers():
            if name.startswith("persistentvolume/"):
                self._forget_volume(name.partition("/")[2])
            else:
                where = ("-n", "kube-system") if name.startswith("rolebinding") else ()
                kubectl("delete", name, *where, "--ignore-not-found", seconds=120)

    def _forget_volume(self, name: str) -> None:
        """A retained volume's data is deleted by hand, as an administrator would."""
        if exists("pv", name):
            path = Path(one("pv", name)["spec"]["local"]["path"])
            kubectl("delete", "pv", name, "--ignore-not-found")
            shutil.rmtree(path, ignore_errors=True)
