"""What operators do with a running stack: look at it, stop it, start it, take it down."""
