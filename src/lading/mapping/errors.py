"""The error of a rule that finds no answer in a declaration, or several answers."""

from __future__ import annotations


class AmbiguousDeclaration(Exception):
    """A rule has no answer, or several; the text says which and what to write.

    ``name`` is the field that the rule looked for and didn't find, if any.
    """

    def __init__(self, text: str, name: str | None = None) -> None:
        super().__init__(text)
        self.name = name
