"""What earlier runs measured, and whether a run is worse than they were."""
