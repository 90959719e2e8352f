"""How an engine writes names, values, order and statements; nothing here needs a connection.

A dialect turns columns into expressions that read raw driver values into written
forms and back, and says how rows are looked up, inserted and updated in bulk.  It gets what it must
know of a server.  Nothing here knows entities.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect

from lading.codegen import Expression
from lading.database.dialects.codecs import Codecs
from lading.database.dialects.real_columns import Place, RealColumns, Tables, Translation, place_in
from lading.errors import TargetError
from lading.messages import Message
from lading.model.computed import Computed
from lading.model.rowsets import Column
from lading.values.base import Kind

Row = tuple[Any, ...]
PLACEHOLDERS = {"qmark": "?", "format": "%s", "pyformat": "%s"}


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a dialect must know of a database or session; by default, what is usual.

    Args:
        is_utf8: whether the database keeps text in UTF-8.
        encodings: the encodings of a PostgreSQL database and its connection, but UTF-8.
        sorts_by_code_point: whether PostgreSQL sorts text so without being asked to.
        is_in_utc: whether the time zone of a MariaDB session is UTC.
        parents: the tables of PostgreSQL that show the rows of others, which inherit from them;
            those in the search path also without their schema.
    """

    is_utf8: bool = True
    encodings: frozenset[str] = frozenset()
    sorts_by_code_point: bool = False
    is_in_utc: bool = True
    parents: frozenset[Place] = frozenset()


