"""How many agents at once a server may be allowed, worked out without running anything."""
