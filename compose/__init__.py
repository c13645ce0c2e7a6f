"""What runs on the host and how it gets there."""
