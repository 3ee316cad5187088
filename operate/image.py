"""`make image`: the notebook image by hand, with docker, podman or buildah, whichever works here."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.image_folder import ImageFolder, outside, read
from components.kit import content_hash
from operate.steps import OperationError, Steps, output, run
from stackfile.problems import StackError
from stackfile.quantities import shown_bytes

ROOT = Path(__file__).parents[1]
FOLDER = "notebook-image"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is built."""

    tag: str
    base: str | None
    """None: the Dockerfile's own."""
    downloads: str | None
    push: bool
    told: Path
    """Where the builder writes what it has pushed."""

    @property
    def arguments(self) -> list[str]:
        """The build's arguments, as every builder takes them."""
        given = {"BASE_IMAGE": self.base, "DOWNLOADS": self.downloads}
        return [part for name, value in given.items() if value for part in ("--build-arg", f"{name}={value}")]


class Docker:
    """Docker with BuildKit. Attestations lie in a registry: an image that is only loaded has none."""

    name = "docker"
    works = (("docker", "info"), ("docker", "buildx", "inspect"))
    """Commands that succeed where the program can build; that of buildx does so without a daemon too."""

    def commands(self, wanted: Wanted, folder: Path) -> list[list[str]]:
        """What builds the image, and pushes it where that is wanted."""
        pushed = ["--push", "--sbom=true", "--provenance=mode=max", "--metadata-file", str(wanted.told)]
        where = pushed if wanted.push else ["--load"]
        return [["docker", "buildx", "build", *where, "--tag", wanted.tag, *wanted.arguments, str(folder)]]

    def size(self, tag: str) -> list[str]:
        """What prints the image's size."""
        return ["docker", "image", "inspect", "--format", "{{.Size}}", tag]

    def digest(self, told: str) -> str:
        """What the registry holds: with attestations an index, so that an image's own id would not find it."""
        return json.loads(told).get("containerimage.digest", "")


@dataclass(frozen=True)
class Buildah:
    """buildah, or podman, which builds with it: the health check needs Docker's format."""

    name: str
    works: tuple[tuple[str, ...], ...]
    measure: tuple[str, ...]

    def commands(self, wanted: Wanted, folder: Path) -> list[list[str]]:
        """What builds the image, and pushes it where that is wanted."""
        # Its cache of layers does not see that what a step mounts has changed; downloads are cached all the same.
        build = [self.name, "build", "--format", "docker", "--layers=false", "--tag", wanted.tag]
        push = [[self.name, "push", "--digestfile", str(wanted.told), wanted.tag]] if wanted.push else []
        return [[*build, *wanted.arguments, str(folder)], *push]

    def size(self, tag: str) -> list[str]:
        """What prints the image's size."""
        return [self.name, *self.measure, tag]

    def digest(self, told: str) -> str:
        """What the registry holds: layers are compressed on their way there, so that the local image has another."""
        return told.strip()


BUILDERS = (
    Docker(),
    Buildah("podman", (("podman", "info"),), ("image", "inspect", "--format", "{{.Size}}")),
    # Its `inspect` knows no size (0), and its list only one for people: 1.22 GB.
    Buildah("buildah", (("buildah", "info"),), ("images", "--format", "{{.Size}}")),
)


def builder(name: str | None) -> Docker | Buildah:
    """The one of this name, or the first that works here.

    Raises:
        OperationError: none does, with what each said.
    """
    said = []
    for one in BUILDERS:
        if name not in (None, one.name):
            continue
        fault = next(filter(None, map(_fault, one.works)), None)
        if fault is None:
            return one
        said.append(f"{one.name}: {fault}")
    wanted = "no program that builds images works here; install docker with buildx, podman or buildah"
    if name is not None:
        wanted = f"BUILDER={name} does not work here; mend what it says, or leave BUILDER out"
    raise OperationError("\n  ".join([wanted, *said]))


def _fault(command: Sequence[str]) -> str | None:
    """Why a command does not succeed; None: it does."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError:
        return "not installed"
    except subprocess.TimeoutExpired:
        return "no answer within 30 s"
    return (done.stderr or done.stdout or "it failed").strip().splitlines()[-1] if done.returncode else None


def folder_of(downloads: str | None) -> ImageFolder:
    """What is built from, checked.

    Raises:
        OperationError: with every problem of its applications.
    """
    if downloads and outside(downloads):
        raise OperationError(
            f'DOWNLOADS="{downloads}" leads out of {FOLDER}/, and a build sees nothing else: move it there'
        )
    try:
        return read(ROOT, FOLDER, downloads, platforms=())
    except StackError as error:
        problems = "\n\n".join(map(str, error.problems))
        raise OperationError(f"the applications can't be used as they are; nothing was built\n\n{problems}") from None


def build(tag: str | None, base: str | None, downloads: str | None, name: str | None, *, push: bool) -> None:
    """Build the image, and say what it became.

    Raises:
        OperationError: it can't be built.
    """
    folder = folder_of(downloads)
    # Of another base it is another image, though the folder is the same.
    version = content_hash(folder.content, base, downloads)
    tag = tag or f"elab-notebook:{version}"
    if push and "/" not in tag:
        raise OperationError(f'"{tag}" names no registry to push to; set IMAGE_TAG=registry.example.org/notebook:1')
    steps = Steps()
    with_ = builder(name)
    applications = ", ".join(application.title for application in folder.applications)
    print(f"{tag} with {applications}, by {with_.name}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch, "pushed")
        wanted = Wanted(tag=tag, base=base, downloads=downloads, push=push, told=told)
        for command in with_.commands(wanted, ROOT / FOLDER):
            with steps.step(" ".join(command[:3])):
                run(command)
        pushed_only = push and isinstance(with_, Docker)
        size = "" if pushed_only else f", {_shown(output(with_.size(tag)).strip())}"
        print(f"{tag}{size}{', pushed' if push else ''}; {steps.elapsed:.0f} s")
        if push:
            print(_for_stacks(tag, with_.digest(told.read_text()) if told.exists() else ""))


def _shown(size: str) -> str:
    """A size as a builder prints it: in bytes, or for people already."""
    return shown_bytes(int(size)) if size.isdigit() else size


def _for_stacks(tag: str, digest: str) -> str:
    """What a stack file says of the pushed image.

    Raises:
        OperationError: the builder has not said what it pushed.
    """
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise OperationError(
            f"{tag} was pushed, but the builder has not told its digest; "
            f'ask the registry: skopeo inspect --format "{{{{.Digest}}}}" docker://{tag}'
        )
    return (
        "\nA stack that runs exactly this image, such as prod, says so in its file:\n\n"
        "  elab:notebook_image:\n"
        "    kind: ready\n"
        f"    image: {tag}@{digest}\n"
        f"    applications: {FOLDER}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Errors are one message, never a traceback."""
    parser = argparse.ArgumentParser(prog="python -m operate.image", description=__doc__)
    parser.add_argument("--tag", default="", help="the image's name; none: elab-notebook and a hash of its content")
    parser.add_argument("--base", default="", help="another base image")
    parser.add_argument("--downloads", default="", help=f"a file in {FOLDER}/ that says where releases come from")
    parser.add_argument("--push", default="", choices=("", "0", "1"), help="1: push it")
    names = [one.name for one in BUILDERS]
    parser.add_argument("--builder", default="", choices=("", *names), help="what builds; none: the first that works")
    args = parser.parse_args(argv)
    try:
        build(args.tag or None, args.base or None, args.downloads or None, args.builder or None, push=args.push == "1")
    except OperationError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
