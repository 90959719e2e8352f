"""What the target and the source database are, hold and accept."""
