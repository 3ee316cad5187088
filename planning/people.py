"""The pods and claims that KubeSpawner will make: part of the graph, the schemas, the images and the capacity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.hub.placement import pools_of
from components.hub.profiles import Profile
from components.hub.users import user_claim, user_pod
from components.hub.values import ValuesArgs
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


def people(settings: Settings, notebook_image: str) -> People:
    """The people of a stack whose own notebook image is `notebook_image`."""
    args = settings.values_args
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
