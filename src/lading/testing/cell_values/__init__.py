"""What the cells of one column are drawn from, and which engine holds them."""
