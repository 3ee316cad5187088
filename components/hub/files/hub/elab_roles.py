"""Who may do what at the hub's API. Nobody, whatever their role, may open another person's server."""

import os

from elab_values import Values
from traitlets.config import Config

OPERATORS = "elab-operators"
"""The hub's group of those who administer it; membership follows the directory and `hub.admin_users`."""

OPERATOR_SCOPES = (
    "admin-ui",
    "list:users",
    "read:users",
    "servers",
    "read:groups",
    "list:groups",
    "read:hub",
    "read:metrics",
)
"""What the admin page needs. JupyterHub's own admin role would add access:servers, tokens and more roles."""

CULLER_SCOPES = ("list:users", "read:users:activity", "read:servers", "delete:servers")
METRICS_SCOPES = ("read:metrics",)


def configure(c: Config, values: Values) -> None:
    """Give operators and the platform's own services their scopes; everyone else has JupyterHub's role `user`."""
    del values
    c.JupyterHub.admin_access = False
    c.JupyterHub.services = [{"name": "elab-metrics", "api_token": os.environ["ELAB_TOKEN_METRICS"]}]
    c.JupyterHub.load_roles = [
        {"name": "elab-operator", "scopes": list(OPERATOR_SCOPES), "groups": [OPERATORS]},
        {"name": "elab-culler", "scopes": list(CULLER_SCOPES), "services": ["elab-culler"]},
        {"name": "elab-metrics", "scopes": list(METRICS_SCOPES), "services": ["elab-metrics"]},
    ]
