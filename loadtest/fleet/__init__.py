"""A capacity ramp on several machines at once: one target on each, and one swarm for all."""
