"""The notebook image: built by the stack and pushed to its registry, or taken ready-made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pulumi
import pulumi_docker_build as docker_build
from pydantic import Field

from components.image_folder import ImageFolder, outside
from components.kit import content_hash
from components.network_settings import ImagesSettings
from stackfile.problems import Problem
from stackfile.references import Image
from stackfile.scalars import Scalar
from stackfile.section import Section


class ReadyImage(Section):
    """An image that is in a registry already."""

    kind: Literal["ready"]
    image: Image
    applications: str | None = None
    """The folder that it was built from, `notebook-image`: plans then know its applications and warn of profiles that
    are too small for them. An image can't be looked into without its registry, so what stands in the folder now is
    taken for what the image holds; none: plans say nothing of applications."""


class Repository(Scalar):
    """A registry and a repository of its, which the tag is put behind."""

    allowed: ClassVar[str] = "registry/repository in lower case, without a tag"
    example: ClassVar[str] = "registry.example.org/elab/notebook"

    @classmethod
    def check(cls, text: str) -> None:
        if "@" in text or ":" in text.rpartition("/")[2]:
            raise ValueError("leave the tag out: elab makes one of what the image is made of, behind tag_prefix")
        if not Image.takes_below(text):
            raise ValueError


class BuiltImage(Section):
    """An image that `up` builds from `notebook-image/` and pushes, by `docker buildx`."""

    kind: Literal["build"]
    repository: Repository
    """Where it is pushed, without a tag: `registry.example.org/elab/notebook`."""
    tag_prefix: str = Field(default="elab", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")
    """What the tag begins with, for people; a hash of all that the image is made of follows. Servers use the digest."""
    context: str = "notebook-image"
    """The folder with the Dockerfile, from the project's own; absolute paths would differ from machine to machine."""
    base_image: Image = Image("quay.io/jupyter/datascience-notebook:2026-07-28")
    platforms: tuple[Literal["linux/amd64", "linux/arm64"], ...] = Field(default=("linux/amd64",), min_length=1)
    downloads: str | None = None
    """A file in that folder that says where releases come from, such as a mirror; none: from their publishers."""
    build_arguments: dict[str, str] = {}
    """More arguments of the Dockerfile; no secrets, since the image's history and provenance show them."""
    build_on_preview: bool = False
    """Build in previews too, without pushing."""

    def problems(self) -> Iterator[Problem]:
        for name in sorted(_ARGUMENTS.keys() & self.build_arguments.keys()):
            yield Problem(
                where=f"build_arguments.{name}",
                found=self.build_arguments[name],
                allowed="arguments that elab does not set itself",
                fix=_ARGUMENTS[name],
            )
        if self.downloads is not None and outside(self.downloads):
            yield Problem(
                where="downloads",
                found=f'"{self.downloads}"',
                allowed=f"a file within {self.context}/: a build sees nothing else",
                fix=f"move it into {self.context}/, and name it by its path from there",
            )


_ARGUMENTS = {
    "BASE_IMAGE": "set base_image instead: mirrors and digests apply to it, and the tag follows it",
    "DOWNLOADS": "set downloads instead: plans check what stands in that file",
    "BUILDKIT_ATTEST_SBOM": "remove it: elab asks for an SBOM by itself",
}
"""Arguments of the build that follow from settings of their own, and what to do instead of giving them."""


SBOM_SCANNER = Image("docker.io/docker/buildkit-syft-scanner:stable-1")
"""What BuildKit lists an image's packages with, unless told otherwise (its frontend/attestations/parse.go)."""

NotebookImageSettings = Annotated[ReadyImage | BuiltImage, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True)
class NotebookImageArgs:
    """What the notebook image is made of."""

    settings: ReadyImage | BuiltImage
    images: ImagesSettings
    folder: ImageFolder | None
    """What lies in the folder that it is built from; none for a ready one."""


def build(
    args: NotebookImageArgs, settings: BuiltImage, folder: ImageFolder, *, preview: bool
) -> docker_build.ImageArgs:
    """The build, with its cache beside the image in the registry."""
    platforms = {"linux/amd64": docker_build.Platform.LINUX_AMD64, "linux/arm64": docker_build.Platform.LINUX_ARM64}
    arguments = {
        "BASE_IMAGE": args.images.reference(settings.base_image),
        # docker-build has no field for an SBOM; BuildKit takes it as an argument of the build too.
        "BUILDKIT_ATTEST_SBOM": f"generator={args.images.reference(SBOM_SCANNER)}",
        **settings.build_arguments,
    }
    if settings.downloads is not None:
        arguments["DOWNLOADS"] = settings.downloads
    version = content_hash(folder.content, arguments, settings.platforms)
    cache = f"{settings.repository}:build-cache"
    # A preview that builds would write it (pulumi-docker-build keeps back the image alone); one that doesn't must look
    # like the update, or it would announce a new image each time.
    writes_cache = not (preview and settings.build_on_preview)
    return docker_build.ImageArgs(
        context=docker_build.BuildContextArgs(location=folder.path),
        tags=[f"{settings.repository}:{settings.tag_prefix}-{version}"],
        platforms=[platforms[platform] for platform in settings.platforms],
        build_args=arguments,
        build_on_preview=settings.build_on_preview,
        push=True,
        # By docker buildx itself, which attests how the image was built; the library in the provider turns that off.
        exec_=True,
        cache_from=[docker_build.CacheFromArgs(registry=docker_build.CacheFromRegistryArgs(ref=cache))],
        cache_to=[docker_build.CacheToArgs(registry=docker_build.CacheToRegistryArgs(ref=cache))]
        if writes_cache
        else None,
    )


class NotebookImage(pulumi.ComponentResource):
    """The image that people's servers run, by digest where it is built."""

    ref: pulumi.Output[str]

    def __init__(self, name: str, args: NotebookImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:image:NotebookImage", name, None, opts)
        if isinstance(args.settings, BuiltImage) and args.folder is not None:
            made = build(args, args.settings, args.folder, preview=pulumi.runtime.is_dry_run())
            self.ref = docker_build.Image(f"{name}-image", made, pulumi.ResourceOptions(parent=self)).ref
        elif isinstance(args.settings, ReadyImage):
            self.ref = pulumi.Output.from_input(args.images.reference(args.settings.image))
        else:
            raise TypeError("an image that is built needs its folder")
        self.register_outputs({"ref": self.ref})
