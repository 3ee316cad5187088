"""The applications of this image, for the Jupyter server. elab's own settings for servers come beside it."""

import sys

sys.path.append("/opt/elab")

from elab_apps.jupyter import configure

configure(get_config())  # noqa: F821  # ty: ignore[unresolved-reference]
