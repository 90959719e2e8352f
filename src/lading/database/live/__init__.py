"""One open database each: what runs over a connection, for every engine."""
