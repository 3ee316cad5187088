"""Every image of a stack: what it is, and what uses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.notebook_image import SBOM_SCANNER, BuiltImage
from settings import Settings
from settings_checks import images_of
from stackfile.references import Image

from .plan import Plan

_BUILD = "the build of the notebook image"


@dataclass(frozen=True, kw_only=True)
class StackImage:
    """One image that the cluster pulls, or that the stack's own image is built with."""

    reference: str
    """As the cluster is told, after mirrors and digests."""
    source: str | None
    """As the settings name it, before both; None for an image that the stack builds and pushes itself."""
    digest: str
    """Empty where none is known, as of an image that is still to be built."""
    users: tuple[str, ...]
    """`namespace/kind-name:container`, people's pods included."""

    @property
    def repository(self) -> str:
        """Where it is pulled from, without tag and digest."""
        return Image(self.reference).repository

    @property
    def tag(self) -> str:
        """Empty where it is named by digest alone."""
        return Image(self.reference).tag or ""

    @property
    def shown(self) -> str:
        """The reference for people; what a plan makes up for the digest of an image to be built is not in it."""
        return self.reference if self.source else f"{self.repository}:{self.tag}"

    @property
    def mirrored(self) -> bool:
        """Whether it comes from another place than the settings name."""
        return self.source is not None and Image(self.source).repository != self.repository


def inventory(plan: Plan) -> tuple[StackImage, ...]:
    """All images of a stack, by reference. Sizes are a registry's to say: a plan asks nobody."""
    settings = plan.subject.settings
    notebook = settings.notebook_image
    builds = (notebook.base_image, SBOM_SCANNER) if isinstance(notebook, BuiltImage) else ()
    users = {reference: list(found) for reference, found in plan.images.items()}
    for image in builds:
        users.setdefault(settings.images.reference(image), []).append(_BUILD)
    named = {settings.images.reference(image): image for image in (*images_of(settings), *builds)}
    return tuple(_image(reference, named.get(reference), settings, users[reference]) for reference in sorted(users))


def _image(reference: str, source: Image | None, settings: Settings, users: Iterable[str]) -> StackImage:
    known = (Image(reference).digest or settings.images.digests.get(source)) if source else None
    return StackImage(
        reference=reference, source=str(source) if source else None, digest=str(known or ""), users=tuple(users)
    )


def text(found: Sequence[StackImage], more: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """The inventory for a terminal, with lines that are known of some images, by reference."""
    lines = [f"{len(found)} images"]
    for one in found:
        digest = one.digest or "no digest yet: images.digests names it"
        lines.append(f"  {one.shown}")
        lines.append(f"      version {one.tag or 'none'}; {digest if one.source else 'built and pushed by the stack'}")
        lines += [f"      {line}" for line in (more or {}).get(one.reference, ())]
        lines.append(f"      used by {', '.join(one.users)}")
    return lines
