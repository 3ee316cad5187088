"""A program that needs two providers, a secret, a module of its own, and a name by which tests find what it made."""

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
from labels import LABELS

config = pulumi.Config()
provider = k8s.Provider("lab", kubeconfig=config.require("kubeconfig"), context="lab")
options = pulumi.ResourceOptions(provider=provider)
namespace = k8s.core.v1.Namespace(
    "ns", metadata=k8s.meta.v1.ObjectMetaArgs(name=pulumi.get_stack(), labels=LABELS), opts=options
)
word = random.RandomPassword("word", length=20)
secret = k8s.core.v1.Secret(
    "s",
    metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace.metadata.name),
    string_data={"word": word.result},
    opts=options,
)
settings = k8s.core.v1.ConfigMap(
    "c",
    metadata=k8s.meta.v1.ObjectMetaArgs(name="c", namespace=namespace.metadata.name),
    data={"a": config.get("a") or "1"},
    opts=pulumi.ResourceOptions(provider=provider, protect=config.get_bool("protect")),
)
if config.get_bool("fail"):
    raise ValueError("the program is at fault")
pulumi.export("word", word.result)
pulumi.export("name", settings.metadata.name)
