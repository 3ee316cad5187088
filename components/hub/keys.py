"""The hub's keys: made once, kept in the stack's state, one Secret per purpose."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_random import RandomBytes, RandomBytesArgs

from components.hub.places import Place, others, secret_variable
from components.kit import DataPolicy, Labels, fingerprint, metadata, secret_env
from components.namespaces import NamespaceNames

KEY_BYTES = 32
"""256 bits: what JupyterHub's cookie secret and crypt key hold."""


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a key is for: its Secret's name, and the variable by which the hub reads it."""

    object_name: str
    variable: str


PURPOSES = {
    "cookie": Purpose(object_name="hub-cookie-secret", variable="JPY_COOKIE_SECRET"),
    "crypt": Purpose(object_name="hub-crypt-key", variable="JUPYTERHUB_CRYPT_KEY"),
    "culler": Purpose(object_name="hub-token-culler", variable="ELAB_TOKEN_CULLER"),
    "metrics": Purpose(object_name="hub-token-metrics", variable="ELAB_TOKEN_METRICS"),
}
"""Keys that only the hub reads; the proxy's token is the proxy's own Secret."""


def place_purposes(places: tuple[Place, ...]) -> dict[str, Purpose]:
    """The keys by which the hubs of other places speak to this one, by the place's name."""
    return {
        str(place.name): Purpose(object_name=f"hub-place-{place.name}", variable=secret_variable(place))
        for place in others(places)
    }


def environment(places: tuple[Place, ...]) -> list[core.EnvVarArgs]:
    """The keys as the hub's environment."""
    purposes = (*PURPOSES.values(), *place_purposes(places).values())
    return [secret_env(purpose.variable, purpose.object_name, "value") for purpose in purposes]


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """What the keys are made of."""

    names: NamespaceNames
    data: DataPolicy
    places: tuple[Place, ...]


class Keys(pulumi.ComponentResource):
    """Random keys, and a Secret for each purpose."""

    proxy_token: pulumi.Output[str]
    proxy_fingerprint: pulumi.Output[str]
    """Changes with the proxy's token, and tells nothing of it."""
    hub_fingerprint: pulumi.Output[str]
    """Changes with any key that the hub reads."""
    metrics_token: pulumi.Output[str]
    """Of the service that may read metrics and nothing else."""
    place_secrets: Mapping[str, pulumi.Output[str]]
    """By which each other place's hub speaks to this one."""

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:Keys", name, None, opts)
        # A lost crypt key would make people's saved login state unreadable; the others would end every session.
        kept = pulumi.ResourceOptions(parent=self, protect=args.data.protect, retain_on_delete=args.data.protect)
        child = pulumi.ResourceOptions(parent=self)
        labels = Labels(instance=args.names.instance, room="hub", component="hub")
        made: dict[str, pulumi.Output[str]] = {}
        of_places = {f"place-{place}": purpose for place, purpose in place_purposes(args.places).items()}
        for use, purpose in {**PURPOSES, **of_places}.items():
            key = RandomBytes(f"{name}-{use}", RandomBytesArgs(length=KEY_BYTES), kept)
            content = core.SecretInitArgs(
                metadata=metadata(purpose.object_name, labels, args.names.hub), string_data={"value": key.hex}
            )
            core.Secret(f"{name}-{use}-secret", content, child)
            made[use] = key.hex
        self.proxy_token = RandomBytes(f"{name}-proxy", RandomBytesArgs(length=KEY_BYTES), kept).hex
        self._salt = made["cookie"]
        self.metrics_token = made["metrics"]
        self.place_secrets = {use.removeprefix("place-"): made[use] for use in of_places}
        self.proxy_fingerprint = self.fingerprint(self.proxy_token)
        self.hub_fingerprint = self.fingerprint(*made.values(), self.proxy_token)
        self.register_outputs({})

    def fingerprint(self, *values: pulumi.Input[str]) -> pulumi.Output[str]:
        """A public text that changes with these secret ones."""
        return fingerprint(self._salt, *values)
