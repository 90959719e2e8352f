"""The deletions of a mirror: which rows go, what goes along, what holds them, and the DELETEs."""
