"""What tells the cloud's autoscaler of the pools, where objects of the cluster tell it."""

from dataclasses import dataclass

import pulumi

from clouds.scaling import ScalingObject
from components.custom import CustomObject
from components.kit import Labels, metadata


@dataclass(frozen=True, kw_only=True)
class AutoscalingArgs:
    """What autoscaling is made of."""

    instance: str
    objects: tuple[ScalingObject, ...]


class Autoscaling(pulumi.ComponentResource):
    """The autoscaler's objects, none where it is configured outside the cluster or there is none.

    Where the autoscaler's CRDs are absent, `up` fails at these objects, naming the kind; nothing else depends on them,
    so the platform itself runs all the same, on the nodes that are there.
    """

    def __init__(self, name: str, args: AutoscalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:autoscaling:Autoscaling", name, None, opts)
        labels = Labels(instance=args.instance, room="autoscaling", component="autoscaling")
        for one in args.objects:
            CustomObject(
                f"{name}-{one.kind}-{one.name}".lower(),
                api_version=one.api_version,
                kind=one.kind,
                metadata=metadata(one.name, labels, one.namespace),
                fields={"spec": one.spec()},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
