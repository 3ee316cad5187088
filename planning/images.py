"""Every image of a stack: what uses it, and how it gets into a registry of one's own."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yaml

from components.notebook_image import BuiltImage
from policy.rules.containers import qualified
from settings import Settings
from settings_checks import images_of
from stackfile.problems import Problem, StackError
from stackfile.references import Image

from .plan import Plan


@dataclass(frozen=True, kw_only=True)
class StackImage:
    """One image that the cluster pulls, or that the stack's own image is built from."""

    reference: str
    """As the cluster is told, after mirrors and digests."""
    source: str | None
    """As the settings name it, before both; None for an image that the stack builds and pushes itself."""
    tag: str
    digest: str
    users: tuple[str, ...]
    """`namespace/kind-name:container`, people's pods included."""


def inventory(plan: Plan) -> tuple[StackImage, ...]:
    """All images of a stack, by reference. Sizes are a registry's to say: a plan asks nobody."""
    settings = plan.subject.settings
    named = {settings.images.reference(image): image for image in images_of(settings)}
    found = [_image(reference, named.get(reference), settings, users) for reference, users in plan.images.items()]
    if isinstance(settings.notebook_image, BuiltImage):
        base = settings.notebook_image.base_image
        used = ("the build of the notebook image",)
        found.append(_image(settings.images.reference(base), base, settings, used))
    return tuple(sorted(found, key=lambda one: one.reference))


def _image(reference: str, source: Image | None, settings: Settings, users: Iterable[str]) -> StackImage:
    name, _, digest = reference.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    known = settings.images.digests.get(source) if source else None
    return StackImage(
        reference=reference,
        source=str(source) if source else None,
        tag=tag,
        digest=digest or str(known or ""),
        users=tuple(users),
    )


def text(found: Sequence[StackImage]) -> str:
    """The inventory for a terminal."""
    lines = [f"{len(found)} images"]
    for one in found:
        lines.append(f"  {one.reference}")
        lines.append(f"      version {one.tag or 'none'}; {one.digest or 'no digest yet: images.digests names it'}")
        made = "" if one.source else "; built and pushed by the stack"
        lines.append(f"      used by {', '.join(one.users)}{made}")
    lines.append("Sizes: skopeo inspect --raw docker://<image> lists each layer's; a plan asks no registry.")
    return "\n".join(lines)


def prefixes(found: Sequence[StackImage], registry: str) -> dict[str, str]:
    """The setting `images.mirrors` by which every image comes from a registry: one entry for each registry of today."""
    hosts = {str(Image(one.source)).partition("/")[0] for one in found if one.source}
    return {host: f"{registry}/{host}" for host in sorted(hosts) if registry.partition("/")[0] != host}


def script(found: Sequence[StackImage], settings: Settings, registry: str) -> str:
    """A shell script that copies every image by digest, and the setting for afterwards.

    Raises StackError where the registry's name is none, or an image is named without its registry.
    """
    if "://" in registry or registry.endswith("/") or qualified(f"{registry}/x") != f"{registry}/x":
        raise StackError(
            [
                Problem(
                    where="--mirror",
                    found=f'"{registry}"',
                    allowed="a registry's host, and a prefix if need be",
                    fix="write it as registry.example.org or registry.example.org/mirror",
                )
            ]
        )
    mirrors = prefixes(found, registry)
    target = settings.images.model_copy(update={"mirrors": mirrors})
    lines = ["#!/bin/sh", "# Copies every image of the stack, all platforms, by digest where it is known.", "set -eu"]
    for one in found:
        if one.source is None:
            lines.append(f"# {one.reference}: built and pushed by the stack; its repository is a setting")
            continue
        origin = Image(one.source)
        to = target.reference(origin).partition("@")[0]
        if to == str(origin).partition("@")[0]:
            lines.append(f"# {origin}: in this registry already")
            continue
        by = f"{origin.repository}@{one.digest}" if one.digest else str(origin)
        lines.append(
            f"skopeo copy --all --preserve-digests {shlex.quote(f'docker://{by}')} {shlex.quote(f'docker://{to}')}"
        )
    lines += ["# Then, in the stack's file, so that every reference is rewritten:"]
    setting = yaml.safe_dump({"elab:images": {"mirrors": mirrors}}, sort_keys=True).splitlines()
    return "\n".join([*lines, *(f"#   {line}" for line in setting)])
