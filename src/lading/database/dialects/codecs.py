"""How each kind of value is read from a driver and given to it; what all engines share.

A codec turns a column into expressions: ``read_…`` from a raw value (never null) to
its written form, ``bind_…`` from a canonical written form to what the driver takes.
Both raise ``ValueError`` for what the column can't hold; ``bind_…`` also for what isn't
canonical, so that marshmallow is asked instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect as SQLAlchemyDialect
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.codegen import PLAIN, Expression, calling
from lading.database.dialects.limits import byte_check, longest, no_sets, text_limit
from lading.database.dialects.real_columns import Describes, refusing_misfit
from lading.database.dialects.type_processors import Processed
from lading.database.dialects.written_values import refusing, written_json
from lading.mapping.columns import AsStored, is_decorator, kind_of, underlying
from lading.model.rowsets import Column
from lading.values.arrays import Array
from lading.values.base import CUSTOM, Kind
from lading.values.datetimes import Interval
from lading.values.json_text import parse_json
from lading.values.scalars import Choice, Json, Text, Uuid


class Codecs(ABC):
    """The expressions of one dialect; subclasses say what their engine does otherwise."""

    #: Whether decimals that SQLite keeps with more digits are written as SQLAlchemy reads them.
    as_read: bool = False
    #: Whether every integer column holds eight bytes.
    widest: ClassVar[bool] = False
    #: Kinds of which a plain column may hold two values that are written alike.
    loose: ClassVar[tuple[type[Kind], ...]] = ()

    def __init__(self, dialect: SQLAlchemyDialect, columns: Describes[Any]) -> None:
        self.dialect = dialect
        self.columns = columns

    def rounds(self, column: Column, kind: Kind) -> Callable[[Any], bool] | None:
        """Return what tells whether the reader rounds a cell, if it rounds any."""
        return None

    def selected(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """Return what a SELECT asks for to read a column, such as a cast to text."""
        return column

    def reader(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a raw value to its written form."""
        misfit = self.misfit(column)
        if misfit is not None:
            return calling(refusing_misfit(misfit))
        if kind.name == CUSTOM or not self.is_usual(column, kind):
            return self._processed(column, kind)
        read: Callable[[Column, Any], Expression] = getattr(self, f"read_{kind.name}")
        return read(column, kind)

    def binder(self, column: Column, kind: Kind) -> Expression:
        """Return the expression from a canonical written form to a driver value."""
        misfit = self.misfit(column)
        if misfit is not None:
            return calling(refusing_misfit(misfit))
        if kind.name == CUSTOM or not self.is_usual(column, kind):
            return self._bound(column, kind)
        bind: Callable[[Column, Any], Expression] = getattr(self, f"bind_{kind.name}")
        return bind(column, kind)

    @abstractmethod
    def misfit(self, column: sa.ColumnElement[Any]) -> str | None:
        """Say why the real column can't hold values of the model's type at all, or ``None``.

        It is asked for each column once, so that values of columns that fit cost nothing.
        """

    def copied(self, near: Column, far: Column) -> str | None:
        """Say how a foreign key's real column changes its target's values, or ``None``.

        Servers compare the two as they check the key, and refuse what isn't the same.
        """
        return None

    def is_usual(self, column: sa.ColumnElement[Any], kind: Kind) -> bool:
        """Tell whether a column's values are what the engine makes of SQLAlchemy's own types."""
        return self.is_own(column, kind)

    def is_own(self, column: sa.ColumnElement[Any], kind: Kind) -> bool:
        """Tell whether a column's real type is SQLAlchemy's own, and of the model's kind."""
        real = self.real(column.type)
        return is_plain(real) and (real is column.type or type(kind_of(real)) is type(kind))

    def tells_apart(self, column: Column, kind: Kind) -> bool:
        """Tell whether different values that a column holds are always written differently."""
        is_loose = isinstance(kind, self.loose) or kind.name == CUSTOM
        is_padded = isinstance(kind, Text) and self.is_padded(column, kind)
        return not is_loose and not is_padded and self.is_usual(column, kind)

    def real(self, type_: TypeEngine[Any]) -> TypeEngine[Any]:
        """Return what a type is on this dialect: its variant, or what a stored one is below."""
        if isinstance(type_, AsStored):
            return type_.load_dialect_impl(self.dialect)
        return type_._variant_mapping.get(self.dialect.name, type_)

    def underlying(self, type_: TypeEngine[Any]) -> Any:
        """Return the dialect's form of a type, and below any decorators."""
        return underlying(self.implementation(type_))

    def is_padded(self, column: Column, kind: Text) -> bool:
        """Tell whether a text column is CHAR, in the model or in its variant."""
        real = kind_of(self.real(column.type))
        return kind.padded or (isinstance(real, Text) and real.padded)

    def refusal(self, type_: TypeEngine[Any]) -> str | None:
        """Say why the engine can't hold a type's values at all, and what to do, or ``None``."""
        impl = self.underlying(type_)
        engine = self.dialect.name
        if isinstance(impl, sqltypes.ARRAY):
            return (
                f"{engine} has no arrays; keep it as JSON there: "
                f"ARRAY(...).with_variant(JSON(none_as_null=True), {engine!r})"
            )
        if isinstance(self.real(type_), mysql.SET):
            return no_sets(engine)
        if isinstance(impl, sqltypes.Time) and impl.timezone:
            return (
                f"{engine} keeps no zone with a time and would drop it; use Time() without a "
                "zone, or keep a DateTime(timezone=True)"
            )
        return None

    # Decorators and types of the application's own go by SQLAlchemy's processors

    def implementation(self, type_: TypeEngine[Any]) -> TypeEngine[Any]:
        """Return the dialect's form of a type, whose processors do the work."""
        return type_.dialect_impl(self.dialect)

    def bind_process(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """Return SQLAlchemy's own function from a Python value to a driver value."""
        return self.implementation(type_).bind_processor(self.dialect) or _same

    def type_code(self, type_: TypeEngine[Any]) -> Any:
        """Return the driver's code of a type, for processors that ask for it."""
        return None

    def result_process(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """Return SQLAlchemy's own function from a driver value to a Python value."""
        impl = self.implementation(type_)
        return impl.result_processor(self.dialect, self.type_code(type_)) or _same

    def loader(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """Return what turns what was selected into the driver value that processors expect."""
        return _same

    def _processed(self, column: Column, kind: Kind) -> Expression:
        return calling(self.processed(column, kind).read)

    def _bound(self, column: Column, kind: Kind) -> Expression:
        return calling(self.processed(column, kind).bound)

    def processed(
        self, column: Column, kind: Kind, load: Callable[[Any], Any] | None = None
    ) -> Processed:
        """Return a column's way through SQLAlchemy's processors; ``load`` replaces the loader."""
        type_ = column.type
        below = self.underlying(type_)
        bind = self.bind_process(type_)
        takes_text = isinstance(kind, Uuid) and not getattr(below, "as_uuid", True)
        return Processed(
            kind,
            load=load or self.loader(type_),
            undo=self.result_process(type_),
            bind=(lambda value: bind(str(value))) if takes_text else bind,
            as_impl=self.as_impl(type_),
            limited=self.limited(column),
            is_json=isinstance(below, sqltypes.JSON),
        )

    def as_impl(self, type_: TypeEngine[Any]) -> Callable[[Any], Any]:
        """Return a function from a driver value to that of the type below any decorators."""
        below = self.underlying(type_)
        if isinstance(below, sqltypes.CHAR | sqltypes.NCHAR):
            return unpadded
        return below.result_processor(self.dialect, self.type_code(type_)) or _same

    def limited(self, column: Column) -> Callable[[Any], Any]:
        """Return the check of driver values that a decorated type's column makes."""
        below = self.underlying(column.type)
        limit = text_limit(below)
        if limit is None:
            return _same
        check_text = longest(limit)
        return lambda bound: check_text(bound) if type(bound) is str else bound

    def stored(self, column: Column, kind: Choice) -> dict[str, Any]:
        """Map an enumeration's names to what the database stores."""
        process = self.bind_process(column.type)
        return {name: process(value) for name, value in kind.members.items()}

    # What all engines read alike

    def read_enum(self, column: Column, kind: Choice) -> Expression:
        """A stored label stands for a name."""
        names = {label: name for name, label in self.stored(column, kind).items()}
        fail = refusing(f"one of {', '.join(map(str, names))}")
        return calling(lambda raw: names[raw] if raw in names else fail(raw))

    def read_json(self, column: Column, kind: Json) -> Expression:
        """The column's text, canonically; its ``null`` isn't SQL's."""

        def read(text: Any) -> bytes:
            return written_json(parse_json(text))

        return calling(read)

    def read_bytes(self, column: Column, kind: Kind) -> Expression:
        """Base64, of no more bytes than declared."""
        check = byte_check(self.real(column.type))
        return calling(lambda raw: kind.write(check(raw)))

    def read_array(self, column: Column, kind: Array) -> Expression:
        """Engines without arrays have none; see :meth:`refusal`."""
        return self._processed(column, kind)

    def read_interval(self, column: Column, kind: Interval) -> Expression:
        """A moment counted from 1970, which is how SQLAlchemy keeps a generic interval."""
        return self._processed(column, kind)

    # What all engines bind alike

    def bind_boolean(self, column: Column, kind: Kind) -> Expression:
        """Drivers take booleans."""
        return PLAIN

    def bind_bytes(self, column: Column, kind: Kind) -> Expression:
        """Drivers take bytes, no more than declared."""
        check = byte_check(self.real(column.type))
        return calling(lambda written: check(kind.read(written)))

    def bind_array(self, column: Column, kind: Array) -> Expression:
        """Engines without arrays have none; see :meth:`refusal`."""
        return self._bound(column, kind)

    def bind_interval(self, column: Column, kind: Interval) -> Expression:
        """A moment counted from 1970, in the years 1 to 9999."""
        process, limited = self.bind_process(column.type), self.limited(column)
        epoch = sqltypes.Interval.epoch

        def bind(written: str) -> Any:
            length = kind.read(kind.canonical(written))
            try:
                epoch + length
            except OverflowError:
                raise ValueError(
                    f"{written} from 1970 on, as its column keeps it, lies outside the years 1 to "
                    "9999"
                ) from None
            return limited(process(length))

        return calling(bind)

    def bind_enum(self, column: Column, kind: Choice) -> Expression:
        """A name stands for a stored label."""
        stored = self.stored(column, kind)
        return calling(lambda name: stored[kind.write(name)])

    def checked_text(
        self, column: Column, kind: Text, forbidden: str, check: Any, *, limit: int | None
    ) -> Expression:
        """Text within the column's length, without a character that the engine can't hold.

        Args:
            column: the text column.
            kind: the kind of its values.
            forbidden: a character that the engine can't hold; empty for none.
            check: what refuses a text that doesn't fit.
            limit: the most characters that the column holds, if there is a limit.
        """
        padded = self.is_padded(column, kind)
        canonical = Text(padded=padded).canonical

        def slow(text: str) -> str:
            return str(canonical(check(text if limit is None else longest(limit)(text))))

        tests = [f"len({{x}}) <= {limit}"] if limit is not None else []
        tests += [f"{forbidden!r} not in {{x}}"] if forbidden else []
        if padded:
            return calling(slow)
        if not tests:
            return PLAIN
        return Expression(f"({{x}} if {' and '.join(tests)} else slow({{x}}))", {"slow": slow})


def _same(value: Any) -> Any:
    return value


def unpadded(value: Any) -> Any:
    """Return a CHAR's text without the blanks that pad it."""
    return value.rstrip(" ") if type(value) is str else value


def is_plain(type_: TypeEngine[Any]) -> bool:
    """Tell whether a type is SQLAlchemy's own and not an application's."""
    return not is_decorator(type_) and type(type_).__module__.startswith("sqlalchemy.")
