#!/bin/sh
# Copies every image of a stack into a registry: all platforms, by digest where it is known, and the digest stays.
# Layers that are there are not copied again, so whatever failed is mended by running this once more.
# Both ends may want a login before: skopeo login <registry>
set -u
trap 'exit 130' INT
trap 'exit 143' TERM
command -v skopeo >/dev/null || { echo "error: skopeo is not installed, and it is what copies; its package has that name" >&2; exit 1; }
failed=""

# copy <from> <to>
copy() {
    echo "==> $1"
    skopeo copy --all --preserve-digests --retry-times 3 "docker://$1" "docker://$2" || failed="$failed
  $1"
}

finish() {
    [ -n "$failed" ] || { echo "every image is in the registry"; exit 0; }
    echo "error: not copied, for the reasons above:$failed" >&2
    echo "The others are in the registry. Run this again for the rest." >&2
    exit 1
}
