"""From rows to records."""
