"""Where a bundle's files lie: a folder or a ZIP file."""
