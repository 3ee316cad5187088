"""Keys and values of labels, taints and annotations, in Kubernetes' grammar."""

from typing import ClassVar

from stackfile.references import SUBDOMAIN
from stackfile.scalars import Scalar

_WORD = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
"""What Kubernetes takes as the name part of a label's key, and as its value: 63 characters at most."""


class LabelKey(Scalar):
    """The key of a label or taint."""

    allowed: ClassVar[str] = (
        "1 to 63 letters, digits, hyphens, underscores and dots, a letter or digit at both ends; a DNS name and / may "
        "stand before it"
    )
    example: ClassVar[str] = "elab.dev/pool"
    pattern: ClassVar[str | None] = rf"^({SUBDOMAIN}/)?{_WORD}$"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if len(text.rpartition("/")[0]) > 253:
            raise ValueError

    @property
    def domain(self) -> str:
        """What stands before the slash; empty where there is none."""
        return self.rpartition("/")[0]


class LabelValue(Scalar):
    """The value of a label or taint."""

    allowed: ClassVar[str] = (
        "at most 63 letters, digits, hyphens, underscores and dots, a letter or digit at both ends; may be empty"
    )
    example: ClassVar[str] = "general"
    pattern: ClassVar[str | None] = rf"^({_WORD})?$"


class AnnotationKey(LabelKey):
    """The key of an annotation, which has the form of a label's."""

    example: ClassVar[str] = "nginx.ingress.kubernetes.io/limit-rps"
