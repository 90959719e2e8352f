"""Values that go by SQLAlchemy's own processors: those of decorators and unusual types.

What an application's type does is known to nobody else, so both ways are tried on each
value: one that would be stored as another is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.sql import sqltypes

from lading.messages import shown
from lading.values.base import CUSTOM, Kind
from lading.values.json_text import json_text, parse_json
from lading.values.scalars import JSON_NULL

Step = Callable[[Any], Any]


class NotUndone(ValueError):
    """A type of the application's own, or its field, doesn't give back what is stored.

    It would come back unchanged if it travelled as it is stored.
    """


class Processed:
    """Reads and binds the values of one type by SQLAlchemy's processors.

    Args:
        kind: the kind of the written form.
        load: turns what was selected into the driver's value.
        undo: turns the driver's value into Python's.
        bind: turns Python's value into the driver's.
        as_impl: turns a driver's value into that of the type below any decorators.
        limited: checks that a driver's value fits the column.
        is_json: whether the type below is JSON.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        load: Step,
        undo: Step,
        bind: Step,
        as_impl: Step,
        limited: Step,
        is_json: bool = False,
    ) -> None:
        self.kind = kind
        self.load = load
        self.undo = undo
        self.bind = bind
        self.as_impl = as_impl
        self.limited = limited
        self.is_json = is_json

    def read(self, raw: Any) -> Any:
        """Return the written form of what was selected; JSON as its text."""
        loaded = self.load(raw)
        written = self._written(loaded)
        try:
            again = self.kind.read(written)
        except ValueError as error:
            raise NotUndone(f"{shown(written)} is written and not read again: {error}") from error
        bound = self._store(again)
        self._refuse_change(loaded, bound)
        self.limited(bound)
        return json_text(written) if self.kind.is_json else written

    def _written(self, loaded: Any) -> Any:
        """Return the written form of a driver's value."""
        try:
            value = self.undo(loaded)
        except Exception as error:  # a type of the application's own may raise anything
            raise NotUndone(f"its type can't read {shown(loaded)}: {error!r}") from error
        if value is None and self.is_json:
            if self.as_impl(loaded) is not None:
                raise _nothing(shown(loaded))
            value = JSON_NULL  # SQL's NULL never comes here
        if value is None and self.kind.name == CUSTOM:
            raise _nothing(shown(loaded))
        try:
            return self.kind.write(value)
        except ValueError as error:
            if self.kind.name == CUSTOM:
                raise NotUndone(str(error)) from error
            if value is None or value is JSON_NULL:
                raise _nothing("JSON's null" if value is JSON_NULL else shown(loaded)) from error
            raise NotUndone(
                f"{error}; its type makes other Python values than its impl does: give the "
                "type a python_type, or declare a field for the column in the schema"
            ) from error

    def bound(self, written: Any) -> Any:
        """Return the driver's value of a canonical written form; of JSON, of its text."""
        if self.kind.is_json:
            written = parse_json(written)
        value = self.kind.read(self.kind.canonical(written))
        bound = self._store(value)
        try:
            again = self.undo(fetched(bound))
        except Exception:
            return self.limited(bound)  # the driver takes another type than it gives
        again = JSON_NULL if again is None and self.is_json else again
        if not self._is_same(value, again, written):
            raise changed(value, again)
        return self.limited(bound)

    def _is_same(self, value: Any, again: Any, written: Any) -> bool:
        """Compare two values; those that define no equality, by their written forms."""
        try:
            return alike(again, value) or alike(self.kind.write(again), written)
        except Exception:  # a type of the application's own may raise anything
            return False

    def _store(self, value: Any) -> Any:
        try:
            if value is JSON_NULL:
                bound = self.bind(None)  # as an application does
                return self.bind(sqltypes.JSON.NULL) if bound is None else bound
            return self.bind(value)
        except Exception as error:  # a type of the application's own may raise anything
            null = value is JSON_NULL
            value_text = "JSON's null" if null else shown(value)
            why = str(error) or repr(error) if isinstance(error, ValueError) else repr(error)
            raise NotUndone(f"{value_text} could not be stored again: {why}") from error

    def _refuse_change(self, loaded: Any, bound: Any) -> None:
        """Compare what is stored with what an import would store."""
        back = fetched(bound)
        try:
            old, new = self.as_impl(loaded), self.as_impl(back)
            if type(old) is type(new):
                if not alike(old, new):
                    raise changed(old, new)
                return
            old, new = self.undo(loaded), self.undo(back)
            # A driver may return an object for a value that it binds as text.
            same = alike(old, new) or (type(old) is not type(new) and str(old) == str(new))
        except NotUndone:
            raise
        except Exception:
            return  # the driver takes another type than it gives
        if not same:
            raise changed(old, new)


def _nothing(value_text: str) -> NotUndone:
    """Return the error for a stored value that its type reads as if it were NULL."""
    return NotUndone(f"its type makes None of {value_text}, which isn't NULL")


def fetched(bound: Any) -> Any:
    """Return the value that a driver returns for a bound value, whose type it may wrap."""
    if type(bound) in (bytearray, memoryview):
        return bytes(bound)
    return bound.obj if type(bound).__module__ == "psycopg.types.json" else bound


def changed(value: Any, again: Any) -> NotUndone:
    """Return the error for a value that its type stores as another."""
    return NotUndone(
        f"{shown(value)} would be stored as {shown(again)}: its type doesn't undo what it does"
    )


def alike(value: Any, other: Any) -> bool:
    """Tell whether two values are equal; NaN is like itself, also in a list."""
    if type(value) in (list, tuple) and type(value) is type(other) and len(value) == len(other):
        return all(map(alike, value, other))
    return bool(value == other or (value != value and other != other))  # noqa: PLR0124
