"""Texts that a regular expression matches, made from its parsed form without chance."""

from __future__ import annotations

import re
import string
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_PRINTABLE = [c for c in string.printable if c.isprintable()]
_FAVOURED = string.ascii_lowercase + string.digits + string.ascii_uppercase
#: The most that an open repetition is unrolled to.
MOST = 12


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
        self.left = n
        self.more = more
        self.groups: dict[int, str] = {}

    def text(self, parsed: Any) -> str:
        return "".join(self._part(op, given) for op, given in parsed)

    def _part(self, op: Any, given: Any) -> str:
        name = str(op)
        if name == "LITERAL":
            return chr(given)
        if name in ("NOT_LITERAL", "IN", "ANY", "CATEGORY"):
            return self._one(self._characters(name, given))
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = given
            count = min(int(most), max(int(least), 1 if most else 0) + self.more)
            if most is _constants.MAXREPEAT:
                count = min(int(least) + 2 + self.more, max(MOST, int(least)))
            return "".join(self.text(inner) for _ in range(count))
        if name == "SUBPATTERN":
            made = self.text(given[-1])
            self.groups[given[0]] = made
            return made
        if name == "ATOMIC_GROUP":
            return self.text(given)
        if name == "BRANCH":
            branches = given[1]
            self.left, place = divmod(self.left, len(branches))
            return self.text(branches[place])
        if name == "GROUPREF":
            return self.groups[given]
        return ""  # anchors, and what only looks ahead

    def _one(self, characters: list[str]) -> str:
        self.left, place = divmod(self.left, len(characters))
        return characters[place]

    def _characters(self, name: str, given: Any) -> list[str]:
        """List the characters that may stand at a place, the favoured ones first."""
        if name == "ANY":
            return list(_FAVOURED)
        if name == "NOT_LITERAL":
            return [c for c in _FAVOURED if ord(c) != given]
        negated = str(given[0][0]) == "NEGATE"
        items = given[1:] if negated else given
        one = [c for c in _PRINTABLE if any(self._holds(item, c) for item in items) != negated]
        found = sorted(one, key=lambda c: (c not in _FAVOURED, _FAVOURED.find(c), c))
        if not found:
            raise ValueError(given)
        return found

    def _holds(self, item: Any, character: str) -> bool:
        name, given = str(item[0]), item[1]
        code = ord(character)
        if name == "LITERAL":
            return bool(code == given)
        if name == "RANGE":
            return bool(given[0] <= code <= given[1])
        return _in_category(str(given), character)


def _in_category(name: str, character: str) -> bool:
    """Tell whether a character is of a class such as a digit."""
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    letter = letter.upper() if "NOT" in name else letter
    return re.fullmatch(rf"\{letter}", character) is not None
