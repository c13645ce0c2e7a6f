"""What a server does in a situation, seen from outside: one function a situation."""
