"""What is wrong with a bundle, found without a database."""
