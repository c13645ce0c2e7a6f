"""The deploy path: build, check, drain, cut over, verify, commit or go back."""
