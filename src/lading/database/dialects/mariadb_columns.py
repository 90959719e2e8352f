"""What MariaDB's columns really are, by its own account.

A model says neither a column's character set nor how many digits of a second it keeps,
and both decide what it can hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
#: Python's codec, the most that a character may be, and the bytes of an ASCII character.
CHARACTER_SETS = {
    "utf8mb4": ("utf-8", 0x10FFFF, 1),
    "utf8mb3": ("utf-8", 0xFFFF, 1),
    "utf8": ("utf-8", 0xFFFF, 1),
    "ucs2": ("utf-16-be", 0xFFFF, 2),
    "utf16": ("utf-16-be", 0x10FFFF, 2),
    "utf16le": ("utf-16-le", 0x10FFFF, 2),
    "utf32": ("utf-32-be", 0x10FFFF, 4),
    "ascii": ("ascii", 0x7F, 1),
    "latin1": ("cp1252", 0x10FFFF, 1),
}
#: What Python's codec leaves out of the five bytes that cp1252 has no character for.
LATIN1_CONTROLS = "\x81\x8d\x8f\x90\x9d"
#: The server's names of types that SQLAlchemy names otherwise.
SYNONYMS = {
    "integer": "int",
    "bool": "tinyint",
    "boolean": "tinyint",
    "numeric": "decimal",
    "dec": "decimal",
    "fixed": "decimal",
    "real": "double",
    "double precision": "double",
    "nchar": "char",
    "nvarchar": "varchar",
    "national char": "char",
    "national varchar": "varchar",
    "json": "longtext",
}

_DDL = re.compile(r"(double precision|(?:national )?[a-z]+) ?(?:\(([^()]*)\))?", re.IGNORECASE)
_LABEL = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "0": "\0", "t": "\t", "Z": "\x1a"}


def _unescaped(escape: re.Match[str]) -> str:
    return _CONTROLS.get(escape[1], escape[1])


def parsed_type(ddl: str) -> tuple[str, list[str]]:
    """Split ``NUMERIC(9, 3) UNSIGNED`` into its name and arguments."""
    if ddl[:5].lower() in ("enum(", "set('"):
        return ddl.partition("(")[0].lower(), _LABEL.findall(ddl)
    match = _DDL.match(ddl)
    if match is None:
        return ddl.lower(), []
    return match[1].lower(), [argument.strip() for argument in (match[2] or "").split(",")]


@dataclass(frozen=True, slots=True)
class Stored:
    """One column as the database keeps it.

    ``type`` is its plain type (``varchar``), ``full`` that with its attributes
    (``int(10) unsigned``); ``length`` counts characters and ``octets`` bytes, ``fraction``
    the digits of a second.  ``charset`` and ``collation`` are of text alone.
    """

    name: str
    type: str
    full: str
    length: int | None
    octets: int | None
    precision: int | None
    scale: int | None
    fraction: int | None
    charset: str | None
    collation: str | None
    extra: str

    @property
    def is_unsigned(self) -> bool:
        """Whether it holds no negative number."""
        return "unsigned" in self.full

    @property
    def counts_up(self) -> bool:
        """Whether it is AUTO_INCREMENT."""
        return "auto_increment" in self.extra.lower()

    @property
    def is_generated(self) -> bool:
        """Whether the database computes it, and takes no values."""
        return "generated" in self.extra.lower()

    @property
    def updates_itself(self) -> bool:
        """Whether an UPDATE that doesn't name it sets it to the current time."""
        return "on update" in self.extra.lower()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of an ENUM or SET, in its order."""
        quoted = _LABEL.findall(self.full.partition("(")[2])
        return tuple(_ESCAPED.sub(_unescaped, label.replace("''", "'")) for label in quoted)

    @property
    def characters(self) -> int | None:
        """The most characters that it holds, or ``None`` where it isn't text."""
        if self.charset is None:
            return None
        return self.length if self.type in ("char", "varchar", "enum") else self.octets

    @property
    def by_code_point(self) -> bool:
        """Whether it compares text by code point, trailing blanks and all, by itself."""
        return self.collation == "utf8mb4_nopad_bin"

    @property
    def range(self) -> tuple[int, int] | None:
        """The least and the highest integer that it holds."""
        if self.type not in INTEGERS:
            return None
        bits = 8 * INTEGERS[self.type]
        return (0, 2**bits - 1) if self.is_unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def cast(self, value: str) -> str:
        """Return SQL that casts a text (or number) to the column's type, to be compared with it."""
        if self.charset is not None:
            return f"CONVERT({value} USING {self.charset}) COLLATE {self.collation}"
        target = {
            "decimal": f"DECIMAL({self.precision},{self.scale})",
            "date": "DATE",
            "time": f"TIME({self.fraction})",
            "datetime": f"DATETIME({self.fraction})",
            "timestamp": f"DATETIME({self.fraction})",
            "uuid": "UUID",
        }.get(self.type)
        return value if target is None else f"CAST({value} AS {target})"

    def parameter(self, mark: str) -> str:
        """Return a parameter to compare the column with, so that an index can be used."""
        converts = self.charset not in (None, "utf8mb4")
        return self.cast(mark) if converts or self.type == "decimal" else mark
