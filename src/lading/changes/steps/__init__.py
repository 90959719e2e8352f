"""The steps that a change consists of, one family a module."""
