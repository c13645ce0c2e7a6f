"""A stand-in for the automaker server: its HTTP API, with synthetic agents behind it."""
