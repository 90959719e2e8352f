"""Databases that change: what is done to them, and what becomes of each import."""
