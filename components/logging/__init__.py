"""Logs: Elasticsearch, Kibana, and the agents that bring lines to them."""
