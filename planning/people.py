"""The pods and claims that KubeSpawner will make: part of the graph, the schemas, the images and the capacity."""

from __future__ import annotations

from dataclasses import dataclass

from components.namespaces import NamespaceNames
from settings import Settings

from .capacity import Person
from .manifests import Manifest
from .pods import PodTemplate


@dataclass(frozen=True, kw_only=True)
class People:
    """What people will get who choose each profile."""

    persons: tuple[Person, ...]
    manifests: tuple[Manifest, ...]


def people(settings: Settings) -> People:
    """One pod per profile, and one claim."""
    persons = []
    for profile in settings.users.profiles:
        resources = profile.resources
        container = {
            "name": "notebook",
            "resources": {
                "requests": {"cpu": resources.cpu.request, "memory": resources.memory.request},
                "limits": {"cpu": resources.cpu.limit, "memory": resources.memory.limit},
            },
        }
        pod = PodTemplate(
            owner=profile.name,
            kind="Pod",
            namespace=NamespaceNames(instance=settings.instance).users,
            labels={},
            spec={"containers": [container]},
            replicas=1,
        )
        persons.append(Person(profile=profile.name, pools=tuple(profile.pools), pod=pod))
    return People(persons=tuple(persons), manifests=())
