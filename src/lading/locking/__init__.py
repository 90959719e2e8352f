"""Locks: what a release wrote, held against what a catalog declares now."""
