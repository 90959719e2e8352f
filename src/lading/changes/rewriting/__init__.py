"""What steps do to shapes, to records and to the references among them."""
