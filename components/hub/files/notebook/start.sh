# Starts jupyterhub-singleuser, by its own interpreter and with what elab_start.py spares it; "$@" are its arguments.
# The image's entry point has run before: this is only its command.
program=$(command -v jupyterhub-singleuser) || { echo "this image has no jupyterhub-singleuser" >&2; exit 127; }
read -r first < "$program"
case $first in
    '#!'*python*)
        # Unquoted, since the line may be "#!/usr/bin/env python3". -s: what a person installs on their disk is for kernels
        # and terminals; it must not keep the server from starting, since nobody could mend that.
        exec ${first#??} -s "${0%/*}/elab_start.py" "$program" "$@" ;;
    *)
        exec "$program" "$@" ;;
esac
