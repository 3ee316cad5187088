"""The hub's configuration, a table of contents: decisions come from the values file, secrets from the environment."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import elab_certificate
import elab_culling
import elab_hub
import elab_places
import elab_proxy
import elab_roles
import elab_servers
from elab_values import load

# JupyterHub's loader gives get_config to this file.
c = get_config()  # noqa: F821  # ty: ignore[unresolved-reference]
values = load()
if values["home"]:
    import elab_home as elab_login
else:
    import elab_login

elab_hub.configure(c, values)
elab_proxy.configure(c, values)
elab_login.configure(c, values)
elab_roles.configure(c, values)
elab_places.configure(c, values)
elab_servers.configure(c, values)
elab_culling.configure(c, values)
elab_certificate.configure(values)

if values["hub"]["extra_config"]:
    # Not load_subconfig, which gives an empty `c` that can't add to what stands above.
    runpy.run_path(values["hub"]["extra_config"], init_globals={"c": c, "get_config": lambda: c})
