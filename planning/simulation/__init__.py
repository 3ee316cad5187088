"""A day of people coming and going, simulated: nodes, waiting times and what it costs."""
