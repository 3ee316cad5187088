"""The logging room: what is written, shipped, kept and shown."""
