"""What MariaDB's columns really are, by its own account.

A model says neither a column's character set nor how many digits of a second it keeps,
and both decide what it can hold.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.real_columns import RealColumns

Row = tuple[Any, ...]
Fetch = Callable[..., list[Row]]

#: Stands in SQL for the condition that a row is about one of some tables.
PLACES = "table_schema IS PLACES"
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
#: What the server calls types that SQLAlchemy names otherwise.
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

_DDL = re.compile(r"((?:national |double )?[a-z]+) ?(?:\(([^()]*)\))?", re.IGNORECASE)
_LABEL = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "0": "\0", "t": "\t", "Z": "\x1a"}


def _unescaped(found: re.Match[str]) -> str:
    return _CONTROLS.get(found[1], found[1])


def parsed_type(ddl: str) -> tuple[str, list[str]]:
    """Split ``NUMERIC(9, 3) UNSIGNED`` into its name and arguments."""
    if ddl[:5].lower() in ("enum(", "set('"):
        return ddl.partition("(")[0].lower(), _LABEL.findall(ddl)
    found = _DDL.match(ddl)
    if found is None:
        return ddl.lower(), []
    return found[1].lower(), [item.strip() for item in (found[2] or "").split(",")]


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
        """Return SQL that gives a text (or number) the column's type, to be compared with it."""
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
        """Return a parameter to compare the column with, so that an index still serves."""
        converts = self.charset not in (None, "utf8mb4")
        return self.cast(mark) if converts or self.type == "decimal" else mark


class Columns(RealColumns[Stored]):
    """Asks ``information_schema``."""

    def __init__(self, fetch: Fetch, mark: str, translate: dict[str | None, str | None]) -> None:
        super().__init__(translate)
        self.fetch = fetch
        self.mark = mark
        #: The session's database, and whether names of tables fold case.
        self.server: tuple[str, bool] | None = None

    def known_as(self, name: str) -> str:
        """MariaDB's names of columns fold case."""
        return name.lower()

    def load(self, tables: Sequence[sa.Table]) -> None:
        """Look up the columns of some tables, in one statement."""
        for table in tables:
            self.tables[self.place(table)] = {}
        for table, row in self.ask(
            "SELECT table_schema, table_name, column_name, data_type, column_type, "
            "character_maximum_length, character_octet_length, numeric_precision, numeric_scale, "
            "datetime_precision, character_set_name, collation_name, extra "
            f"FROM information_schema.columns WHERE {PLACES}",
            tables,
        ):
            stored = Stored(*row)
            self.tables[self.place(table)][self.known_as(stored.name)] = stored

    def ask(self, sql: str, tables: Sequence[sa.Table]) -> Iterator[tuple[sa.Table, Row]]:
        """Ask a catalog table about some tables, in one statement; yield what it says of each.

        ``sql`` selects the schema and the table first, and says ``PLACES`` where it asks for them.
        In the catalog tables their names fold case, so tables that differ in it alone are
        asked for one after the other.
        """
        by_place: dict[tuple[str, str], list[sa.Table]] = defaultdict(list)
        for table in tables:  # two may be one table, with its schema and without
            by_place[self.real(*self.place(table))].append(table)
        parts: dict[int, list[tuple[str, str]]] = defaultdict(list)
        times: Counter[tuple[str, str]] = Counter()
        for schema, name in by_place:
            folded = schema.lower(), name.lower()
            parts[times[folded]].append((schema, name))
            times[folded] += 1
        for places in parts.values():
            group = f"({self.mark}, {self.mark})"
            condition = f"(table_schema, table_name) IN ({','.join([group] * len(places))})"
            values = tuple(name for place in places for name in place)
            for schema, name, *row in self.fetch(sql.replace(PLACES, condition), values):
                for table in by_place.get(self.real(schema, name), ()):
                    yield table, tuple(row)

    def real(self, schema: str | None, table: str) -> tuple[str, str]:
        """Return the schema and name that tell a table from all others.

        Whether they fold case is a setting of the server's.
        """
        if self.server is None:
            ((current, folds),) = self.fetch("SELECT database(), @@lower_case_table_names")
            self.server = current or "", bool(folds)
        current, folds = self.server
        place = current if schema is None else schema, table
        return (place[0].lower(), place[1].lower()) if folds else place
