"""The applications of the notebook image, and whether people's servers are large enough for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.hub.profiles import UsersSettings
from components.image_folder import ImageFolder
from stackfile.quantities import Bytes
from stackfile.references import Name

from .findings import Finding


@dataclass(frozen=True, kw_only=True)
class PlannedApplication:
    """What a plan says of an application."""

    name: str
    title: str
    version: str
    memory: Bytes
    """What a server needs for it."""
    too_small: tuple[str, ...]
    """Profiles whose limit is below that."""


def applications(folder: ImageFolder | None, users: UsersSettings) -> Iterator[PlannedApplication]:
    """The applications of the folder that the image is built from, or was; none where the stack names no folder."""
    for found in folder.applications if folder else ():
        memory = Bytes(found.memory)
        yield PlannedApplication(
            name=found.name,
            title=found.title,
            version=found.version or " ".join(found.packages.python),
            memory=memory,
            too_small=tuple(
                str(profile.name)
                for profile in users.profiles
                if Name("default") in profile.images and profile.resources.memory.limit.bytes < memory.bytes
            ),
        )


def findings(found: tuple[PlannedApplication, ...], users: UsersSettings) -> Iterator[Finding]:
    """One warning for each profile that is too small for some application."""
    for index, profile in enumerate(users.profiles):
        missed = [one for one in found if profile.name in one.too_small]
        if missed:
            most = max((one.memory for one in missed), key=lambda memory: memory.bytes)
            needs = ", ".join(f"{one.title} needs {one.memory}" for one in missed)
            yield Finding(
                level="warning",
                where=f"users.profiles.{index}.resources.memory.limit",
                what=f"found {profile.resources.memory.limit}; {needs}: it would be ended for want of memory",
                fix=f"raise it to {most}, or name another image for profile {profile.name} in its images",
            )
