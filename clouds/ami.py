"""Amazon's machine images for EKS nodes, by Karpenter's alias: a family and a release."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import ClassVar

from stackfile.problems import Problem
from stackfile.scalars import Scalar

OLD = timedelta(days=90)
"""Amazon builds its images about every week, most of them for fixes of the kernel or of containerd."""


class AmiAlias(Scalar):
    """A release of Amazon Linux 2023 or Bottlerocket for EKS."""

    allowed: ClassVar[str] = (
        "al2023@v and the day of a release, or bottlerocket@v and its version; never latest, by which nodes would "
        "change whenever Amazon releases"
    )
    example: ClassVar[str] = "al2023@v20260917"
    pattern: ClassVar[str | None] = r"^(al2023@v[0-9]{8}|bottlerocket@v[0-9]+\.[0-9]+\.[0-9]+)$"
    found_by: ClassVar[str | None] = (
        'the newest that `aws ssm get-parameters-by-path --recursive --path "/aws/service/eks/optimized-ami/<the '
        "cluster's version>/amazon-linux-2023/x86_64/standard/\" --query 'Parameters[].Name'` lists"
    )

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if text.startswith("al2023"):
            datetime.strptime(text.rpartition("v")[2], "%Y%m%d")

    @property
    def released(self) -> date | None:
        """The day of the release; None where the alias does not tell it, as Bottlerocket's."""
        if not self.startswith("al2023"):
            return None
        return datetime.strptime(self.rpartition("v")[2], "%Y%m%d").date()


def outdated(where: str, alias: AmiAlias, today: date) -> Iterator[Problem]:
    """An image so old that fixes which everybody knows of are missing from it."""
    released = alias.released
    if released is not None and today - released > OLD:
        yield Problem(
            where=where,
            found=f"{alias}, {(today - released).days} days old",
            allowed=f"an image of the last {OLD.days} days: nodes start from it, with the holes that were closed since",
            fix=f"set it to {AmiAlias.found_by}; nodes then change one by one, when nobody is on them",
        )
