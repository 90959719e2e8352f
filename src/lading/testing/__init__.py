"""A kit for an application's own tests: drawn data goes round, and nothing of it is lost."""
