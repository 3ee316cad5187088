"""The notebook image: built by the stack and pushed to its registry, or taken ready-made."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pulumi
import pulumi_docker_build as docker_build
from pydantic import Field

from components.network_settings import ImagesSettings
from stackfile.references import Image
from stackfile.section import Section


class ReadyImage(Section):
    """An image that is in a registry already."""

    kind: Literal["ready"]
    image: Image


class BuiltImage(Section):
    """An image that `up` builds from `notebook-image/` and pushes, with Docker's BuildKit."""

    kind: Literal["build"]
    repository: str = Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+$")
    """Where it is pushed, without a tag: `registry.example.org/elab/notebook`."""
    tag: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
    """A name for people; servers use the digest."""
    context: str = "notebook-image"
    """The folder with the Dockerfile, from the project's own; absolute paths would differ from machine to machine."""
    base_image: Image = Image("quay.io/jupyter/datascience-notebook:2025-03-14")
    platforms: tuple[Literal["linux/amd64", "linux/arm64"], ...] = ("linux/amd64",)
    build_arguments: dict[str, str] = {}
    build_on_preview: bool = False
    """Build in previews too, without pushing."""


NotebookImageSettings = Annotated[ReadyImage | BuiltImage, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True)
class NotebookImageArgs:
    """What the notebook image is made of."""

    settings: ReadyImage | BuiltImage
    images: ImagesSettings


def build(args: NotebookImageArgs, settings: BuiltImage) -> docker_build.ImageArgs:
    """The build, with its cache beside the image in the registry."""
    platforms = {"linux/amd64": docker_build.Platform.LINUX_AMD64, "linux/arm64": docker_build.Platform.LINUX_ARM64}
    cache = docker_build.CacheToRegistryArgs(ref=f"{settings.repository}:build-cache")
    return docker_build.ImageArgs(
        context=docker_build.BuildContextArgs(location=settings.context),
        tags=[f"{settings.repository}:{settings.tag}"],
        platforms=[platforms[platform] for platform in settings.platforms],
        build_args={"BASE_IMAGE": args.images.reference(settings.base_image), **settings.build_arguments},
        build_on_preview=settings.build_on_preview,
        push=True,
        cache_from=[
            docker_build.CacheFromArgs(
                registry=docker_build.CacheFromRegistryArgs(ref=f"{settings.repository}:build-cache")
            )
        ],
        cache_to=[docker_build.CacheToArgs(registry=cache)],
    )


class NotebookImage(pulumi.ComponentResource):
    """The image that people's servers run, by digest where it is built."""

    ref: pulumi.Output[str]

    def __init__(self, name: str, args: NotebookImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:image:NotebookImage", name, None, opts)
        if isinstance(args.settings, ReadyImage):
            self.ref = pulumi.Output.from_input(args.images.reference(args.settings.image))
        else:
            made = docker_build.Image(f"{name}-image", build(args, args.settings), pulumi.ResourceOptions(parent=self))
            self.ref = made.ref
        self.register_outputs({"ref": self.ref})
