"""What a user writes, and the row sets that follow from it."""
