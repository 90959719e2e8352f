"""Moves rows between databases and records."""
