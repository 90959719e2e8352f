"""What a catalog is made of: plain data that every other folder reads."""
