"""Databases to throw away, with the tables of a catalog's models."""
