"""A registry of one's own: the script that fills it with a stack's images, and the setting that takes them from it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import yaml

from settings import Settings
from stackfile.problems import Problem, StackError
from stackfile.references import Image

from .images import StackImage

_HEAD = Path(__file__).parent / "files" / "mirror.sh"


def prefixes(found: Sequence[StackImage], registry: str) -> dict[str, str]:
    """The setting `images.mirrors` by which every image comes from a registry: one entry for each registry of today.

    A port becomes part of the name: no repository's path holds a colon."""
    hosts = {str(Image(one.source)).partition("/")[0] for one in found if one.source}
    others = sorted(host for host in hosts if registry.partition("/")[0] != host)
    return {host: f"{registry}/{host.replace(':', '-')}" for host in others}


def script(found: Sequence[StackImage], settings: Settings, registry: str) -> str:
    """A shell script that copies every image by digest, and the setting for afterwards.

    Raises StackError where the registry's name is none, or an image is named without its registry.
    """
    if not Image.takes_below(registry):
        raise StackError(
            [
                Problem(
                    where="--mirror",
                    found=f'"{registry}"',
                    allowed="a registry's host, and a prefix of repositories if need be, in lower case",
                    fix="write it as registry.example.org or registry.example.org/mirror",
                )
            ],
            of="the option --mirror",
        )
    mirrors = prefixes(found, registry)
    target = settings.images.model_copy(update={"mirrors": mirrors})
    lines = [_HEAD.read_text(encoding="utf-8")]
    for one in found:
        if one.source is None:
            lines.append(f"# {one.shown}: built and pushed by the stack; its repository is a setting")
            continue
        origin = Image(one.source)
        to = target.reference(origin).partition("@")[0]
        if to == str(origin).partition("@")[0]:
            lines.append(f"# {origin}: in this registry already")
            continue
        by = f"{origin.repository}@{one.digest}" if one.digest else str(origin)
        lines.append(f"copy {shlex.quote(by)} {shlex.quote(to if origin.tag else f'{to}:{_tag(one.digest)}')}")
    lines += ["finish", "", "# Then, in the stack's file, so that every reference is rewritten:"]
    setting = yaml.safe_dump({"elab:images": {"mirrors": mirrors}}, sort_keys=True).splitlines()
    return "\n".join([*lines, *(f"#   {line}" for line in setting)])


def _tag(digest: str) -> str:
    """A tag for what is named by digest alone: registries take what has no tag for rubbish, and delete it."""
    return f"by-digest-{digest.partition(':')[2][:12]}"
