"""One dataset on its way between databases and bundles, and what must hold of it."""
