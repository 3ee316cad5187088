# Starts JupyterHub by its own interpreter and with what elab_start.py spares it; "$@" are its arguments.
program=$(command -v jupyterhub) || { echo "this image has no jupyterhub" >&2; exit 127; }
read -r first < "$program"
case $first in
    # Unquoted, since the line may be "#!/usr/bin/env python3".
    '#!'*python*) exec ${first#??} "${0%/*}/elab_start.py" "$program" "$@" ;;
    *) exec "$program" "$@" ;;
esac
