"""How much a staging server carries: targets, probes, workloads and verdicts."""
