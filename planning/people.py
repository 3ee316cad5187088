"""The pods and claims that KubeSpawner will make: part of the graph, the schemas, the images and the capacity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.entry_settings import own_certificate, public_url
from components.hub import scheduler
from components.hub.configuration import server_files
from components.hub.placement import pools_of
from components.hub.profiles import Profile
from components.hub.scheduling import PriorityNames
from components.hub.users import user_claim, user_pod
from components.hub.values import ValuesArgs
from components.namespaces import NamespaceNames
from settings import Settings

from .capacity import Person
from .manifests import Manifest, to_manifest
from .pods import pod_template

CLAIM_REFERENCE = "{pvc_name}"
"""What stands in a planned pod for the person's claim; KubeSpawner fills it in."""


@dataclass(frozen=True, kw_only=True)
class People:
    """What people will get: one pod for each profile and image, and one claim."""

    persons: tuple[Person, ...]
    manifests: tuple[Manifest, ...]


def values_args(settings: Settings) -> ValuesArgs:
    """What the hub's values file is made of; a test holds it against the file that the program registers."""
    names = NamespaceNames(instance=settings.instance)
    return ValuesArgs(
        names=names,
        hub=settings.hub,
        users=settings.users,
        directory=settings.hub_directory,
        login=settings.login,
        places=settings.places,
        culling=settings.culling,
        images=settings.images,
        network=settings.network,
        pools=settings.node_pools,
        ranges=settings.facts.ranges,
        pod_security=settings.facts.pod_security,
        storage_class=settings.storage.class_name,
        public_url=public_url(settings.entry),
        certificate=own_certificate(settings.entry),
        scheduler_name=scheduler.scheduler_name(names) if settings.packs else None,
        priority_class=PriorityNames(instance=settings.instance).of("users"),
        server_files=tuple(server_files()),
    )


def people(settings: Settings, notebook_image: str) -> People:
    """The people of a stack whose own notebook image is `notebook_image`."""
    args = values_args(settings)
    claim = Manifest(urn="", body=to_manifest(user_claim(args)))
    persons, pods = [], []
    for manifest, profile in _pods(args, notebook_image, claim.name):
        pods.append(manifest)
        template = pod_template(manifest)
        pools = tuple(str(pool.name) for pool in pools_of(profile, args.pools))
        if template and profile.name not in {person.profile for person in persons}:
            persons.append(Person(profile=str(profile.name), pools=pools, pod=template))
    return People(persons=tuple(persons), manifests=(claim, *pods))


def _pods(args: ValuesArgs, notebook_image: str, claim: str) -> Iterator[tuple[Manifest, Profile]]:
    for profile in args.users.profiles:
        for key in profile.images:
            image = notebook_image if key == "default" else args.images.reference(args.users.images[key].image)
            body = to_manifest(user_pod(args, profile, image))
            body["metadata"]["name"] = f"a-person-with-{profile.name}-and-{key}"
            for volume in body["spec"]["volumes"]:
                if volume.get("persistentVolumeClaim", {}).get("claimName") == CLAIM_REFERENCE:
                    volume["persistentVolumeClaim"]["claimName"] = claim
            yield Manifest(urn="", body=body), profile
