"""Images, without a cluster: built by buildah on the lab's base (`lab/lab build`), mirrored between real registries."""
