"""Texts, bytes and UUIDs: plain ones, and those that engines, drivers and formats alter."""

from __future__ import annotations

import string
import uuid
from typing import Any

from lading.samples.supply import Facts, Supply

DIGITS = string.digits + string.ascii_lowercase
#: Plain texts need this many characters beside the column's word.
NUMBER_WIDTH = 7
#: The characters of the fullest text, where a column has room for more.
FULL = 80

#: Texts that some database, driver or format is known to alter, simplest first.
NASTY = (
    "", "a",
    # They fold together under one collation or another, and sort apart under others.
    "A", "\xe4", "\xc4", "a\u0308", "\xe1", "\xe5", "\u212b", "\xdf", "ss", "SS", "\u1e9e",
    "\u017f",
    "s", "i", "I", "\u0130", "\u0131", "K", "\u212a", "k", "\ufb01", "fi", "\xe6", "ae", "\xf1",
    "n\u0303",
    "\u1e9b\u0323", "\u03a3", "\u03c2", "\u03c3", "\u0436", "\u65e5\u672c", "\u30d1",
    "\u30cf\u309a",
    # Blanks and lines
    " ", "a ", " a", "a  ", "a\t", "\t", "a\n", "\n", "two\r\nlines\r", "a\xa0", "\u3000",
    "\u200b",
    # What looks like another type
    "0", "00", "1e5", "-0", "1.0", "+1", "0x1F", "NaN", "inf", "true", "NULL", "null", "None",
    # Quoting, parameters, SQL, CSV, JSON
    "'", '"', "''", "`", "\\", "\\\\", "\\'", "\\n", "\\N", "\\.", "\\x00", "\\u0000", "%",
    "%%", "%s",
    "%(x)s", ":name", "?", "{}", "{0}", "$1", "$$", "@x", "&amp;", "<b>", "x'; DROP TABLE t; --",
    "/* */", "a OR 1=1", "_", "a,b", '"a";"b"', "=1+1", "a|b", "#", '{"a": 1}',
    '{"$json":null}', "[]",
    "[1,2]", "{1,NULL}", "$json",
    # Controls, marks, what is no character, and what lies beyond the first plane
    "\x01", "\x1f", "\x7f", "\x80", "\x85", "\x1a", "\b", "\f", "\x1b[0m", "\u2028", "\u2029",
    "\ufeff",
    "a\ufeff", "\uffff", "\ufffe", "\ufffd", "\ue000", "\ud7ff", "\ufdd0", "\U0001f35e",
    "\U0010ffff",
    "\U00010000", "\U000e0041", "\U0001d11e", "\U0001f469\u200d\U0001f467",
    "\U0001f1eb\U0001f1f7",
    "a\u0301\u0327", "\u0301", "\u1100\u1161\u11a8", "\uac01", "\u202e", "\u05d0\u202e\u05d1",
    "\u05d0\u05d1", "\u0645\u0631\u062d\u0628\u0627", "\u200fa", "a\u200d", "\u2066x\u2069",
    "\u20ac",
    "\x91", "\xff",
    # PostgreSQL takes no NUL
    "\0", "a\0", "\0a", "a\0b",
)  # fmt: skip
#: What is altered most often: nothing, blanks, cases, marks, and what isn't in the first plane.
WORST = ("", " ", "Aa\u0308 ", "\U0001f35e\n")
ODD_BYTES = (
    b"",
    b"a",
    *(b"\0", b"\0\0", b"a\0", b"a\0b", b" ", b"a ", b"\n", b"\r\n", b"\x1a", b"'", b'"', b"\\"),
    *(b"\xff", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\x80", b"%s", b"\\x00", b"x'00'"),
    *(b"1", b"null", bytes(range(256))),
)


def text_supply(facts: Facts) -> Supply:
    """Return texts within the column's lengths."""
    edges = [fitted(text, facts) for text in NASTY]
    for length in facts.lengths:
        edges += [character * length for character in ("x", "é", "日", "\U0001f35e")]
        edges += ["x" * (length - 1) + last for last in (" ", "\t", "\u0301", "\0")]
    plain, count = _plain_text(facts)
    full = fitted("é" + "x" * FULL, facts)[: facts.room]
    return Supply(
        plain,
        count,
        list(dict.fromkeys(edges)),
        [fitted(text, facts) for text in WORST],
        fitted("", facts),
        full,
    )


def fitted(text: str, facts: Facts) -> str:
    """Cut a text, or lengthen it, to what the column takes."""
    return (text + "x" * (facts.shortest - len(text)))[: facts.longest]


def _plain_text(facts: Facts) -> tuple[Any, int | None]:
    """Return what makes plain texts by number, and how many there are."""
    word = facts.word
    room = facts.room
    if room is None or room >= len(word) + 1 + NUMBER_WIDTH:
        width = max(0, facts.shortest - len(word) - 1)
        return (lambda n: f"{word}-{n + 1:0{width}}"), None
    width = max(1, facts.shortest, min(room, NUMBER_WIDTH))
    count = len(DIGITS) ** width
    return (lambda n: in_digits((facts.seed + n) % count, width)), count


def in_digits(number: int, width: int) -> str:
    """Write a number in digits and letters, so many of them."""
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits


def bytes_supply(facts: Facts) -> Supply:
    """Return bytes within the column's lengths, few of them UTF-8."""
    exact = facts.exact
    shortest = facts.shortest if exact is None else exact
    edges = [(data + b"x" * (shortest - len(data)))[: facts.longest] for data in ODD_BYTES]
    for length in facts.lengths:
        edges += [b"\xff" * length, b"\0" * length, b"x" * (length - 1) + b"\0"]
    text, count = _plain_text(facts)

    def plain(n: int) -> bytes:
        data: bytes = text(n).encode()
        return data if exact is None else data[-exact:].rjust(exact, b"-")

    full = b"\xff" * min(FULL, facts.room or FULL)
    least = b"-" * shortest if exact is not None else b"x" * shortest
    edges = list(dict.fromkeys(edges))
    return Supply(plain, count, edges, edges[:2], least, full)


def uuid_supply(facts: Facts, *, as_text: bool) -> Supply:
    """Return UUIDs, as text for columns that keep them so."""

    def made(value: uuid.UUID) -> Any:
        return str(value) if as_text else value

    def plain(n: int) -> Any:
        return made(uuid.uuid5(uuid.NAMESPACE_OID, f"{facts.name}/{n}"))

    ends = [0, 1, 2**127, 2**128 - 1, 0x0A0B0C0D_0E0F_1011_8213_141516171819]
    edges = [made(uuid.UUID(int=number)) for number in ends]
    return Supply(plain, None, edges, (), edges[0], edges[3])
