#!/bin/bash
# The entry point: whoever runs it becomes somebody with a name and a home, then the command replaces it.
set -euo pipefail

if ! whoami >/dev/null 2>&1; then
    if [[ -w /etc/passwd ]]; then
        # A cluster that assigns user numbers (OpenShift) has group 0 write here. In place: its folder is root's.
        others=$(grep -v "^${NB_USER}:" /etc/passwd)
        printf '%s\n%s:x:%d:%d::%s:/bin/bash\n' "$others" "$NB_USER" "$(id -u)" "$(id -g)" "$HOME" > /etc/passwd
    else
        echo "start.sh: user $(id -u) has no name: /etc/passwd can be written by group 0 only" >&2
    fi
fi
[[ -w $HOME ]] || echo "start.sh: user $(id -u) may not write to $HOME; add group $NB_GID" >&2

for hook in /usr/local/bin/start-notebook.d/*.sh /usr/local/bin/before-notebook.d/*.sh; do
    if [[ -r $hook ]]; then
        set +eu
        # shellcheck source=/dev/null
        source "$hook"
        set -eu
    fi
done

exec "${@:-bash}"
