"""Settings of people's servers: sizes and images to choose from, their disk, and what they may reach."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from stackfile.ports import PortNumber
from stackfile.problems import Problem
from stackfile.quantities import DiskSize, Duration
from stackfile.references import AbsolutePath, Cidr, EnvName, Image, Name, PoolName
from stackfile.resources import Resources
from stackfile.secrets import in_clear, is_secret
from stackfile.section import Section

RESERVED_VOLUMES = ("home", "elab", "trust")
"""Names of the volumes that every server has already."""


Strategy = Literal["burst", "pack", "spread", "spot-first", "on-demand-first"]
"""Which of a profile's pools takes the next server, and which of their nodes; `placement.py` says what each becomes."""


class ImageChoice(Section):
    """An image that people can choose besides the stack's notebook image."""

    title: str = Field(min_length=1)
    image: Image


class Profile(Section):
    """One size of server that people can choose."""

    name: Name
    title: str = Field(min_length=1)
    description: str = ""
    resources: Resources
    pools: tuple[PoolName, ...] = Field(min_length=1)
    """Node pools that run it, the preferred one first."""
    strategy: Strategy = "burst"
    """burst: the next pool is used when the one before is full. pack: the fullest node of all pools, so that the fewest
    run. spread: over nodes and zones, so that a node that fails takes the fewest along. spot-first, on-demand-first:
    pools of that kind before the others, each kind in the order of `pools`."""
    images: tuple[Name, ...] = (Name("default"),)
    """Keys of `users.images`, or `default` for the stack's notebook image; several give a choice."""
    default: bool = False
    """Chosen unless the person says otherwise; exactly one profile is."""
    gpus: int = Field(default=0, ge=0, le=16)
    """Whole GPUs (`nvidia.com/gpu`)."""


class Home(Section):
    """A person's disk: one claim each, kept when their server goes."""

    size: DiskSize = DiskSize("10Gi")
    path: AbsolutePath = AbsolutePath("/home/jovyan")


class SharedData(Section):
    """A data set that everyone reads and nobody writes: a claim in the users namespace, made by its owner."""

    name: Name
    claim: Name
    path: AbsolutePath


class ExtraVolume(Section):
    """A ConfigMap or Secret of the users namespace, made by its owner, as files in every server; read-only."""

    name: Name
    kind: Literal["config_map", "secret"]
    source: Name
    path: AbsolutePath


class EgressRule(Section):
    """Addresses that people's servers may reach."""

    cidr: Cidr
    ports: tuple[PortNumber, ...] = ()
    """Ports; none: every port."""
    protocol: Literal["TCP", "UDP"] = "TCP"


class Egress(Section):
    """What people's servers may reach besides the hub, their own address and DNS."""

    internet: bool = False
    """Every public address; never pods, services, private ranges or the cloud's metadata."""
    allow: tuple[EgressRule, ...] = ()


