"""What the engine asks of a database, and what all of them share.

A dialect turns columns into expressions that read raw driver values into written
forms and back, says how rows are looked up, inserted and updated in bulk, and how
a transaction is begun.  Nothing here knows entities.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa

from lading.codegen import Expression
from lading.database.dialects.codecs import Codecs
from lading.database.dialects.real_columns import RealColumns
from lading.database.live.same_rows import Relation
from lading.errors import TargetError
from lading.model.rowsets import Column, RowSet
from lading.values.base import Kind

Row = tuple[Any, ...]
#: The names of the columns of each table's key.
TableKeys = Mapping[sa.Table, frozenset[str]]
#: Subqueries in one statement, fewer than any engine's limit.
SUBQUERIES = 500
PLACEHOLDERS = {"qmark": "?", "format": "%s", "pyformat": "%s"}


class Dialect(ABC):
    """One database engine, over one connection."""

    #: Parameters of one lookup; a chunk with more is split.
    parameters: ClassVar[int] = 30_000
    #: What the URL of a supported engine looks like.
    url: ClassVar[str]
    codecs_class: ClassVar[type[Codecs]]

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.prepare = connection.dialect.identifier_preparer
        style = connection.dialect.paramstyle
        if style not in PLACEHOLDERS:
            raise TargetError(
                f"the driver {connection.dialect.driver!r} isn't supported: it binds parameters "
                f"as {style!r}",
                f"Use an engine of create_engine({self.url!r}), or of create_async_engine.",
            )
        self.mark = PLACEHOLDERS[style]
        self.columns = self.real_columns()
        self.codecs = self.codecs_class(self.dialect, self.columns)

    @abstractmethod
    def real_columns(self) -> RealColumns[Any]:
        """Return what asks this database what its columns really are."""

    @property
    def translate(self) -> dict[str | None, str | None]:
        """The connection's ``schema_translate_map``."""
        return self.connection.get_execution_options().get("schema_translate_map") or {}

    # Names

    def name(self, column: Column) -> str:
        """Return a column's quoted name, as SQL of this driver."""
        return self.prepare.format_column(column)

    def schema(self, schema: str | None) -> str | None:
        """Return what a schema of the models is called here: a tenant may have one of its own."""
        return self.translate.get(schema, schema)

    def table(self, table: sa.Table) -> str:
        """Return a table's quoted name, with its schema."""
        return self._quoted(table.schema, table.name)

    def sequence(self, sequence: sa.Sequence) -> str:
        """Return a sequence's quoted name, with its schema."""
        return self._quoted(sequence.schema, sequence.name)

    def _quoted(self, schema: str | None, name: str) -> str:
        where, quoted = self.schema(schema), self.prepare.quote(name)
        return f"{self.prepare.quote_schema(where)}.{quoted}" if where else quoted

    def escaped(self, text: str) -> str:
        """Double the percent signs of SQL, where the driver takes them for parameters."""
        return text.replace("%", "%%") if self.mark == "%s" else text

    # Values

    def selected(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """Return what a SELECT asks for to read a column, such as a cast to text."""
        return self.codecs.selected(column, kind)

    def reader(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a raw value (never null) to its written form."""
        return self.codecs.reader(column, kind)

    def binder(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a canonical written form to what the driver takes."""
        return self.codecs.binder(column, kind)

    # Order

    @abstractmethod
    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        """Return what to sort by to get the kind's order, or ``None`` if it can't be had."""

    # Reading

    def stream(self, statement: sa.Select[Any], size: int) -> Generator[list[Row], None, None]:
        """Run a SELECT and yield its raw rows in chunks, without holding them all.

        Close the generator where it isn't read to its end, before the connection goes.
        """
        result = self.connection.execute(statement, execution_options={"stream_results": True})
        # SQLAlchemy's buffered strategies have fetched the first row already, so asking the
        # driver's cursor itself would lose it; an exhausted result swaps its strategy.
        try:
            while rows := result.cursor_strategy.fetchmany(result, result.cursor, size):
                yield rows if isinstance(rows, list) else list(rows)
        finally:
            result.close()

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a statement in the driver's SQL, and return all of its raw rows."""
        result = self.connection.exec_driver_sql(sql, tuple(parameters))
        cursor = result.cursor
        assert cursor is not None
        with self.driver_errors(sql):
            rows = cursor.fetchall()
        result.close()
        return list(rows)

    def run(self, sql: str, parameters: Any = ()) -> None:
        """Run a statement in the driver's SQL."""
        self.connection.exec_driver_sql(sql, parameters)

    def text_of(self, statement: sa.ClauseElement) -> str:
        """Return a statement without parameters as SQL of this driver."""
        translated: Any = self.translate
        options = {"schema_translate_map": translated, "render_schema_translate": True}
        return str(statement.compile(dialect=self.dialect, **(options if translated else {})))

    @contextmanager
    def driver_errors(self, sql: str = "") -> Iterator[None]:
        """Raise what the driver itself raises as SQLAlchemy raises it, a lost connection too."""
        dbapi = self.dialect.loaded_dbapi
        try:
            yield
        except dbapi.Error as error:
            driver = self.connection.connection.dbapi_connection
            is_lost = self.dialect.is_disconnect(error, driver, None)
            if is_lost:
                self.connection.invalidate(error)
            raise sa.exc.DBAPIError.instance(
                sql,
                None,
                error,
                dbapi.Error,
                dialect=self.dialect,
                connection_invalidated=is_lost,
            ) from error

    @abstractmethod
    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        """Return what follows a SELECT's joins for the rows that hold one of these, and its values.

        No row has a null; the clause ends in a WHERE that more conditions may follow.
        """

    def same(self, near: Column, far: Column) -> sa.ColumnElement[bool]:
        """Return the condition that a foreign key holds exactly the value that it refers to."""
        return near == far

    def portions(self, rows: Sequence[Row], width: int) -> Iterator[Sequence[Row]]:
        """Yield rows of parameters in portions that fit a statement."""
        most = max(1, self.parameters // max(1, width))
        for start in range(0, len(rows), most):
            yield rows[start : start + most]

    def forms(self, kind: Kind, bound: Any) -> Sequence[Any]:
        """Return every form in which a driver value may be stored, for lookups."""
        return (bound,)

    # Writing

    @abstractmethod
    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Insert rows of driver values in bulk."""

    @abstractmethod
    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
        """Set columns of the rows with these keys, in one statement; rows are key + columns."""

    @abstractmethod
    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """Return that many fresh values for a generated primary key."""

    def synchronise(self, columns: Sequence[Column]) -> None:
        """Move every sequence that feeds one of these columns past its values, never back."""

    # Defaults

    def expression_of(self, column: Column) -> sa.ColumnElement[Any] | sa.TextClause | None:
        """Return the SQL by which the model fills a column, if it does so by SQL."""
        default: Any = column.default
        if default is None:
            return None
        if default.is_sequence:
            ignored = default.optional and self.dialect.sequences_optional
            found = self.dialect.supports_sequences and not ignored
            return default.next_value() if found else None
        return scalar(default.arg) if default.is_clause_element else None

    def server_expression_of(self, column: Column) -> sa.ColumnElement[Any] | sa.TextClause | None:
        """Return the SQL by which the database fills a column, if the model says it."""
        default = column.server_default
        if not isinstance(default, sa.DefaultClause):
            return None
        arg: Any = default.arg
        return sa.literal(arg) if isinstance(arg, str) else scalar(arg)

    def evaluate(self, expressions: Sequence[tuple[Column, Any]], count: int) -> list[Row]:
        """Return what expressions that fill columns give to that many rows, for an insert.

        The database takes a subquery for the same in every row, so each row asks its own.
        """
        one = sa.select(*(self.filling(column, expression) for column, expression in expressions))
        if not any(self.subquery_of(expression) for _, expression in expressions):
            return self._rows(one.select_from(self.numbers(count)))
        made: list[Row] = []
        while len(made) < count:
            made += self._rows(sa.union_all(*[one] * min(SUBQUERIES, count - len(made))))
        return made

    def _rows(self, statement: sa.Executable) -> list[Row]:
        """Run a statement, and return all of its raw rows."""
        result: Any = self.connection.execute(statement)
        rows = list(map(tuple, result.cursor.fetchall()))
        result.close()
        return rows

    def subquery_of(self, expression: Any) -> str:
        """Return the SQL of an expression that holds a subquery; nothing of any other."""
        sql = str(expression.compile(dialect=self.dialect))
        return sql if re.search(r"\bselect\b", sql, re.IGNORECASE) else ""

    def filling(self, column: Column, expression: Any) -> Any:
        """Return an expression in the form in which an insert into a column takes its values."""
        return expression

    @abstractmethod
    def numbers(self, count: int) -> sa.FromClause:
        """Return a table of that many rows."""

    def is_objection(self, error: sa.exc.DBAPIError) -> bool:
        """Tell whether the database objects to a record, and not to the statement or session."""
        return isinstance(error, sa.exc.IntegrityError | sa.exc.DataError)

    # Transactions

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Hold the session to settings under which no value changes, and give it back as it was."""
        yield

    @contextmanager
    def texts_of(self, rows: RowSet) -> Iterator[None]:
        """Name the row and field of a text that the driver can't decode, where it doesn't."""
        yield

    @abstractmethod
    def begin_reading(self) -> None:
        """Begin a transaction of ours that sees one snapshot throughout."""

    @abstractmethod
    def begin_writing(self) -> None:
        """Begin a transaction of ours that may write."""

    def give_back(self) -> None:
        """Give a connection, whose transaction has ended, the settings that it came with."""

    @abstractmethod
    def ensure_begun(self, *, writing: bool) -> None:
        """Make sure that a caller's connection really is in a transaction."""

    def autocommits(self) -> bool:
        """Tell whether the driver commits each statement by itself."""
        return getattr(self.connection.connection.dbapi_connection, "autocommit", False) is True

    @abstractmethod
    def snapshot(self) -> str:
        """Say what snapshot a caller's transaction has."""

    def refuse_hidden(self, tables: Sequence[sa.Table]) -> None:
        """Raise ``TargetError`` if a policy hides rows of these tables from this user."""

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        """Return what stands in a table's place and may show other rows: a view, by table."""
        return {}

    # Other writers

    def unguarded(self, keys: TableKeys) -> list[sa.Table]:
        """Return the tables whose key no unique index of the database guards.

        An engine that lets one transaction write at a time returns none.
        """
        return []

    def hold(self, tables: Sequence[sa.Table]) -> None:
        """Wait until no other import writes to these tables; until we end, none will."""

    def is_fresh(self) -> bool:
        """Tell whether the transaction has no snapshot yet that could be older than a lock."""
        return False

    def refuse_stale(self, tables: Sequence[sa.Table]) -> None:
        """Raise ``TargetError`` if others may have written these tables after our snapshot."""

    @abstractmethod
    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        """Tell whether triggers or rules of these tables may change what is written.

        It is so as well where this user isn't told of them.
        """

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        """Yield which of these tables hold the rows of others among them, and what they are."""
        return iter(())

    def sees_others(self) -> bool:
        """Tell whether statements of this transaction see what others commit meanwhile."""
        return False

    def moment(self) -> str:
        """Return what changes when somebody else commits, where their work would be seen."""
        return ""

    def check_at_once(self, tables: Sequence[sa.Table]) -> list[str]:
        """Have the tables' constraints that wait for the commit checked at each statement.

        Returns their names, for ``check_at_commit``.
        """
        return []

    def check_at_commit(self, names: Sequence[str]) -> None:
        """Let constraints wait for the commit again."""

    def facts(self) -> None:
        """Look up what the dialect must know of this database, in statements of its own."""


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
