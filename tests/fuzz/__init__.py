"""Fuzzing of what is read from files; see ``__main__.py``."""
