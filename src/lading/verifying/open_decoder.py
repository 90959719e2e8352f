"""Checks the JSON of records of which nobody says what fields they have."""

from __future__ import annotations

import msgspec

from lading.report import Problem
from lading.values.json_text import on_own_stack, parse_json


class OpenDecoder:
    """Reads records that a schema's own code wrote, without its catalog."""

    def __init__(self, file: str) -> None:
        self.file = file

    def read(self, lines: list[bytes], first: int) -> tuple[list[Problem], list[int]]:
        """Return what is no valid JSON, and the numbers of what is written otherwise than plainly.

        ``first`` is the number of the block's first record.
        """
        problems: list[Problem] = []
        loose: list[int] = []
        for number, line in enumerate(lines, first):
            try:
                record = parse_json(line)
                if on_own_stack(msgspec.json.encode, record) != line:
                    loose.append(number)
            except (ValueError, OverflowError) as error:
                text = f"isn't valid JSON: {error}"
                problems.append(Problem(self.file, number, None, None, text))
        return problems, loose
