"""Strategies and the simulation against the real kube-scheduler, over nodes that are only objects."""
