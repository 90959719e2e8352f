"""Records of versions that are no more: drawn from sealed shapes, and followed to today."""
