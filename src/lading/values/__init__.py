"""How each type of value is written, read and ordered."""
