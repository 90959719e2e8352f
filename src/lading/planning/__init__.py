"""What would happen to a database, change by change: kept on disk, shown, written and compared."""
