"""Entities for models, tables and databases for which nobody declared schemas."""
