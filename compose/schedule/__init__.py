"""Capacity runs by the clock: who calls them, when they give way, and how they went."""
