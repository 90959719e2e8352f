"""Values as a page's JSON holds them: what JavaScript would alter, and what is long, is marked.

A mark is an object with one of the names below; an object of a record that could be taken for
one, or whose names JavaScript would put into another order, is written as pairs.
"""

from __future__ import annotations

from typing import Any

import msgspec

#: A number as text, a text that is cut with its length, a list that is cut with its length, an
#: object as pairs (with the number of all where it is cut), what nests too deep, an absent field.
NUMBER, TEXT, LIST, PAIRS, DEEP, ABSENT = "$n", "$t", "$l", "$o", "$d", "$a"
#: The greatest integer up to which JavaScript tells all apart.
SAFE_INTEGER = 2**53 - 1
#: How much of a text, of a list or object, and how many levels are shown.
LONGEST_TEXT, MOST_ELEMENTS, DEEPEST = 2_000, 200, 24
#: What ends a script, or a line of one, in some reader of HTML.
_ESCAPES = {
    ord(character): f"\\u{ord(character):04x}"
    for character in "<>&\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"
}


def embedded(value: Any, level: int = 0) -> Any:
    """Return a JSON value as a page holds it."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        is_safe = isinstance(value, int) and abs(value) <= SAFE_INTEGER
        return value if is_safe else {NUMBER: _number(value)}
    if level >= DEEPEST:
        return {DEEP: DEEPEST}
    if isinstance(value, list | tuple):
        elements = [embedded(element, level + 1) for element in value[:MOST_ELEMENTS]]
        return elements if len(value) <= MOST_ELEMENTS else {LIST: elements, "n": len(value)}
    pairs = [(name, embedded(value[name], level + 1)) for name in list(value)[:MOST_ELEMENTS]]
    if len(value) > MOST_ELEMENTS or any(map(_is_special, value)):
        return {PAIRS: pairs, "n": len(value)}
    return dict(pairs)


def _text(value: str) -> Any:
    if len(value) <= LONGEST_TEXT:
        return str(value)
    return {TEXT: str(value[:LONGEST_TEXT]), "n": len(value)}


def _number(value: float) -> str:
    if isinstance(value, float):
        return repr(value)
    # Python refuses to write integers of very many digits.
    return str(value) if value.bit_length() < 10_000 else f"an integer of {value.bit_length()} bits"


def _is_special(name: str) -> bool:
    """Tell whether JavaScript would move or lose a name of an object."""
    return name.startswith("$") or name.isdigit() or name == "__proto__"


def json_block(data: Any) -> str:
    """Return data as JSON that can stand in a script element, whatever texts it holds."""
    return msgspec.json.encode(data, enc_hook=_plain).decode().translate(_ESCAPES)


def _plain(value: Any) -> str:
    """Return the text of a name that is of a class of SQLAlchemy's."""
    if isinstance(value, str):
        return str.__str__(value)
    raise NotImplementedError
