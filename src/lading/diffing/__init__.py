"""Compares two sides of a diff: bundles, documents or databases, record by record."""
