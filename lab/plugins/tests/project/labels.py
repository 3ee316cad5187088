"""Imported by the program: modules of the project's own must be found, and read anew by each run."""

LABELS = {"made-by": "standins"}
