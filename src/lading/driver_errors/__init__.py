"""What drivers raise, in errors of lading's: which table, why, and what to do."""
