"""Checks the JSON of records of which nobody says what fields they have."""

from __future__ import annotations

import json

import msgspec

from lading.messages import Message
from lading.model.hidden import WITHHELD
from lading.report import Problem
from lading.values.json_text import on_own_stack, parse_json

#: Numbers stay as they are written: JSON columns and others write the same one differently.
_as_written = json.JSONDecoder(
    parse_float=lambda text: msgspec.Raw(text.encode()),
    parse_int=lambda text: msgspec.Raw(text.encode()),
).decode


class OpenDecoder:
    """Reads records that a schema's own code wrote, without its catalog.

    ``hides`` says that they have hidden fields, so that no problem may quote them.
    """

    def __init__(self, file: str, *, hides: bool = False) -> None:
        self.file = file
        self.hides = hides

    def read(self, lines: list[bytes], first: int) -> tuple[list[Problem], list[int]]:
        """Return what is no valid JSON, and the numbers of what is written otherwise than plainly.

        ``first`` is the number of the block's first record.
        """
        problems: list[Problem] = []
        loose: list[int] = []
        for number, line in enumerate(lines, first):
            try:
                parse_json(line)
                if not _is_plain(line):
                    loose.append(number)
            except ValueError as error:
                text = f"isn't valid JSON: {WITHHELD if self.hides else error}. Correct it"
                problems.append(Problem.of(Message("json-malformed", text), self.file, number))
        return problems, loose


def _is_plain(line: bytes) -> bool:
    """Tell whether valid JSON has no blanks, and no escapes but those that it needs."""
    return on_own_stack(msgspec.json.encode, on_own_stack(_as_written, line.decode())) == line
