"""Runs a load: all entities in their order, then what was deferred, updates, and deletions."""
