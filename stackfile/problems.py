"""What is wrong with a stack file, in words that say how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that must be mended before anything is changed.

    ``where`` is a dotted path (``hub.resources.memory.limit``), with the file and line before it where they are known;
    ``found`` shows the value as it stands there, never a secret's.
    """

    where: str
    found: str
    allowed: str
    fix: str

    def below(self, path: str) -> "Problem":
        """The same problem of a section, as its place in the whole file."""
        return replace(self, where=f"{path}.{self.where}")

    def __str__(self) -> str:
        return f"{self.where}\n    found:   {self.found}\n    allowed: {self.allowed}\n    fix:     {self.fix}"


class StackError(Exception):
    """The stack cannot be used as it is configured; ``problems`` holds every reason, not only the first.

    ``of`` says what has them, where that is another file, or an option of the command.
    """

    def __init__(self, problems: Iterable[Problem], of: str = "the stack's configuration") -> None:
        self.problems = tuple(problems)
        self.of = of
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.of} has {count} problem{'s' if count != 1 else ''}; nothing was changed"
        return "\n\n".join([head, *map(str, self.problems)])
