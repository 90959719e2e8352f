"""Writes packages that declare a database: models, schemas, and later what is new."""
