"""Records as bytes and as structs."""
