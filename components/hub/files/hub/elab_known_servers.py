"""How many servers the hub knows, for metrics: a pod beyond these is one that it forgot, and that nobody culls."""

from jupyterhub.app import JupyterHub
from prometheus_client import Gauge

KNOWN = Gauge("elab_known_servers", "Servers that start, run or stop by the hub's own knowledge")


def tell_of(hub: JupyterHub) -> None:
    """Count them whenever somebody asks; JupyterHub's own gauge is too low after a failed start, until the next one."""
    KNOWN.set_function(lambda: hub.users.count_active_users()["active"])
