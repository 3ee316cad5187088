"""What Amazon calls roles, zones and keys, and how large a node's disk is there: text that it refuses only when the
first node is to come."""

from typing import ClassVar

from stackfile.quantities import Bytes
from stackfile.scalars import Scalar


class RoleName(Scalar):
    """The name of an IAM role."""

    allowed: ClassVar[str] = "the role's name alone, not its ARN: 1 to 64 letters, digits and any of + = , . @ _ -"
    example: ClassVar[str] = "KarpenterNodeRole-elab"
    pattern: ClassVar[str | None] = r"^[A-Za-z0-9_+=,.@-]{1,64}$"


class Zone(Scalar):
    """An availability zone, a local zone or one at the edge of a telephone network."""

    allowed: ClassVar[str] = "a zone's name, which is a region's with a letter or more behind it"
    example: ClassVar[str] = "us-east-1a"
    pattern: ClassVar[str | None] = r"^[a-z]+(-[a-z]+)+-[0-9]([a-z]|-[a-z0-9-]+)$"


class KeyArn(Scalar):
    """The ARN of a KMS key or of its alias."""

    allowed: ClassVar[str] = "the whole ARN of a KMS key, or of its alias"
    example: ClassVar[str] = "arn:aws:kms:us-east-1:123456789012:key/7c1b0f5e-3f4b-4d0c-9a49-1f2f6d0f3c11"
    pattern: ClassVar[str | None] = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+$"


class NodeDisk(Bytes):
    """The size of a node's own disk."""

    smallest: ClassVar[str] = "20Gi"
    """What the snapshots of Amazon Linux 2023 and of Bottlerocket's data disk take, which are Karpenter's defaults too
    (`pkg/providers/amifamily`): of less EC2 makes no machine (InvalidBlockDeviceMapping)."""
    largest: ClassVar[str] = "59000Gi"
    """What the definition of EC2NodeClass takes."""
    allowed: ClassVar[str] = f"a size with a unit, from {smallest}, which the image itself takes, to {largest}"
    example: ClassVar[str] = "100Gi"

    @classmethod
    def check(cls, text: str) -> None:
        super().check(text)
        if not cls(cls.smallest).bytes <= cls(text).bytes <= cls(cls.largest).bytes:
            raise ValueError
