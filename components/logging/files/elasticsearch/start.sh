#!/bin/sh
# Puts a node's configuration folder together, then becomes the image's own entry point. Arguments: the image's
# folder of settings, the mounted one, the node's own, its disk, then what to run.
set -eu
image=$1 mounted=$2 own=$3 disk=$4
shift 4

# The folder outlives a container that ends: a copy would go through the links of the last start into what is read-only,
# and a keystore that is there asks before it is made anew.
for file in users users_roles roles.yml service_tokens elasticsearch.keystore; do
    rm -f "$own/$file"
done
cp -R "$image/." "$own/"
cp "$mounted/elasticsearch.yml" "$own/elasticsearch.yml"
mkdir -p "$own/jvm.options.d"
cp "$mounted/gc.options" "$own/jvm.options.d/gc.options"
# Links, so that a changed user or token is seen while the node runs.
for file in users users_roles roles.yml service_tokens; do
    ln -sf "security/$file" "$own/$file"
done

# Never `discovery.type: single-node`: such a node refuses every other, and could never become one of three.
echo "discovery.seed_hosts: [$ELAB_SEEDS]" >>"$own/elasticsearch.yml"
# A cluster is founded once, by the first node, and only while its disk is empty; the others wait to be let in. So nodes
# that are added found none beside the one that is there. It names all of them, not itself alone: without its disk it
# needs the votes of more than half, and those who belong to a cluster give none to a node that knows less than they do.
if [ "$POD_NAME" = "${ELAB_PEERS%%,*}" ]; then
    # The mark outlives a founding that was cut short; ready.sh takes it away once there is a cluster.
    if [ ! -e "$disk/store" ]; then
        : >"$disk/founding"
    fi
    if [ -e "$disk/founding" ]; then
        echo "cluster.initial_master_nodes: [$ELAB_PEERS]" >>"$own/elasticsearch.yml"
    fi
fi
mkdir -p "$disk/store"

# Keys of the snapshots' storage, each a file named after its setting.
if [ -d "${ELAB_KEYSTORE_FOLDER:-/nonexistent}" ]; then
    elasticsearch-keystore create
    for key in "$ELAB_KEYSTORE_FOLDER"/*; do
        setting=$(basename "$key")
        case $setting in
            *_file) elasticsearch-keystore add-file "$setting" "$key" ;;
            *) elasticsearch-keystore add --force --stdin "$setting" <"$key" ;;
        esac
    done
fi

# The institution's authorities, for the snapshots' storage. Java has one store of them, so that the image's own are put
# there too; the folder of settings is where every part of Elasticsearch may read it.
if [ -d "${ELAB_AUTHORITIES_FOLDER:-/nonexistent}" ]; then
    jdk=$(dirname "$image")/jdk
    # Not cp: the image's is read-only, and its copy would be.
    cat "$jdk/lib/security/cacerts" >"$own/cacerts"
    for certificate in "$ELAB_AUTHORITIES_FOLDER"/*; do
        # Java's own store is written with this word, and read without one.
        "$jdk/bin/keytool" -importcert -noprompt -alias "elab-$(basename "$certificate")" -file "$certificate" \
            -keystore "$own/cacerts" -storepass changeit
    done
    echo "-Djavax.net.ssl.trustStore=$own/cacerts" >"$own/jvm.options.d/trust.options"
fi

exec "$@"
