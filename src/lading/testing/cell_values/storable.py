"""Which values a column keeps exactly on which engine, told without a database.

The engine's own codecs say what fits (see ``lading.database.dialects``); here they run on
dialects that aren't connected.  A value is also written by way of SQLAlchemy Core, as a
dataset's rows are, so Core must make of it what an import makes of its written form.  What a
decorator or a field of the application's own loses is no reason against a value: of these, the
column below must keep what is stored.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import sqltypes

from lading.database.dialects.codecs import Codecs
from lading.database.dialects.mariadb_values import MariaDBCodecs
from lading.database.dialects.postgresql_values import FARTHEST, PostgreSQLCodecs
from lading.database.dialects.sqlite_values import SQLiteCodecs
from lading.database.dialects.type_processors import alike, fetched
from lading.mapping.columns import kind_of, overrides_values
from lading.mapping.custom_fields import FieldKind
from lading.model.rowsets import Column, retyped
from lading.values.arrays import Array
from lading.values.base import Kind
from lading.values.json_text import json_text
from lading.values.scalars import JSON_NULL, Json

#: The dialects that a kit draws for, by SQLAlchemy's names: a driver and the codecs of each.
DIALECTS: dict[str, tuple[str, Callable[[Dialect], Codecs]]] = {
    "sqlite": ("sqlite", SQLiteCodecs),
    "postgresql": ("postgresql+psycopg", PostgreSQLCodecs),
    "mariadb": ("mariadb+pymysql", MariaDBCodecs),
}


@cache
def codecs_of(name: str) -> Codecs:
    """Return a dialect's codecs, without a connection."""
    driver, codecs = DIALECTS[name]
    return codecs(sa.make_url(f"{driver}://").get_dialect()())


def travelling(value: Any) -> Any:
    """Return a value as kinds know it, of one as SQLAlchemy Core takes it."""
    return JSON_NULL if value is sa.JSON.NULL else value


def written_key(kind: Any, value: Any) -> Any:
    """Return what tells two values of a column apart: their written form as text."""
    with suppress(Exception):  # there is no kind, or a type of the application's own raises
        return json.dumps(kind.write(travelling(value)), sort_keys=True, default=repr)
    return repr(value)


class Fit:
    """One column on one dialect: what it keeps.

    ``ValueError``, ``TargetError`` or ``CompileError`` where the dialect has no such column.
    """

    def __init__(self, codecs: Codecs, column: Column, kind: Kind | None) -> None:
        if (refusal := codecs.refusal(column.type)) is not None:
            raise ValueError(refusal)
        compiler = codecs.dialect.type_compiler_instance
        ddl = str(compiler.process(column.type, type_expression=column)).upper()
        self.codecs = codecs
        self.column = column
        self.kind = kind
        self.alters = alters(column)
        self.is_on_postgresql = codecs.dialect.name == "postgresql"
        self.is_binary_json = self.is_on_postgresql and ddl == "JSONB"
        #: What an import gives the driver, of a written form.
        self.bind = codecs.binder(column, kind).function() if kind is not None else None
        #: What SQLAlchemy Core gives it, of a value.
        self.core: Callable[[Any], Any] = codecs.bind_process(column.type)
        self.limited = codecs.limited(column)
        self.length, self.exact = _lengths(codecs, column)

    def holds(self, value: Any) -> bool:
        """Tell whether the column keeps what is stored of a value, which isn't null, exactly.

        A decorator or a field of the application's own may change the value itself.
        """
        if self.keeps(value):
            return True
        with suppress(Exception):  # a type of the application's own may raise anything
            return (self.alters or isinstance(self.kind, FieldKind)) and self._stores(value)
        return False

    def keeps(self, value: Any) -> bool:
        """Tell whether a value comes back as the same."""
        try:
            if self.kind is None or self.bind is None:
                return self.limited(self.core(value)) is not None
            plain = travelling(value)
            written = self.kind.write(plain)
            self.bind(json_text(written) if self.kind.is_json else written)
            return self._arrives(plain, as_given(self.kind.read(written), plain))
        except Exception:  # a type of the application's own may raise anything
            return False

    def _arrives(self, value: Any, arrived: Any) -> bool:
        """Tell whether an import stores the same as Core does.

        Core drops what a processor or a driver drops, such as a zone, without a word.
        """
        if isinstance(self.kind, Array):
            return isinstance(self.kind.item, Json) or alike(value, arrived)
        if self.kind is not None and self.kind.is_json:
            return not self.is_binary_json or bool(_digits(value) == _digits(arrived))
        bound = self.core(value)
        offset = bound.utcoffset() if isinstance(bound, dt.time | dt.datetime) else None
        if offset and (not self.is_on_postgresql or abs(offset) >= FARTHEST):
            return False
        return alike(bound, self.core(arrived))

    def _stores(self, value: Any) -> bool:
        """Tell whether the column keeps what its type makes of a value that doesn't come back."""
        bound = self.core(value)
        back = self._fetched(bound)
        self.limited(bound)
        if self.kind is not None and back is not None:
            written = self.kind.write(travelling(back))  # else it could never be exported
            if isinstance(self.column.type, sqltypes.PickleType):
                again = self.kind.read(written)
                if alike(again, back) or repr(again) == repr(back):
                    return False  # equal objects may have several pickles: nothing is lost
        kept = self._below._fetched(bound)
        return bound is not None and self._below.holds(sa.JSON.NULL if kept is None else kept)

    @cached_property
    def _below(self) -> Fit:
        """The column as it would be without the type of the application's own."""
        type_ = self.codecs.underlying(self.column.type)
        return Fit(self.codecs, retyped(self.column, type_), kind_of(type_))

    def _fetched(self, bound: Any) -> Any:
        """Return what SQLAlchemy Core makes of what it has given to the driver."""
        return self.codecs.result_process(self.column.type)(fetched(bound))

    def returned(self, value: Any) -> Any:
        """Return what comes back of a value; where only the driver's type differs, the value."""
        with suppress(Exception):  # the driver may take another type than it gives
            back = self._fetched(self.core(value))
            is_json = self.kind is not None and self.kind.is_json
            if type(back) is type(value) or (back is None and not is_json):
                return back  # but JSON's null comes back as None
        return value if self.keeps(value) else self._fetched(self.core(value))


