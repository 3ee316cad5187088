# Runs in a mount namespace of its own, so nothing stays mounted whatever happens. The caller sets LOWER, UPPER, WORK,
# ROOT, CACHE and RECIPE, and gives the environment of the build as arguments NAME=VALUE.
set -eu
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
mount -t tmpfs tmpfs "$ROOT/tmp" && chmod 1777 "$ROOT/tmp"
mkdir -p "$ROOT/run/lab/cache" "$ROOT/run/lab/recipe"
touch "$ROOT/run/lab/ca.crt"
mount --bind /etc/ssl/certs/ca-certificates.crt "$ROOT/run/lab/ca.crt"
mount --bind /etc/resolv.conf "$ROOT/etc/resolv.conf"
mount --bind "$CACHE" "$ROOT/run/lab/cache"
mount --bind "$CACHE/apt" "$ROOT/var/cache/apt/archives"
mount --bind "$CACHE/lists" "$ROOT/var/lib/apt/lists"
mount --bind "$RECIPE" "$ROOT/run/lab/recipe"
exec chroot "$ROOT" /usr/bin/env -i "$@" sh -euc '
  if [ -n "$PACKAGES" ]; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends $PACKAGES
  fi
  if [ -f /run/lab/recipe/install.sh ]; then sh -eu /run/lab/recipe/install.sh; fi
  rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/cache/apt/*.bin
  rm -rf /var/cache/debconf/*-old /var/lib/dpkg/*-old
'
