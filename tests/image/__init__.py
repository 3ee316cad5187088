"""The notebook image, built by buildah from its own Dockerfile on the lab's base; needs `lab/lab build`, no cluster."""
