"""Runs JupyterHub's idle culler after a pause: `elab_culler.py <seconds> <the culler's arguments>`.

It looks as soon as it starts. When a hub comes back that was away for longer than servers may idle, its database says
of every one that it idled all that time, until they report.
"""

import runpy
import sys
import time

if __name__ == "__main__":
    time.sleep(float(sys.argv.pop(1)))
    runpy.run_module("jupyterhub_idle_culler", run_name="__main__", alter_sys=True)
