"""The platform on a real cluster, brought up by the real engine, as people and operators meet it."""
