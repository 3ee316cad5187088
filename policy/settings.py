"""A stack's own bounds: the settings that rules compare with."""

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field

from stackfile.problems import Problem
from stackfile.references import Image
from stackfile.section import Section

REGISTRIES = ("cr.fluentbit.io", "docker.io", "docker.elastic.co", "quay.io", "registry.k8s.io")
"""Where the images that elab names come from."""
HOURS_A_MONTH = 730
"""8 760 hours a year in twelve parts, as cloud price lists count."""


class PolicySettings(Section):
    """Bounds that the stack sets itself; the rules are in policy/rules/, exemptions in policy/exemptions.yaml."""

    monthly_cost: Decimal | None = Field(default=None, gt=0)
    """What all pools at their largest may cost a month, in the currency of the pools' prices; none: no ceiling."""
    registries: tuple[str, ...] = Field(default=REGISTRIES, min_length=1)
    """Registries, or prefixes of repositories, that containers may come from, besides mirrors and the stack's own."""
    memory_ratio: Decimal = Field(default=Decimal(4), ge=1)
    """How many times its request a container's memory limit may be: the more, the more a full node kills."""

    def problems(self) -> Iterator[Problem]:
        for index, registry in enumerate(self.registries):
            if not Image.takes_below(registry):
                yield Problem(
                    where=f"registries.{index}",
                    found=f'"{registry}"',
                    allowed="a registry's host, or a prefix of repositories",
                    fix="write it as it stands before an image's name, as quay.io or registry.example.org/elab",
                )
