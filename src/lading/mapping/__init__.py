"""From models and schemas to the model of a catalog."""
