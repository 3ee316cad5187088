"""What is wrong with an application, in words that say how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that must be mended; `where` names the file and the field: `apps/rstudio/app.yaml: timeout`."""

    where: str
    found: str
    allowed: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}\n    found:   {self.found}\n    allowed: {self.allowed}\n    fix:     {self.fix}"


class ApplicationsError(Exception):
    """The applications can't be used as they are; `problems` holds every reason, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"the applications have {count} problem{'s' if count != 1 else ''}"
        return "\n\n".join([head, *map(str, self.problems)])
