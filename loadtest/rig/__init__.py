"""What touches Docker and the kernel: the target, the probe, the image, the swarm's process."""
