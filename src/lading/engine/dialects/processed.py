"""Values that go by SQLAlchemy's own processors: those of decorators and unusual types.

What an application's type does is known to nobody else, so both ways are tried on each
value: one that would be stored as another is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.sql import sqltypes

from lading.errors import shown
from lading.jsontext import json_text, parse_json
from lading.kind import Kind
from lading.values import JSON_NULL

Step = Callable[[Any], Any]


class Processed:
    """The way of one type's values, both ways.

    ``load`` turns what was selected into the driver's value, ``undo`` that into Python's,
    ``bind`` Python's into the driver's; ``kept`` shows a driver's value as the type below
    any decorator has it, and ``limited`` checks that it fits the column.
    """

    def __init__(
        self, kind: Kind, *, load: Step, undo: Step, bind: Step, kept: Step, limited: Step
    ) -> None:
        self.kind = kind
        self.load = load
        self.undo = undo
        self.bind = bind
        self.kept = kept
        self.limited = limited

    def read(self, raw: Any) -> Any:
        """Return the written form of what was selected; JSON as its text."""
        loaded = self.load(raw)
        value = self.undo(loaded)
        # A JSON column that isn't SQL NULL and gives None holds JSON's own null.
        shown_value = JSON_NULL if value is None and self.kind.is_json else value
        try:
            written = self.kind.write(shown_value)
        except ValueError as error:
            raise ValueError(
                f"{error}; its type makes other Python values than its impl does: give the "
                "type a python_type, or declare a field for the column in the schema"
            ) from error
        bound = self._store(self.kind.read(written))
        self._refuse_change(loaded, bound)
        self.limited(bound)
        return json_text(written) if self.kind.is_json else written

    def bound(self, written: Any) -> Any:
        """Return the driver's value of a canonical written form; of JSON, of its text."""
        if self.kind.is_json:
            written = parse_json(written)
        value = self.kind.read(self.kind.canonical(written))
        bound = self._store(value)
        try:
            again = self.undo(bound)
            # Objects that don't say when they are equal are told by how they are written.
            same = alike(again, value) or alike(self.kind.write(again), written)
        except Exception:
            return self.limited(bound)  # the driver takes another type than it gives
        if type(again) is type(value) and not same:
            raise changed(value, again)
        return self.limited(bound)

    def _store(self, value: Any) -> Any:
        value = sqltypes.JSON.NULL if value is JSON_NULL else value
        try:
            return self.bind(value)
        except Exception as error:
            raise ValueError(f"{shown(value)} could not be stored again: {error}") from error

    def _refuse_change(self, loaded: Any, bound: Any) -> None:
        """Compare what is stored with what an import would store."""
        for show in (self.kept, self.undo):
            try:
                old, new = show(loaded), show(bound)
                same = alike(old, new)
            except Exception:  # noqa: S112 - the driver takes another type than it gives
                continue
            if type(old) is type(new):
                if same:
                    return
                raise changed(old, new)


def changed(value: Any, again: Any) -> ValueError:
    """Return the error for a value that its type stores as another."""
    return ValueError(
        f"{shown(value)} would be stored as {shown(again)}: its type doesn't undo what it does"
    )


def alike(one: Any, other: Any) -> bool:
    """Tell whether two values are equal; NaN is like itself, also in a list."""
    if type(one) in (list, tuple) and type(one) is type(other) and len(one) == len(other):
        return all(map(alike, one, other))
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124
