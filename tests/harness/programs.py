"""Tiny programs for the recorder's tests."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolumeClaim, PersistentVolumeClaimSpecArgs, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs


class Inner(pulumi.ComponentResource):
    """A grandchild's parent: keys, the Secret that carries them and a ConfigMap that names the Secret."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:test:Inner", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        password = pulumi_random.RandomPassword(
            f"{name}-password", length=20, opts=pulumi.ResourceOptions(parent=self, protect=True)
        )
        key = pulumi_random.RandomBytes(
            f"{name}-key", length=32, opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        )
        secret = Secret(
            f"{name}-secret",
            metadata=ObjectMetaArgs(name="keys", namespace="rooms"),
            string_data={"password": password.result, "key": key.hex},
            opts=child,
        )
        ConfigMap(
            f"{name}-config",
            metadata=ObjectMetaArgs(name="config", namespace="rooms"),
            data={"secret": pulumi.Output.concat("see ", secret.metadata.name)},
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=[pulumi.Alias(name="old")],
                custom_timeouts=pulumi.CustomTimeouts(create="5m"),
                ignore_changes=["data"],
            ),
        )
        self.register_outputs({"secret": secret.metadata.name})


class Outer(pulumi.ComponentResource):
    """The grandparent."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:test:Outer", name, None, opts)
        Inner(f"{name}-inner", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def nested() -> None:
    """Two levels of components under an explicit provider, and stack outputs, one of them secret."""
    provider = k8s.Provider("cluster", context="test")
    Outer("outer", pulumi.ResourceOptions(provider=provider))
    pulumi.export("bind", pulumi.Config("elab").get_secret("ldap_bind_password"))
    pulumi.export("plain", "text")


def claim(size: str = "1Gi") -> None:
    """One claim."""
    PersistentVolumeClaim(
        "disk",
        metadata=ObjectMetaArgs(name="disk", namespace="rooms"),
        spec=PersistentVolumeClaimSpecArgs(access_modes=["ReadWriteOnce"], storage_class_name="ceph"),
    )
    pulumi.log.warn(f"{size} is small")
