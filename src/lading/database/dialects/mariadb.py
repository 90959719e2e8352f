"""How MariaDB writes names, values, order and statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row, choice_rank
from lading.database.dialects.mariadb_values import MariaDBCodecs
from lading.errors import TargetError
from lading.messages import Message
from lading.model.rowsets import Column
from lading.values.arrays import LabelSet
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Time
from lading.values.scalars import Bytes, Choice, Number, Text, Uuid

#: Bytes of a sort key that the server compares, in a session of ours: it can't go far beyond
#: with its usual memory for sorts.  A character takes three of them.
LONGEST_KEY = 65_535
KEY_BYTES = 3
NOPAD = "utf8mb4_nopad_bin"
#: The types of days and moments, of which the driver gives those alone that Python has.
MOMENTS = ("date", "datetime", "timestamp")
#: What the server says of a record, beyond what the driver takes for its data or integrity:
#: a CHECK fails, a trigger signals, a value is missing or no value of its column.
OBJECTIONS = {4025, 1364, 1644, 1292, 1366, 1264, 1265, 1406}


class MariaDB(Dialect):
    """MariaDB: padding collations, TIMESTAMPs, columns that update themselves."""

    codecs_class = MariaDBCodecs
    url = "mariadb+pymysql://..."
    codecs: MariaDBCodecs
    folds_case = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.codecs.is_in_utc = self.facts.is_in_utc
        if not getattr(self.sqlalchemy, "is_mariadb", False):
            raise TargetError(
                Message("engine-unsupported", "the server is MySQL, which isn't supported yet"),
                "Use MariaDB, 10.6 or newer.",
            )
        if self.sqlalchemy.driver != "pymysql":
            raise TargetError(
                Message(
                    "engine-unsupported",
                    f"the driver {self.sqlalchemy.driver!r} isn't supported on MariaDB yet",
                ),
                "Use PyMySQL: mariadb+pymysql://.",
            )

    # Values and order

    def selected(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """Decimals, dates and UUIDs come as text; a FLOAT's own text has six digits only."""
        if self.columns(column).type == "bit":  # which comes as bytes
            return sa.type_coerce(column, sa.BigInteger()) + sa.literal_column("0")
        if self.columns(column).type == "float":
            return sa.type_coerce(column, sa.Double()) + sa.literal_column("0e0", sa.Double())
        if isinstance(kind, LabelSet):
            return sa.type_coerce(column, sa.String())  # which SQLAlchemy may ask as a number
        is_text = isinstance(kind, Number | Date | Time | DateTime | Uuid)
        is_day = isinstance(kind, Text) and self.columns(column).type in MOMENTS
        if is_day or (is_text and self.codecs.is_usual(column, kind)):
            return sa.cast(column, sa.CHAR())
        return column

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        is_usual = self.codecs.is_usual(column, kind) and self.codecs.misfit(column) is None
        if not is_usual or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(_by_code_point(column), self.codecs.stored(column, kind))  # type: ignore[arg-type]
        if isinstance(kind, Uuid):
            return _by_code_point(sa.cast(column, sa.CHAR(36)))
        if not isinstance(kind, Text):
            return column
        stored = self.columns(column)
        too_long = KEY_BYTES * (stored.characters or LONGEST_KEY) > LONGEST_KEY
        if too_long or stored.type == "char" or self.codecs.is_padded(column, kind):
            return None
        return column if stored.by_code_point else _by_code_point(column)

    # Statements

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        """An IN of rows as of single values, which the settings keep from becoming a join.

        Rows may match by a column's collation alone; callers that need exact matches compare them
        again.
        """
        marks = [self.columns(column).parameter(self.mark) for column in columns]
        group, left_side = ",".join(marks), ",".join(names)
        if len(names) > 1:
            group, left_side = f"({group})", f"({left_side})"
        values = [value for row in rows for value in row]
        return f"WHERE {left_side} IN ({','.join([group] * len(rows))})", values

    def _rows_as_table(self, width: int, count: int) -> str:
        """Return rows of parameters as a table of its own, named ``given``."""
        names = ", ".join(f"c{place}" for place in range(width))
        group = f"({','.join([self.mark] * width)})"
        values = ",".join([group] * count)
        return f"(WITH given({names}) AS (VALUES {values}) SELECT * FROM given) AS given"

    def _match(self, columns: Sequence[Column], names: Sequence[str]) -> str:
        """Return the condition that columns hold exactly the values of ``given``."""
        tests = []
        for place, (column, name) in enumerate(zip(columns, names, strict=True)):
            stored, parameter = self.columns(column), f"given.c{place}"
            tests.append(f"{name} = {stored.cast(parameter)}")
            if stored.charset is not None and not stored.by_code_point:
                exact = f"CONVERT({{}} USING utf8mb4) COLLATE {NOPAD}"
                tests.append(f"{exact.format(name)} = {exact.format(parameter)}")
        return " AND ".join(tests)

    def tells_apart(self, column: Column) -> bool:
        """Most collations ignore case, accents and trailing blanks."""
        stored = self.columns(column)
        return stored.charset is None or stored.by_code_point

    def same(self, near: Column, far: Column) -> sa.ColumnElement[bool]:
        """A foreign key may differ from its target in case, accents and trailing blanks."""
        if self.tells_apart(near):
            return near == far
        return sa.and_(near == far, _by_code_point(near) == _by_code_point(far))

    def update_of(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], count: int
    ) -> str:
        """Return the UPDATE that sets columns of several rows, and none that updates itself.

        Args:
            table: the table to update.
            key: the columns that identify a row.
            columns: the columns to set.
            count: how many rows the statement updates.

        Returns:
            SQL whose parameters are, row by row, the key's values and then the new ones.
        """
        target = self.table(table)
        changed = {column.name.lower() for column in columns}
        sets = [
            f"{target}.{self.name(column)} = given.c{place}"
            for place, column in enumerate(columns, len(key))
        ]
        for name, stored in self.columns.of(table).items():
            if stored.updates_itself and name not in changed:
                quoted = self.escaped(self.prepare.quote(stored.name))
                sets.append(f"{target}.{quoted} = {target}.{quoted}")
        match = self._match(key, [f"{target}.{self.name(column)}" for column in key])
        width = len(key) + len(columns)
        return (
            f"UPDATE {self._rows_as_table(width, count)} STRAIGHT_JOIN {target} ON {match} "
            f"SET {', '.join(sets)}"
        )

    def numbers(self, count: int) -> sa.FromClause:
        return sa.table(f"seq_1_to_{count}")

    def is_objection(self, error: sa.exc.DBAPIError) -> bool:
        """The driver reports some faults of records as operational errors."""
        code = error.orig.args[0] if error.orig is not None and error.orig.args else None
        return super().is_objection(error) or code in OBJECTIONS


def _by_code_point(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a text as MariaDB compares it by code point, without padding."""
    using = sa.type_coerce(text, sa.String()).op("USING")(sa.literal_column("utf8mb4"))
    return sa.collate(sa.func.convert(using, type_=sa.String()), NOPAD)
