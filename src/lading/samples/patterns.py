"""Texts that a regular expression matches, made from its parsed form without chance."""

from __future__ import annotations

import re
import string
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from lading.samples.supply import Supply

_PRINTABLE = [c for c in string.printable if c.isprintable()]
_FAVOURED = string.ascii_lowercase + string.digits + string.ascii_uppercase
#: The most that an open repetition is unrolled to.
MOST = 12
#: How many lengths of texts are made of each number.
LENGTHS = 4


def pattern_supply(pattern: re.Pattern[Any]) -> Supply:
    """Return texts of several lengths that a pattern's parts make; ``None`` where it can't be.

    Whether a text matches is for the caller to try.
    """
    return Supply(lambda n: matching(pattern, n // LENGTHS, more=n % LENGTHS))


def matching(pattern: re.Pattern[Any], n: int, *, more: int = 0) -> str | None:
    """Return the text that a pattern's parts make of a number, or ``None`` where it can't be.

    ``more`` lengthens what may repeat.  Whether the text matches is for the caller to try.
    """
    try:
        parsed = _parser.parse(pattern.pattern, pattern.flags)
        return _Maker(n, more).text(parsed)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class _Maker:
    """Spells a number by the choices that a pattern leaves."""

    def __init__(self, n: int, more: int) -> None:
        self.remaining = n
        self.more = more
        self.groups: dict[int, str] = {}

    def text(self, parsed: Any) -> str:
        return "".join(self._part(op, argument) for op, argument in parsed)

    def _part(self, op: Any, argument: Any) -> str:
        name = str(op)
        if name == "LITERAL":
            return chr(argument)
        if name in ("NOT_LITERAL", "IN", "ANY", "CATEGORY"):
            return self._choose(self._characters(name, argument))
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            count = min(int(most), max(int(least), 1 if most else 0) + self.more)
            if most is _constants.MAXREPEAT:
                count = min(int(least) + 2 + self.more, max(MOST, int(least)))
            return "".join(self.text(inner) for _ in range(count))
        if name == "SUBPATTERN":
            text = self.text(argument[-1])
            self.groups[argument[0]] = text
            return text
        if name == "ATOMIC_GROUP":
            return self.text(argument)
        if name == "BRANCH":
            branches = argument[1]
            self.remaining, place = divmod(self.remaining, len(branches))
            return self.text(branches[place])
        if name == "GROUPREF":
            return self.groups[argument]
        return ""  # anchors, and what only looks ahead

    def _choose(self, characters: list[str]) -> str:
        self.remaining, place = divmod(self.remaining, len(characters))
        return characters[place]

    def _characters(self, name: str, argument: Any) -> list[str]:
        """List the characters that may stand at a place, the favoured ones first."""
        if name == "ANY":
            return list(_FAVOURED)
        if name == "NOT_LITERAL":
            return [c for c in _FAVOURED if ord(c) != argument]
        negated = str(argument[0][0]) == "NEGATE"
        items = argument[1:] if negated else argument
        characters = [
            c for c in _PRINTABLE if any(self._holds(element, c) for element in items) != negated
        ]
        by_preference = sorted(characters, key=lambda c: (c not in _FAVOURED, _FAVOURED.find(c), c))
        if not by_preference:
            raise ValueError(argument)
        return by_preference

    def _holds(self, element: Any, character: str) -> bool:
        name, argument = str(element[0]), element[1]
        code = ord(character)
        if name == "LITERAL":
            return bool(code == argument)
        if name == "RANGE":
            return bool(argument[0] <= code <= argument[1])
        return _in_category(str(argument), character)


def _in_category(name: str, character: str) -> bool:
    """Tell whether a character is of a class such as a digit."""
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    letter = letter.upper() if "NOT" in name else letter
    return re.fullmatch(rf"\{letter}", character) is not None