class UsersSettings(Section):
    """People's servers."""

    profiles: tuple[Profile, ...] = Field(min_length=1)
    images: dict[Name, ImageChoice] = {}
    """More images to choose from, by a key that profiles name."""
    home: Home = Home()
    uid: int = Field(default=1000, ge=1, le=2**31 - 1)
    """The person's uid inside their server; docker-stacks' jovyan is 1000."""
    gid: int = Field(default=100, ge=1, le=2**31 - 1)
    """The person's group, which owns their disk; docker-stacks' users is 100."""
    default_url: str = Field(default="/lab", pattern=r"^/[A-Za-z0-9/_.-]*$")
    """Where a person arrives."""
    named_servers: int = Field(default=0, ge=0, le=20)
    """How many named servers a person may have besides their own; 0: none."""
    running_servers: int | None = Field(default=None, ge=1)
    """How many servers may run at once; none: as many as the pools hold."""
    start_timeout: Duration = Duration("20m")
    """How long a server may take to start; then it has failed, and the person is told so. A node that must come first
    takes 4 to 8 minutes, and its images 5 to 10 more (Pangeo's and 2i2c's hubs); a disk on a lost node takes 8 to 10
    minutes to come free (rook#11372)."""
    http_timeout: Duration = Duration("2m")
    """How long a started server may take to answer."""
    environment: dict[EnvName, str] = {}
    """More environment for every server; no secrets, since everybody may read it: those come by `volumes`."""
    shared_data: tuple[SharedData, ...] = ()
    volumes: tuple[ExtraVolume, ...] = ()
    egress: Egress = Egress()

    @property
    def default_profile(self) -> Profile:
        """The profile of people who don't choose."""
        return next(profile for profile in self.profiles if profile.default)

    @property
    def largest(self) -> Resources:
        """On each count, that of the profile that has the most of it."""
        every = [profile.resources for profile in self.profiles]
        return Resources(
            cpu=max((found.cpu for found in every), key=lambda cpu: cpu.limit.millicores),
            memory=max((found.memory for found in every), key=lambda memory: memory.limit.bytes),
        )

    def problems(self) -> Iterator[Problem]:
        yield from repeated("profiles", "name", [profile.name for profile in self.profiles])
        defaults = [profile.name for profile in self.profiles if profile.default]
        if len(defaults) != 1:
            yield Problem(
                where="profiles",
                found=f"{len(defaults)} default profiles" + (f" ({', '.join(defaults)})" if defaults else ""),
                allowed="exactly one profile with default: true",
                fix="set default: true on the profile that most people use, and on no other",
            )
        for index, profile in enumerate(self.profiles):
            yield from repeated(f"profiles.{index}.pools", "pool", [str(name) for name in profile.pools])
            yield from repeated(f"profiles.{index}.images", "image", [str(name) for name in profile.images])
            for image in dict.fromkeys(profile.images):
                if image != "default" and image not in self.images:
                    yield Problem(
                        where=f"profiles.{index}.images",
                        found=f'"{image}"',
                        allowed=", ".join(["default", *self.images]),
                        fix=f"add {image} under users.images, or name one that is there",
                    )
        if "default" in self.images:
            yield Problem(
                where="images.default",
                found="an image named default",
                allowed="any other name, since default is the stack's notebook image",
                fix="rename it, or set notebook_image instead",
            )
        yield from self._secrets_in_clear()
        mounts = [str(data.path) for data in self.shared_data] + [str(volume.path) for volume in self.volumes]
        yield from repeated("volumes", "path", [*mounts, str(self.home.path)])
        names = [str(data.name) for data in self.shared_data] + [str(volume.name) for volume in self.volumes]
        yield from repeated("volumes", "name", [*names, *RESERVED_VOLUMES])
        yield from self._covered()

    def _covered(self) -> Iterator[Problem]:
        """Paths at which a volume would hide another, or keep it from being mounted where nobody may write."""
        ours = AbsolutePath("/etc/elab")
        shared = [(f"shared_data.{index}.path", one.path) for index, one in enumerate(self.shared_data)]
        extra = [(f"volumes.{index}.path", one.path) for index, one in enumerate(self.volumes)]
        for where, path in (*shared, *extra, ("home.path", self.home.path)):
            if ours.holds(path) or path.holds(ours):
                yield Problem(
                    where=where,
                    found=f'"{path}"',
                    allowed="any path outside /etc/elab, where elab's own files for servers are, and not above it",
                    fix="mount it elsewhere, for example below /srv",
                )
        for where, path in (*shared, *extra):
            if path.holds(self.home.path) and path != self.home.path:
                yield Problem(
                    where=where,
                    found=f'"{path}", with the home at {self.home.path}',
                    allowed="any path that the home is not below: what is only read takes no further mount",
                    fix="mount it elsewhere, for example below /srv, or within the home",
                )

    def _secrets_in_clear(self) -> Iterator[Problem]:
        """What looks like a secret, by its name or its form; the value itself is told to nobody."""
        for name, value in self.environment.items():
            named = is_secret(name, value)
            if named or any(in_clear(name, value)):
                yield Problem(
                    where=f"environment.{name}",
                    found="the name of a secret, its value in clear" if named else "a value that holds a secret",
                    allowed="what everybody may read: it stands in a ConfigMap and in every server's pod",
                    fix="change the secret, since it was readable; keep it in a Secret of the users namespace, mount "
                    f"that by users.volumes (kind: secret), and give the file's path here, as {name}_FILE or what the "
                    "program calls it, or read the file where the secret is used; what is no secret after all can "
                    "stand in the notebook image",
                )


def repeated(where: str, key: str, values: list[str]) -> Iterator[Problem]:
    """A Problem for every value that stands more than once."""
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield Problem(
            where=where,
            found=f'the {key} "{value}" {values.count(value)} times',
            allowed=f"every {key} once",
            fix=f"give each entry a {key} of its own, or remove one",
        )
