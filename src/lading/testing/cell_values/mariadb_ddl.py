"""What a column will be in MariaDB, told from its DDL: there is no server to ask yet.

``lading.engine`` asks the server, since somebody may have altered a column.  A dataset is
drawn before there is a database, for one that ``metadata.create_all`` makes.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from lading.database.dialects.mariadb_columns import INTEGERS, SYNONYMS, Stored, parsed_type

#: The character set of databases that say nothing else, and the bytes of a character in each.
USUAL_CHARSET = "utf8mb4"
CHARACTER_BYTES = {
    "utf8mb4": 4,
    "utf16": 4,
    "utf16le": 4,
    "utf32": 4,
    "utf8mb3": 3,
    "utf8": 3,
    "ucs2": 2,
}
#: The bytes that a text or blob of each size holds, smallest first.
SIZES = {"tiny": 2**8 - 1, "": 2**16 - 1, "medium": 2**24 - 1, "long": 2**32 - 1}
#: A FLOAT of more bits than this is a DOUBLE.
SINGLE_BITS = 24
DECIMAL_DIGITS = 10

_CHARSET = re.compile(r"character set (\w+)", re.IGNORECASE)
_COLLATION = re.compile(r"collate (\w+)", re.IGNORECASE)
_SIZED = re.compile(r"(tiny|medium|long|)(text|blob)")


class StoredColumns:
    """Tells what columns will be, as the dialect's ``Columns`` tells what they are.

    ``dialect`` is SQLAlchemy's for MariaDB, connected or not.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def __call__(self, column: sa.ColumnElement[Any]) -> Stored:
        """Return what a column will be; ``CompileError`` where MariaDB has no such type."""
        compiler = self.dialect.type_compiler_instance
        ddl = compiler.process(column.type, type_expression=column)
        name, arguments = parsed_type(ddl)
        numbers = [int(item) for item in arguments if item.isdigit()]
        charset, collation = self._text_of(column, name, ddl)
        type_ = _type_of(name, arguments, charset)
        length, octets = _lengths(type_, arguments, numbers, charset)
        precision, scale = _digits(type_, numbers)
        moment = type_ in ("time", "datetime", "timestamp")
        return Stored(
            name=str(getattr(column, "name", "")),
            type=type_,
            full=ddl.replace("%%", "%") if name in ("enum", "set") else ddl.lower(),
            length=length,
            octets=octets,
            precision=precision,
            scale=scale,
            fraction=(numbers[0] if numbers else 0) if moment else None,
            charset=charset,
            collation=collation,
            extra="",
        )

    def _text_of(
        self, column: sa.ColumnElement[Any], name: str, ddl: str
    ) -> tuple[str | None, str | None]:
        """Return a text column's character set and collation, or ``None`` for what isn't text."""
        type_ = SYNONYMS.get(name, name)
        if type_ not in ("char", "varchar", "enum", "set") and not type_.endswith("text"):
            return None, None
        if name == "json":
            return USUAL_CHARSET, "utf8mb4_bin"
        if name.startswith("national "):
            return "utf8mb3", None
        words = ddl.lower().split()
        collation = _found(_COLLATION, ddl)
        own = _found(_CHARSET, ddl) or _charset_of(collation)
        own = own or ("latin1" if "ascii" in words else "ucs2" if "unicode" in words else None)
        return own or _table_charset(getattr(column, "table", None)) or USUAL_CHARSET, collation


def _type_of(name: str, arguments: list[str], charset: str | None) -> str:
    """Return the type that the server makes of a name: ``TEXT(300)`` may be another text."""
    type_ = SYNONYMS.get(name, name)
    given = int(arguments[0]) if arguments and arguments[0].isdigit() else None
    if type_ == "float" and len(arguments) == 1 and (given or 0) > SINGLE_BITS:
        return "double"
    if type_ in ("text", "blob") and given is not None:
        wanted = given * CHARACTER_BYTES.get(charset or "", 1)
        return next((size for size, most in SIZES.items() if wanted <= most), "long") + type_
    return type_


def _lengths(
    type_: str, arguments: list[str], numbers: list[int], charset: str | None
) -> tuple[int | None, int | None]:
    """Return how many characters and bytes a column of text or bytes holds."""
    sized = _SIZED.fullmatch(type_)
    if sized is not None:
        return SIZES[sized[1]], SIZES[sized[1]]
    if type_ not in ("char", "varchar", "binary", "varbinary", "enum"):
        return None, None
    length = max(map(len, arguments), default=0) if type_ == "enum" else None
    length = length if length is not None else numbers[0] if numbers else 1
    return length, length * CHARACTER_BYTES.get(charset or "", 1)


def _digits(type_: str, numbers: list[int]) -> tuple[int | None, int | None]:
    """Return a number's digits: all of them, and those behind the point."""
    given = [*numbers, None, None]
    if type_ == "decimal":
        return given[0] or DECIMAL_DIGITS, given[1] or 0
    if type_ in ("float", "double"):
        return given[0], given[1]
    return (0, 0) if type_ in INTEGERS else (None, None)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _charset_of(collation: str | None) -> str | None:
    return collation.partition("_")[0] if collation else None


def _table_charset(table: Any) -> str | None:
    """Return the character set that a table's own options name."""
    if not isinstance(table, sa.Table):
        return None
    given = {name.lower(): str(value) for name, value in table.kwargs.items()}
    for prefix in ("mariadb", "mysql"):
        for option in ("charset", "default_charset", "character_set", "default character set"):
            if f"{prefix}_{option}" in given:
                return given[f"{prefix}_{option}"]
        for option in ("collate", "default_collate"):
            if f"{prefix}_{option}" in given:
                return _charset_of(given[f"{prefix}_{option}"])
    return None
