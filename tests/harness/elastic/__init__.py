"""A small Elasticsearch and Kibana on loopback: the APIs that elab uses, and what the real ones refuse."""
