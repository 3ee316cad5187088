# Unpacks the release beside elab's own start script and settings; people can't change either.
tar --extract --gzip --no-same-owner --strip-components=1 --directory="$ELAB_APP" --file="$ELAB_DOWNLOADS/openrefine.tar.gz"
install -m 0644 refine.ini "$ELAB_APP/refine.ini"
install -m 0755 openrefine "$ELAB_APP/bin/openrefine"
