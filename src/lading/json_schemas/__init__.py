"""JSON Schemas of records and files."""
