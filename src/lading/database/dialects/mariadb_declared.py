"""What MariaDB's columns will be by the DDL of a model, for where no server is asked.

An export or import asks the server, since somebody may have altered a column.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect

from lading.database.dialects.mariadb_columns import INTEGERS, SYNONYMS, Stored, parsed_type

#: The character set of databases that say nothing else, and the bytes of a character in each.
USUAL_CHARSET = "utf8mb4"
CHARACTER_BYTES = {"utf8mb4": 4, "utf16": 4, "utf32": 4, "utf8mb3": 3, "utf8": 3, "ucs2": 2}
#: The bytes that a text or blob of each size holds, smallest first.
SIZES = {"tiny": 2**8 - 1, "": 2**16 - 1, "medium": 2**24 - 1, "long": 2**32 - 1}
#: A FLOAT of more bits than this is a DOUBLE.
SINGLE_BITS = 24
DECIMAL_DIGITS = 10

_CHARSET = re.compile(r"(?:character set|collate) ([a-z0-9]+)", re.IGNORECASE)
_COLLATION = re.compile(r"collate (\w+)", re.IGNORECASE)
_SIZED = re.compile(r"(tiny|medium|long|)(text|blob)")


class DeclaredMariaDBColumns:
    """Tells what a column is by its model's DDL, for where no server is asked."""

    def __init__(self, dialect: SQLAlchemyDialect) -> None:
        self.dialect = dialect

    def __call__(self, column: sa.ColumnElement[Any]) -> Stored:
        """Return what a column will be; ``CompileError`` where MariaDB has no such type."""
        compiler = self.dialect.type_compiler_instance
        ddl = compiler.process(column.type, type_expression=column)
        name, arguments = parsed_type(ddl)
        numbers = [int(argument) for argument in arguments if argument.isdigit()]
        charset = _charset_of(column, name, ddl)
        collation = _COLLATION.search(ddl)
        type_ = _type_of(name, numbers, charset)
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
            collation="utf8mb4_bin" if name == "json" else collation and collation[1],
            extra="",
        )


def _charset_of(column: Any, name: str, ddl: str) -> str | None:
    """Return a text column's character set: its own, its table's or the usual one."""
    type_ = SYNONYMS.get(name, name)
    if type_ not in ("char", "varchar", "enum", "set") and not type_.endswith("text"):
        return None
    if name.startswith("national ") or name == "json":
        return USUAL_CHARSET if name == "json" else "utf8mb3"
    options = getattr(getattr(column, "table", None), "kwargs", {}).items()
    clauses = [
        ddl.replace(" ASCII", " character set latin1").replace(" UNICODE", " collate ucs2"),
        *(
            f"{key.partition('_')[2].replace('charset', 'character set')} {value}"
            for key, value in options
            if key.startswith(("mariadb_", "mysql_"))
        ),
    ]
    matches = (_CHARSET.search(clause.replace("default_", "")) for clause in clauses)
    return next((match[1] for match in matches if match), USUAL_CHARSET)


def _type_of(name: str, numbers: list[int], charset: str | None) -> str:
    """Return the type that the server makes of a name: ``TEXT(300)`` may be another text."""
    type_ = SYNONYMS.get(name, name)
    if type_ == "float" and len(numbers) == 1 and numbers[0] > SINGLE_BITS:
        return "double"
    if type_ in ("text", "blob") and numbers:
        wanted = numbers[0] * CHARACTER_BYTES.get(charset or "", 1)
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
    labels = max(map(len, arguments), default=0)
    length = labels if type_ == "enum" else numbers[0] if numbers else 1
    return length, length * CHARACTER_BYTES.get(charset or "", 1)


def _digits(type_: str, numbers: list[int]) -> tuple[int | None, int | None]:
    """Return a number's digits: all of them, and those behind the point."""
    if type_ == "decimal":
        first, second, *_ = [*numbers, 0, 0]
        return first or DECIMAL_DIGITS, second
    if type_ in ("float", "double"):
        return (numbers[0], numbers[1]) if len(numbers) > 1 else (None, None)
    return (0, 0) if type_ in INTEGERS else (None, None)
