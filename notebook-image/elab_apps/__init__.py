"""Applications of the notebook image: read, checked, installed, and given to Jupyter.

Runs in three places: on the machine that plans a stack, in the image's build, and in people's servers. So it needs
Python 3.9, PyYAML and jsonschema, which every Jupyter image has, and nothing of elab.
"""
