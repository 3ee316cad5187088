"""What people's pods and claims are made of, as options of the spawner."""

import os
from typing import Any

from elab_spawner import Server
from elab_values import KubernetesObject, Profile, Spawner, Values
from traitlets.config import Config

ANSWER_INTERVAL = 300
"""Seconds between two reports of activity, JupyterHub's own figure; less where servers are culled sooner."""

EVERY_POD = {"enableServiceLinks": False}
"""What KubeSpawner has no option for."""

PROFILE_LABEL = "elab.dev/profile"
"""Says on a server's pod of which profile it is."""


def configure(c: Config, values: Values) -> None:
    """Say what a server is made of."""
    spawner = values["spawner"]
    c.JupyterHub.spawner_class = Server
    s = c.Server
    s.namespace = spawner["namespace"]
    s.profile_list = profiles(values)
    if not offers_choice(values):
        s.options_form = ""
    # Given as arguments, so the image's entry point runs first; it starts jupyterhub-singleuser, faster.
    s.cmd = spawner["command"]
    s.default_url = spawner["default_url"]
    s.notebook_dir = spawner["home_path"]
    s.environment = environment(values)
    s.image_pull_policy = spawner["image_pull_policy"]
    s.image_pull_secrets = spawner["image_pull_secrets"]
    _claims(s, spawner)
    _pods(s, spawner)
    _patience(s, spawner)


def _claims(s: Config, spawner: Spawner) -> None:
    s.storage_pvc_ensure = True
    s.delete_pvc = False
    s.slug_scheme = spawner["slug_scheme"]
    s.pvc_name_template = spawner["pvc_name_template"]
    s.storage_class = spawner["storage_class"]
    s.storage_capacity = spawner["home_size"]
    s.storage_access_modes = ["ReadWriteOnce"]
    s.storage_extra_labels = spawner["labels"]
    s.volumes = spawner["volumes"]
    s.volume_mounts = spawner["volume_mounts"]


def _pods(s: Config, spawner: Spawner) -> None:
    """Pods that namespaces of the level `restricted` take."""
    s.uid = spawner["uid"]
    s.gid = spawner["gid"]
    s.fs_gid = spawner["gid"]
    s.allow_privilege_escalation = False
    s.automount_service_account_token = False
    s.container_security_context = {"capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
    s.pod_security_context = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        # Otherwise every start walks through the whole disk.
        "fsGroupChangePolicy": "OnRootMismatch",
    }
    s.extra_pod_config = EVERY_POD
    s.extra_labels = spawner["labels"]
    s.extra_annotations = spawner["annotations"]
    s.priority_class_name = spawner["priority_class"]


def _patience(s: Config, spawner: Spawner) -> None:
    s.pod_timeout = spawner["start_timeout"]
    s.answer_timeout = spawner["http_timeout"]
    # The spawner explains its own time-outs; JupyterHub's come after them.
    s.start_timeout = spawner["start_timeout"] + spawner["http_timeout"] + 30
    s.http_timeout = spawner["http_timeout"]
    # A refusal by quota or a wrong choice is no reason to end the hub; the spawner counts what is (HUB_FAULTS).
    s.consecutive_failure_limit = 0
    # Time for a server to end its kernels and for RStudio to save its session.
    s.delete_grace_period = 10


def answer_interval(values: Values) -> int:
    """Seconds between two reports of a server's activity: several, before it would be culled."""
    return max(1, min(ANSWER_INTERVAL, values["culling"]["timeout"] // 4))


def environment(values: Values) -> dict[str, str]:
    """The environment of every server; braces doubled, since KubeSpawner fills templates in."""
    culling = values["culling"]
    ours = {
        "JUPYTERHUB_ACTIVITY_INTERVAL": str(answer_interval(values)),
        "JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS": ";".join(values["hub"]["trusted_proxies"]),
        "ELAB_KERNEL_TIMEOUT": str(culling["kernel_timeout"]),
        "ELAB_MAX_AGE": str(culling["max_age"]),
        "ELAB_WARNING": str(culling["warning"]),
    }
    return {
        name: text.replace("{", "{{").replace("}", "}}")
        for name, text in {**ours, **values["spawner"]["environment"]}.items()
    }


def offers_choice(values: Values) -> bool:
    """Whether people choose at all; KubeSpawner's own form is for those who do."""
    return len(values["profiles"]) > 1 or len(values["profiles"][0]["images"]) > 1


def profiles(values: Values) -> list[dict[str, Any]]:
    """KubeSpawner's profiles: each a size, some with a choice of images."""
    return [_profile(profile, values) for profile in values["profiles"]]


def _profile(profile: Profile, values: Values) -> dict[str, Any]:
    gpus: KubernetesObject = {"nvidia.com/gpu": str(profile["gpus"])} if profile["gpus"] else {}
    spread: KubernetesObject = {"topologySpreadConstraints": profile["spread"]} if profile["spread"] else {}
    made: dict[str, Any] = {
        "slug": profile["name"],
        "display_name": profile["title"],
        "description": profile["description"],
        "default": profile["default"],
        "kubespawner_override": {
            "image": image(profile["images"][0], values),
            "cpu_guarantee": profile["cpu_request"],
            "cpu_limit": profile["cpu_limit"],
            "mem_guarantee": profile["memory_request"],
            "mem_limit": profile["memory_limit"],
            "extra_resource_guarantees": gpus,
            "extra_resource_limits": gpus,
            "node_affinity_required": profile["node_selector_terms"],
            "node_affinity_preferred": profile["preferred"],
            "tolerations": profile["tolerations"],
            "scheduler_name": profile["scheduler_name"],
            "extra_pod_config": {**EVERY_POD, **spread},
            # So that metrics can be told apart by the size that people chose.
            "extra_labels": {**values["spawner"]["labels"], PROFILE_LABEL: profile["name"]},
        },
    }
    if len(profile["images"]) > 1:
        made["profile_options"] = {"image": {"display_name": "Software", "choices": _images(profile, values)}}
    return made


def _images(profile: Profile, values: Values) -> dict[str, Any]:
    return {
        key: {
            "display_name": title(key, values),
            "default": key == profile["images"][0],
            "kubespawner_override": {"image": image(key, values)},
        }
        for key in profile["images"]
    }


def image(key: str, values: Values) -> str:
    """The reference behind a key of `images`; `default` is the stack's own, which is known only once it is built."""
    choice = values["images"][key]
    return os.environ["ELAB_NOTEBOOK_IMAGE"] if choice is None else choice["image"]


def title(key: str, values: Values) -> str:
    """What people read in the list of images."""
    choice = values["images"][key]
    return "Standard" if choice is None else choice["title"]
