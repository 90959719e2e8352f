"""Databases to throw away: in memory, of a factory, and on a server."""
