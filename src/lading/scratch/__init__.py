"""Temporary files: sorted runs, spools and indexes of keys."""
