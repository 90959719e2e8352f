"""Servers to test with, each with databases that are lent, emptied and lent again."""
