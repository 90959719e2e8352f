"""A Hypothesis kit that applications run on their own catalogs."""
