"""Stopping servers that nobody uses."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from elab_servers import answer_interval
from elab_values import Values
from traitlets.config import Config


def configure(c: Config, values: Values) -> None:
    """Run the idle culler beside the hub, once every server had time to report to a hub that has just come back."""
    culling = values["culling"]
    # The hub's Service leads to it only once it is ready, and the culler asks before.
    own_address = f"http://127.0.0.1:{urlsplit(values['hub']['bind_url']).port}/hub/api"
    # Servers report once in an interval, give or take a tenth.
    pause = 2 * answer_interval(values)
    program = Path(__file__).with_name("elab_culler.py")
    command = [sys.executable, str(program), str(pause), f"--url={own_address}"]
    command += [f"--timeout={culling['timeout']}", f"--cull-every={culling['every']}"]
    if culling["max_age"]:
        command += [f"--max-age={culling['max_age']}"]
    culler = {"name": "elab-culler", "command": command, "api_token": os.environ["ELAB_TOKEN_CULLER"]}
    c.JupyterHub.services = [*c.JupyterHub.services, culler]
