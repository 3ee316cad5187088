"""What the image itself tells the server, as docker-stacks do: who runs it alone reaches it from outside."""

c = get_config()  # noqa: F821  # ty: ignore[unresolved-reference]

c.ServerApp.ip = "0.0.0.0"
c.ServerApp.open_browser = False
