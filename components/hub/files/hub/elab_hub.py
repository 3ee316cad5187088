"""JupyterHub itself: addresses, database, limits, pages."""

import os
import re
from ipaddress import ip_network
from pathlib import Path

from elab_values import Values
from jupyterhub import _xsrf_utils
from traitlets.config import Config


def configure(c: Config, values: Values) -> None:
    """Set JupyterHub's own options."""
    hub = values["hub"]
    c.JupyterHub.hub_bind_url = hub["bind_url"]
    c.JupyterHub.hub_connect_url = hub["connect_url"]
    c.JupyterHub.public_url = hub["public_url"]
    database = hub["db_url"] or os.environ["ELAB_DATABASE_URL"]
    # PostgreSQL itself takes two names for its addresses, and clouds show either; SQLAlchemy knows the longer alone.
    c.JupyterHub.db_url = re.sub("^postgres://", "postgresql://", database)
    # One replica that is stopped before the next starts: nobody else writes while the tables change. JupyterHub keeps
    # a copy of an SQLite file first; of a PostgreSQL database the institution has its own.
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.log_level = hub["log_level"]
    # Neither end takes people's servers down with it.
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.concurrent_spawn_limit = hub["concurrent_spawns"]
    c.JupyterHub.active_server_limit = hub["running_servers"] or 0
    c.JupyterHub.allow_named_servers = hub["named_servers"] > 0
    c.JupyterHub.named_server_limit_per_user = hub["named_servers"]
    c.JupyterHub.authenticate_prometheus = True
    c.JupyterHub.template_paths = [str(Path(__file__).parent / "templates")]
    c.JupyterHub.template_vars = {"announcement": hub["announcement"]} if hub["announcement"] else {}
    cookies = {"SameSite": "Lax", "HttpOnly": True, "Secure": hub["public_url"].startswith("https://")}
    c.JupyterHub.tornado_settings = {"cookie_options": cookies}
    _trust(c, hub["trusted_proxies"])


def _trust(c: Config, ranges: list[str]) -> None:
    """See through the proxies in front: who is who does not hang on which of their replicas a request took."""
    networks = [ip_network(text) for text in ranges]
    # Tornado compares whole addresses, so only ranges of one address help it to find the client's.
    c.JupyterHub.trusted_downstream_ips = [str(net.network_address) for net in networks if net.num_addresses == 1]
    # JupyterHub reads JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS when it is imported, which was before this file.
    _xsrf_utils._anonymous_ip_cidrs = networks
