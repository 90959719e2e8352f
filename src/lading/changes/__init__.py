"""Changes between the versions of a catalog, and how older records pass through them."""
