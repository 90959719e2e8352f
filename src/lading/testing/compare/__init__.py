"""What databases and bundles hold, and where two of them differ."""
