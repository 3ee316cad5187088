"""`make bench`: how fast and how large elab is, beside a bare JupyterHub with everything at its default, in one run."""
