"""Sample values of every kind of field, made without chance: the same in every run."""
