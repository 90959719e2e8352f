"""What follows from the declarations alone: order and shapes.  Pure."""
