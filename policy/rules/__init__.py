"""All rules, by the thing that they look at."""

from . import cluster, containers, data, hub, pods
from .model import Rule

RULES: tuple[Rule, ...] = (*containers.RULES, *pods.RULES, *cluster.RULES, *data.RULES, *hub.RULES)
"""Every rule; names are unique."""
