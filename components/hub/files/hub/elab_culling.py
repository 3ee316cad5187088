"""Stopping servers that nobody uses."""

import os
import sys

from elab_values import Values
from traitlets.config import Config


def configure(c: Config, values: Values) -> None:
    """Run the idle culler beside the hub."""
    culling = values["culling"]
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={culling['timeout']}"]
    command += [f"--cull-every={culling['every']}"]
    if culling["max_age"]:
        command += [f"--max-age={culling['max_age']}"]
    culler = {"name": "elab-culler", "command": command, "api_token": os.environ["ELAB_TOKEN_CULLER"]}
    c.JupyterHub.services = [*c.JupyterHub.services, culler]
