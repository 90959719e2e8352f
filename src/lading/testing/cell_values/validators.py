"""What marshmallow's validators ask of a value, as far as it can be known beforehand.

Bounds, lengths, choices and patterns steer what is drawn; whatever else a validator asks is
found out by asking it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy
from marshmallow import validate

from lading.locking.constraints import validators_of

_FLAGS = re.compile(r"\A(?:\(\?[aimsux]+\))+")
#: The characters of texts that match a pattern and please every engine.
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
#: All that UTF-8 has; Hypothesis' own alphabet takes it a second to look up.
ANY = st.characters(exclude_categories=["Cs"])


@dataclass
class Demands:
    """What a field's validators ask, joined.

    ``choices`` are all the values that there are, ``parts`` those of a list's items (each
    ``None`` where any will do); ``least`` and ``most`` may themselves be refused.
    """

    least: Any = None
    most: Any = None
    shortest: int = 0
    longest: int | None = None
    choices: list[Any] | None = None
    parts: list[Any] | None = None
    patterns: list[re.Pattern[str]] = field(default_factory=list)

    def take(self, validator: Any) -> None:
        """Add what one validator asks."""
        for kind, read in _READERS:
            if isinstance(validator, kind):
                read(self, validator)
                return

    def within(self, least: Any, most: Any) -> None:
        """Narrow the bounds; ``None`` is none."""
        if least is not None:
            self.least = least if self.least is None else max(self.least, least)
        if most is not None:
            self.most = most if self.most is None else min(self.most, most)

    def sized(self, shortest: int | None, longest: int | None) -> None:
        """Narrow the lengths; ``None`` is no limit."""
        self.shortest = max(self.shortest, shortest or 0)
        if longest is not None:
            self.longest = longest if self.longest is None else min(self.longest, longest)

    def chosen(self, choices: Iterable[Any]) -> None:
        """Narrow the values to some."""
        given = list(choices)
        self.choices = (
            given if self.choices is None else [item for item in self.choices if item in given]
        )


def _read_length(demands: Demands, validator: validate.Length) -> None:
    equal = validator.equal
    demands.sized(
        validator.min if equal is None else equal, validator.max if equal is None else equal
    )


def _read_parts(demands: Demands, validator: validate.ContainsOnly) -> None:
    demands.parts = list(validator.choices)


# The first match counts, so a subclass stands before its base.
_READERS: list[tuple[type, Callable[[Demands, Any], None]]] = [
    (validate.ContainsOnly, _read_parts),
    (validate.OneOf, lambda demands, one: demands.chosen(one.choices)),
    (validate.Equal, lambda demands, one: demands.chosen([one.comparable])),
    (validate.Range, lambda demands, one: demands.within(one.min, one.max)),
    (validate.Length, _read_length),
    (validate.Regexp, lambda demands, one: demands.patterns.append(one.regex)),
]


def demands_of(field: ma.fields.Field[Any] | None) -> Demands:
    """Return what a field's validators ask; nothing without a field."""
    demands = Demands()
    for validator in validators_of(field) if field is not None else ():
        demands.take(validator)
    return demands


def has_validator(field: ma.fields.Field[Any] | None, kind: type) -> bool:
    """Tell whether a field has a validator of a kind."""
    return field is not None and any(isinstance(one, kind) for one in validators_of(field))


def matching(pattern: re.Pattern[str], *, plain: bool) -> SearchStrategy[str]:
    """Return texts that a pattern matches from their start, as ``re.match`` does.

    ``plain`` ones are printable ASCII, where the pattern lets them.
    """
    anchored = _anchored(pattern)
    if plain:
        try:
            made = st.from_regex(anchored, fullmatch=True, alphabet=PRINTABLE)
            made.validate()
            return made
        except InvalidArgument:  # it asks for other characters
            pass
    return st.from_regex(anchored, alphabet=ANY)


def _anchored(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """Return the pattern, bound to a text's start."""
    end = "\n" if pattern.flags & re.VERBOSE else ""  # so that no comment takes the bracket
    body = _FLAGS.sub("", pattern.pattern)  # they may only stand in front, and are known
    return re.compile(rf"\A(?:{body}{end})", pattern.flags)