class Dialect(Computed, ABC):
    """How one engine writes names, values, order and statements.

    Several threads may share what ``dialect.once`` computes.

    Args:
        sqlalchemy: SQLAlchemy's dialect, of an engine or by itself.
        tables: what the columns of each table really are, where that is known.
        translate: a ``schema_translate_map``.
        facts: what the server says of itself.
        as_read: whether decimals that SQLite keeps with more digits are written as
            SQLAlchemy reads them.
    """

    #: Parameters of one lookup; a chunk with more is split.
    parameters: ClassVar[int] = 30_000
    #: What the URL of a supported engine looks like.
    url: ClassVar[str]
    codecs_class: ClassVar[type[Codecs]]
    #: Whether names of columns that differ in case alone are one name.
    folds_case: ClassVar[bool] = False
    #: Whether a column keeps values of other types than its own.
    keeps_any_type: ClassVar[bool] = False

    def __init__(
        self,
        sqlalchemy: SQLAlchemyDialect,
        tables: Tables,
        *,
        translate: Translation,
        facts: ServerFacts,
        as_read: bool = False,
    ) -> None:
        if sqlalchemy.paramstyle not in PLACEHOLDERS:
            raise TargetError(
                Message(
                    "engine-unsupported",
                    f"the driver {sqlalchemy.driver!r} isn't supported: it binds parameters "
                    f"as {sqlalchemy.paramstyle!r}",
                ),
                f"Use an engine of create_engine({self.url!r}), or of create_async_engine.",
            )
        self.sqlalchemy = sqlalchemy
        self.prepare = sqlalchemy.identifier_preparer
        self.mark = PLACEHOLDERS[sqlalchemy.paramstyle]
        self.translate = translate
        self.facts = facts
        self.columns: RealColumns[Any] = RealColumns(tables, translate, folds_case=self.folds_case)
        self.codecs = self.codecs_class(sqlalchemy, self.columns)
        self.codecs.as_read = as_read

    # Names

    def name(self, column: Column) -> str:
        """Return a column's quoted name, as SQL of this driver."""
        return self.prepare.format_column(column)

    def schema(self, schema: str | None) -> str | None:
        """Return what a schema of the models is called here: a tenant may have one of its own."""
        return self.translate.get(schema, schema)

    def place(self, table: sa.Table) -> Place:
        """Return a table's schema, ``None`` for the session's own, and name."""
        return place_in(self.translate, table)

    def table(self, table: sa.Table) -> str:
        """Return a table's quoted name, with its schema."""
        return self.quoted(table.schema, table.name)

    def own_rows(self, table: sa.Table) -> str:
        """Return what SELECT, UPDATE and DELETE call a table to mean its own rows alone."""
        name = self.table(table)
        return f"ONLY {name}" if self.place(table) in self.facts.parents else name

    def sequence(self, sequence: sa.Sequence) -> str:
        """Return a sequence's quoted name, with its schema."""
        return self.quoted(sequence.schema, sequence.name)

    def quoted(self, schema: str | None, name: str) -> str:
        """Return a quoted name with its schema, which is one of the models."""
        where, quoted = self.schema(schema), self.prepare.quote(name)
        return f"{self.prepare.quote_schema(where)}.{quoted}" if where else quoted

    def table_name(self, table: sa.Table) -> str:
        """Return a table's quoted name as the value of a parameter, and not as part of SQL."""
        return self.table(table).replace("%%", "%") if self.mark == "%s" else self.table(table)

    def qualified(self, columns: Sequence[Column]) -> list[str]:
        """Return the quoted names of columns, each with its table's."""
        return [f"{self.table(column.table)}.{self.name(column)}" for column in columns]

    def escaped(self, text: str) -> str:
        """Double the percent signs of SQL, where the driver takes them for parameters."""
        return text.replace("%", "%%") if self.mark == "%s" else text

    # Values

    def refusal(self, column: Column) -> str | None:
        """Say why a column can't hold its type's values at all, and what to do, or ``None``."""
        return self.codecs.refusal(column.type)

    def selected(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """Return what a SELECT asks for to read a column, such as a cast to text."""
        return self.codecs.selected(column, kind)

    def reader(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a raw value (never null) to its written form."""
        return self.codecs.reader(column, kind)

    def binder(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a canonical written form to what the driver takes."""
        return self.codecs.binder(column, kind)

    def forms(self, kind: Kind, bound: Any) -> Sequence[Any]:
        """Return every form in which a driver value may be stored, for lookups."""
        return (bound,)

    # Order

    @abstractmethod
    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        """Return the expression that sorts by the kind's order, or ``None`` if there is none."""

    # Statements

    def text_of(self, statement: sa.ClauseElement) -> str:
        """Return a statement without parameters as SQL of this driver."""
        translated: Any = self.translate
        options = {"schema_translate_map": translated, "render_schema_translate": True}
        return str(statement.compile(dialect=self.sqlalchemy, **(options if translated else {})))

    @abstractmethod
    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        """Return a SELECT's condition for the rows that hold one of these keys, and its values.

        No key has a null; the condition begins with WHERE, and others may follow it.
        """

    def tells_apart(self, column: Column) -> bool:
        """Tell whether a column's collation takes no two different texts for equal."""
        del column
        return True

    def same(self, near: Column, far: Column) -> sa.ColumnElement[bool]:
        """Return the condition that a foreign key holds exactly the value that it refers to."""
        return near == far

    def insertion(self, table: sa.Table, columns: Sequence[Column]) -> str:
        """Return the INSERT of one row."""
        names, marks = ", ".join(map(self.name, columns)), ", ".join([self.mark] * len(columns))
        return (
            f"INSERT INTO {self.table(table)} ({names}) {self.overriding(columns)}VALUES ({marks})"
        )

    @abstractmethod
    def update_of(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], count: int
    ) -> str:
        """Return the UPDATE that sets columns of several rows, each identified by its key.

        Args:
            table: the table to update.
            key: the columns that identify a row.
            columns: the columns to set.
            count: how many rows the statement updates.

        Returns:
            SQL whose parameters are, row by row, the key's values and then the new ones; an
            engine with arrays takes one for each column instead.
        """

    def overriding(self, columns: Sequence[Column]) -> str:
        """Return the clause by which an INSERT sets columns that the server would fill."""
        return ""

    def counting(self, table: sa.Table, columns: Iterable[Column] = ()) -> str:
        """Return the SELECT of how many rows a table has, and how many have each column set."""
        counts = ["count(*)", *(f"count({self.name(column)})" for column in columns)]
        return f"SELECT {', '.join(counts)} FROM {self.own_rows(table)}"

    @abstractmethod
    def numbers(self, count: int) -> sa.FromClause:
        """Return a table of that many rows."""

    # Defaults

    def expression_of(self, column: Column) -> sa.ColumnElement[Any] | sa.TextClause | None:
        """Return the SQL by which the model fills a column, if it does so by SQL."""
        default: Any = column.default
        if default is None:
            return None
        if default.is_sequence:
            ignored = default.optional and self.sqlalchemy.sequences_optional
            draws = self.sqlalchemy.supports_sequences and not ignored
            return default.next_value() if draws else None
        return scalar(default.arg) if default.is_clause_element else None

    def server_expression_of(self, column: Column) -> sa.ColumnElement[Any] | sa.TextClause | None:
        """Return the SQL by which the database fills a column, if the model says it."""
        default = column.server_default
        if not isinstance(default, sa.DefaultClause):
            return None
        arg: Any = default.arg
        return sa.literal(arg) if isinstance(arg, str) else scalar(arg)

    def subquery_of(self, expression: Any) -> str:
        """Return the SQL of an expression that holds a subquery; nothing of any other."""
        sql = str(expression.compile(dialect=self.sqlalchemy))
        return sql if re.search(r"\bselect\b", sql, re.IGNORECASE) else ""

    def filling(self, column: Column, expression: Any) -> Any:
        """Return an expression in the form in which an insert into a column takes its values."""
        return expression

    # Errors

    def is_objection(self, error: sa.exc.DBAPIError) -> bool:
        """Tell whether the database objects to a record, and not to the statement or session."""
        return isinstance(error, sa.exc.IntegrityError | sa.exc.DataError)


def scalar(expression: Any) -> Any:
    """Return an expression as one value; a SELECT becomes a subquery."""
    return expression.scalar_subquery() if isinstance(expression, sa.SelectBase) else expression


def choice_rank(column: Column, stored: dict[str, Any]) -> sa.ColumnElement[Any]:
    """Return the rank of an enumeration's names by code point."""
    ranks = {stored[name]: place for place, name in enumerate(sorted(stored))}
    text = sa.type_coerce(column, sa.String())
    return sa.case(
        {value: sa.literal_column(str(rank)) for value, rank in ranks.items()}, value=text
    )
