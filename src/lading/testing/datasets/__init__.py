"""Rows for all tables of a catalog: what must be drawn, how, and what they are written as."""
