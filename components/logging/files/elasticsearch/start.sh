#!/bin/sh
# Puts a node's configuration folder together, then becomes the image's own entry point. Arguments: the image's
# folder of settings, the mounted one, the node's own, its data, then what to run.
set -eu
image=$1 mounted=$2 own=$3 data=$4
shift 4

cp -R "$image/." "$own/"
cp "$mounted/elasticsearch.yml" "$own/elasticsearch.yml"
# Links, so that a changed user or token is seen while the node runs.
for file in users users_roles roles.yml service_tokens; do
    ln -sf "security/$file" "$own/$file"
done

if [ -n "${ELAB_PEERS:-}" ]; then
    echo "discovery.seed_hosts: [$ELAB_SEEDS]" >>"$own/elasticsearch.yml"
    # A cluster is founded once: a node that has data and reads this again could found a second one beside the first.
    if [ ! -e "$data/_state" ] && [ ! -e "$data/nodes" ]; then
        echo "cluster.initial_master_nodes: [$ELAB_PEERS]" >>"$own/elasticsearch.yml"
    fi
else
    echo "discovery.type: single-node" >>"$own/elasticsearch.yml"
fi

# Keys of the snapshots' store, each a file named after its setting.
if [ -d "${ELAB_KEYS:-/nonexistent}" ]; then
    elasticsearch-keystore create
    for key in "$ELAB_KEYS"/*; do
        elasticsearch-keystore add --force --stdin "$(basename "$key")" <"$key"
    done
fi

exec "$@"
