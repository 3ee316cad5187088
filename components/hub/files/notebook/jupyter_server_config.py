"""What every person's server is told besides its image's own settings; for docker-stacks of any age (Python 3.8 on)."""

import os
import sys
from pathlib import Path

# The extensions that jupyter_server_config.d enables lie beside this file.
sys.path.insert(0, str(Path(__file__).parent))

c = get_config()  # noqa: F821  # ty: ignore[unresolved-reference]

# The hub ends idle servers; one that ended itself would look like a failure.
c.ServerApp.shutdown_no_activity_timeout = 0
c.ServerApp.terminals_enabled = True

c.LabServerApp.extra_labextensions_path = [str(Path(__file__).parent / "labextensions")]

kernel_timeout = int(os.environ.get("ELAB_KERNEL_TIMEOUT", "0"))
if kernel_timeout:
    c.MappingKernelManager.cull_idle_timeout = kernel_timeout
    c.MappingKernelManager.cull_connected = True
