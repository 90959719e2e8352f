"""The `lading` command: one module a command, on top of the public functions."""
