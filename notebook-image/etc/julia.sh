# Gives the environment of the base's packages (the kernel's among them) a name of its own, below the depot that is named.
# Under Julia's version, people's Pkg.add would take it for theirs and write what they added to the image, which keeps
# nothing. JULIA_LOAD_PATH of the image finds it behind their own.
set -euo pipefail

for found in "$1"/environments/v*; do
    if [[ -d $found ]]; then
        mv --no-target-directory "$found" "$1/environments/base"
    fi
done
