"""Settings and rooms of the committed stacks, for tests of what is below a whole program."""

from __future__ import annotations

from pathlib import Path

from components.hub.room import HubRoomArgs, values_args
from components.hub.values import ValuesArgs
from components.kit import DataPolicy
from components.namespaces import NamespaceNames
from settings import SECRETS, Settings, read
from stackfile.configuration import plain_data
from stackfile.loader import load_stack

ROOT = Path(__file__).parents[2]


def settings_of(stack: str, **changes: object) -> Settings:
    """A committed stack's settings, some top-level values replaced by plain data."""
    file = load_stack(ROOT, stack)
    return read({**plain_data(file.config, file.project, SECRETS), **changes})


def values_of(settings: Settings) -> ValuesArgs:
    """What the hub's values file is made of in this stack."""
    room = HubRoomArgs(
        names=NamespaceNames(instance=settings.instance),
        cloud=settings.facts,
        entry=settings.entry,
        hub=settings.hub,
        proxy=settings.proxy,
        users=settings.users,
        directory=settings.directory,
        culling=settings.culling,
        puller=settings.puller,
        scheduling=settings.scheduling,
        packs=settings.packs,
        pools=settings.pools,
        images=settings.images,
        network=settings.network,
        data=DataPolicy(protect=False),
        user_storage_class=settings.storage.class_name,
        platform_storage_class=settings.storage.platform_class,
        extra_config=None,
        notebook_image="registry.example.org/notebook:1",
        secrets={},
    )
    return values_args(room)
