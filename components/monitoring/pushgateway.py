"""Pushgateway: keeps what jobs push that are gone before anybody could ask them."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core

from components.kit import DataPolicy, claim, container_security, metadata, requirements
from components.monitoring.pods import Platform, Program, deployment, probe, service
from components.monitoring.settings import PushgatewaySettings
from components.monitoring.starting import claim_volume

PORT = 9091
COMPONENT = "pushgateway"
CLAIM = "pushgateway-data"
_DISK = "/pushgateway"


@dataclass(frozen=True, kw_only=True)
class PushgatewayArgs:
    """What the Pushgateway is made of."""

    platform: Platform
    settings: PushgatewaySettings
    storage_class: str
    data: DataPolicy


def program(args: PushgatewayArgs) -> Program:
    """Its pod. What was pushed is on its disk within a minute, and never expires: an alert tells of what is stale."""
    volume, mount = claim_volume(CLAIM, _DISK)
    container = core.ContainerArgs(
        name=COMPONENT,
        image=args.platform.images.reference(args.settings.image),
        image_pull_policy=args.platform.images.pull_policy,
        args=[f"--persistence.file={_DISK}/pushed", "--persistence.interval=1m"],
        ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
        startup_probe=probe("/-/ready", seconds=2, failures=30),
        readiness_probe=probe("/-/ready"),
        liveness_probe=probe("/-/healthy", failures=6),
        resources=requirements(args.settings.resources),
        security_context=container_security(),
        volume_mounts=[mount],
    )
    return Program(component=COMPONENT, container=container, volumes=[volume])


class Pushgateway(pulumi.ComponentResource):
    """Keeps what short jobs push until it is scraped."""

    def __init__(self, name: str, args: PushgatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:monitoring:Pushgateway", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, labels, namespace = args.platform, args.platform.labels(COMPONENT), args.platform.namespace
        disk = claim(args.settings.volume, args.storage_class, metadata(CLAIM, labels, namespace))
        core.PersistentVolumeClaim(f"{name}-data", disk, args.data.options(self, f"{namespace}/{CLAIM}"))
        core.Service(f"{name}-service", service(platform, COMPONENT, PORT), child)
        apps.Deployment(f"{name}-deployment", deployment(platform, program(args)), child)
        self.register_outputs({})