def _lengths(codecs: Codecs, column: Column) -> tuple[int | None, int | None]:
    """Return how long a column's texts or bytes may be, and the length that they are padded to."""
    limits = [getattr(codecs.underlying(column.type), "length", None)]
    exact = None
    if isinstance(codecs, MariaDBCodecs):
        stored = codecs.columns(column)
        limits.append(stored.length if stored.type in ("char", "varchar") else stored.octets)
        exact = stored.octets if stored.type == "binary" else None
    return min((limit for limit in limits if limit is not None), default=None), exact


def as_given(arrived: Any, value: Any) -> Any:
    """Return what an import makes of a value in the form in which Core takes it."""
    if isinstance(value, str) and isinstance(arrived, uuid.UUID):
        return str(arrived)  # a column that keeps UUIDs as text
    if isinstance(value, list | tuple) and isinstance(arrived, list | tuple):
        return type(arrived)(as_given(*pair) for pair in zip(arrived, value, strict=True))
    return arrived


def _digits(value: Any) -> Any:
    """Return a JSON value with all digits of its numbers, for JSONB keeps what 1e23 says."""
    text = json.dumps(value, default=lambda _null: None)
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


class Fits:
    """One column on every dialect; ``fits`` are those of dialects that have such a column."""

    def __init__(self, column: Column, kind: Kind | None) -> None:
        self.alters = alters(column)
        self.fits: dict[str, Fit] = {}
        for name in DIALECTS:
            try:
                self.fits[name] = Fit(codecs_of(name), column, kind)
            except Exception:  # noqa: S112 - a dialect that lacks the type raises what it likes
                continue

    def holds(self, value: Any, dialect: str) -> bool:
        """Tell whether the column keeps a value exactly on a dialect."""
        fit = self.fits.get(dialect)
        return fit is not None and fit.holds(value)

    def everywhere(self, value: Any) -> bool:
        """Tell whether every dialect that has the column keeps a value."""
        return all(fit.holds(value) for fit in self.fits.values())

    def returned(self, value: Any, dialect: str = "") -> Any:
        """Return what comes back of a value that isn't null, once a dialect has stored it.

        ``ValueError`` where nothing can be read; where the dialect can't, another's answer.
        """
        if not self.alters:
            return value
        raised: Exception | None = None
        for name in sorted(self.fits, key=lambda name: name != dialect):
            try:
                return self.fits[name].returned(value)
            except Exception as error:  # the driver may take another type than it gives
                raised = error
        raise ValueError(f"{value!r} doesn't come back from its column's type: {raised!r}")

    def forms(self, value: Any) -> list[Any]:
        """Return all that may stand for a value where it is to be unique.

        Two values that a type stores as one, or reads as one, have a form in common.
        """
        if not self.alters or value is None:
            return [value]
        forms: list[Any] = []
        for fit in self.fits.values():
            with suppress(Exception):  # where its type refuses it, it never stands
                forms += [fit.core(value), fit.returned(value)]
        return forms or [value]


def alters(column: Column) -> bool:
    """Tell whether a column's type, or a variant of it, is a decorator with a way of its own."""
    types = [column.type, *column.type._variant_mapping.values()]
    for type_ in types:
        if isinstance(type_, sa.TypeDecorator) and not isinstance(type_, sqltypes.Interval):
            if overrides_values(type_):
                return True
            types.append(type_.impl_instance)
    return False
