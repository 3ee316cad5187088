"""A stack's own piece of hub configuration, for tests."""

c.JupyterHub.template_vars = {"institution": "an institution"}  # noqa: F821  # ty: ignore[unresolved-reference]
