"""How the cells of one column are drawn: plain values, hostile ones, and what holds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import marshmallow as ma
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeDecorator

from lading.database.dialects.type_processors import alike
from lading.errors import DeclarationError
from lading.mapping.columns import converts_in_sql, kind_of
from lading.mapping.custom_fields import FieldKind, class_of
from lading.mapping.fields import ValueField
from lading.messages import shown
from lading.model.rowsets import Column, Value
from lading.samples.constraints import limits_of
from lading.samples.fields import address_supply, field_supply, patterns_of
from lading.samples.kinds import kind_supply
from lading.samples.supply import Facts, Supply, facts_of, listed_supply
from lading.testing.cell_values.drawn import drawn_values, joined, matching, picked
from lading.testing.cell_values.harmless import REFUSED, PlainValues, strategy_supply
from lading.testing.cell_values.storable import Fits, written_key
from lading.values.arrays import Array
from lading.values.base import Kind
from lading.values.scalars import Json, Text

#: Objects of Python's, for columns that take any.
OBJECTS: tuple[Any, ...] = ([], {}, "", 0, {"a": (1, None)}, [1.5, b"\xff"], {1, 2})
LONGEST_LIST = 4
#: Fields that say nothing of their values.
OPEN = (ma.fields.Raw, ma.fields.Field)
#: How many samples of a field of the application's own are drawn from.
MANY = 1_000

Strategy = SearchStrategy[Any]


@dataclass(frozen=True)
class Cells:
    """How one column's cells are drawn; null is never one of them.

    ``plain(n)`` is a harmless value that every engine holds which has such a column, another
    for each ``n`` as far as the type and the validators allow; ``hostile`` draws what breaks
    things, each value held by one engine at least; ``holds(value, dialect)`` tells whether the
    column keeps it exactly (``"sqlite"``, ``"postgresql"``, ``"mariadb"``); ``size`` is the
    number of plain values where there are few, else ``None``.  ``fits`` tells what the
    column's type makes of a value.
    """

    plain: Callable[[int], Any]
    hostile: SearchStrategy[Any]
    holds: Callable[[Any, str], bool]
    size: int | None
    fits: Fits


def cells_of(
    value: Value, *, override: SearchStrategy[Any] | None = None, settle: bool = False
) -> Cells:
    """Return how a field's column is drawn; ``override`` draws its values instead.

    With ``settle`` only what the column's type gives back is drawn: values that a column of
    another type may hold as well.
    ``DeclarationError`` names the column where its values aren't known, or an override gives
    one that it can't hold.
    """
    field = value.field if value.writable else None
    drawing = _ColumnDrawing(value.carrier, value.kind, field, override, settle=settle)
    drawing.nullable = drawing.nullable and value.nullable
    return drawing.cells()


def cells_of_column(
    column: Column, *, override: SearchStrategy[Any] | None = None, settle: bool = False
) -> Cells:
    """Return how a column is drawn that no schema carries; see :func:`cells_of`."""
    # What a type converts in SQL has a form in Python that only the type knows.
    kind = None if converts_in_sql(column.type) else kind_of(column.type)
    return _ColumnDrawing(column, kind, None, override, settle=settle).cells()


class _ColumnDrawing:
    """Puts together how one column is drawn."""

    def __init__(
        self,
        column: Column,
        kind: Kind | None,
        field: ma.fields.Field[Any] | None,
        override: SearchStrategy[Any] | None,
        *,
        settle: bool,
    ) -> None:
        self.column = column
        self.kind = kind
        self.field = field
        #: The field, if it is one of the application's own.
        self.own = None if isinstance(field, ValueField) else field
        self.override = override
        # A pickle is one of several of its object; that of a copy is the one that comes back.
        self.settle = settle or isinstance(column.type, sqltypes.PickleType)
        self.nullable = bool(column.nullable)
        self.fits = Fits(column, kind)
        self.limits = {} if field is None else limits_of(field, kind)
        self.patterns = list(patterns_of(field))

    def cells(self) -> Cells:
        """Return the column's cells."""
        if not self.fits.dialects:
            raise self.error("has a type that no engine has")
        supply, drawn = self.sources()
        plain = self.plain_values(supply, drawn)
        hostile = self.hostile(supply, drawn, plain)
        return Cells(plain, hostile, self.fits.holds, plain.size, self.fits)

    # What is drawn from

    def sources(self) -> tuple[Supply, Strategy | None]:
        """Return samples of the column's values, and a strategy of more."""
        facts, limits = self.facts(), self.limits
        if self.override is not None:
            return strategy_supply(self.override), self.override
        if (choices := limits.get("choices")) is not None:
            return listed_supply(self._read(choices) or [None], facts), None
        if self.patterns and isinstance(self.kind, Text | FieldKind):
            plain = matching(self.patterns[0], plain=True)
            return strategy_supply(plain), joined(plain, matching(self.patterns[0], plain=False))
        if limits.get("parts") is not None:
            lists = self._of_parts(limits["parts"])
            return strategy_supply(lists), lists
        supply, drawn = self._by_class(facts)
        if supply is None:
            raise self.error("has values that can't be told from its type")
        return supply, drawn

    def _read(self, written: Sequence[Any]) -> list[Any]:
        """Return the values of what a validator names, which are in written form."""
        values = []
        for text in written:
            try:
                values.append(text if self.kind is None else self.kind.read(text))
            except ValueError:
                values.append(text)
        return values

    def _by_class(self, facts: Facts) -> tuple[Supply | None, Strategy | None]:
        """Return the values by the field's class, or by the column's type."""
        kind, own, supply = self.kind, self.own, None
        if isinstance(kind, Text | FieldKind):
            supply = address_supply(self.field, facts)
        if supply is None and isinstance(kind, FieldKind):
            supply = None if self._is_in_the_dark(kind.field) else field_supply(kind.field, facts)
        elif isinstance(kind, Json | Array) and own is not None and class_of(own) not in OPEN:
            supply = field_supply(own, facts)
        if supply is not None:
            return supply, st.integers(0, MANY).map(supply.plain)
        if kind is not None and not isinstance(kind, FieldKind):
            type_ = self.column.type
            return kind_supply(kind, type_, facts), drawn_values(kind, type_, facts)
        if isinstance(self.column.type, sqltypes.PickleType) and kind is None:
            return Supply(lambda n: [facts.word, n], None, OBJECTS), None
        return None, None

    def _is_in_the_dark(self, field: ma.fields.Field[Any]) -> bool:
        """Tell whether neither field nor type says which texts a column takes."""
        type_ = self.column.type
        is_text = isinstance(field, ma.fields.String) or class_of(field) is ma.fields.Raw
        takes_any = isinstance(type_, TypeDecorator | sqltypes.PickleType)
        return is_text and not takes_any and kind_of(type_) is None

    def _of_parts(self, parts: Sequence[Any]) -> Strategy:
        """Return lists, or texts, of some items alone."""
        few = list(parts) or [None]
        make: Any = "".join if isinstance(self.kind, Text) else list
        least = int(self.limits.get("shortest", 0))
        most = max(least, 1, min(self.limits.get("longest", LONGEST_LIST), LONGEST_LIST))
        return st.lists(st.sampled_from(few), min_size=least, max_size=most).map(make)

    def facts(self) -> Facts:
        """Return what is known of the column's values."""
        fits = list(self.fits.fits.values())
        lengths = [fit.length for fit in fits]
        asked_length = [self.limits["longest"]] if "longest" in self.limits else []
        known = [length for length in lengths if length is not None] + asked_length
        unlimited = None in lengths and not asked_length
        return replace(
            facts_of(str(self.column.name), self.kind, self.limits),
            everywhere=self.fits.everywhere,
            room=min(known, default=None),
            longest=None if unlimited else min([max(known, default=0), *asked_length]),
            exact=next((fit.exact for fit in fits if fit.exact is not None), None),
            aware=bool(getattr(self.column.type, "timezone", False)),
        )

    # What is taken of it

    def tidied(self, value: Any) -> Any:
        """Return a value as it is given to SQLAlchemy; ``REFUSED`` if the column has none such."""
        if value is None or value is REFUSED:
            return REFUSED
        try:
            stored = self.fits.settled(value) if self.settle else value
            back = self._returned(stored)
        except ValueError:
            return REFUSED
        if self._is_altered(value, stored):
            return REFUSED
        passes = self._refused_by_field(back) is None
        return stored if passes and self.fits.anywhere(stored) else REFUSED

    def _is_altered(self, value: Any, stored: Any) -> bool:
        """Tell whether an override's value would be stored as another than was given."""
        return self.override is not None and stored is not value and not alike(stored, value)

    def _returned(self, value: Any) -> Any:
        """Return what comes back of a value from the first engine that has the column."""
        return self.fits.returned(value, self.fits.dialects[0])

    def _refused_by_field(self, value: Any) -> Exception | None:
        """Return what a field of the application's own raises; a strict one of ours asks no more.

        It must write a value and read that again, and may yet lose some of it: that is for a
        round trip to find.
        """
        if self.own is None or value is None:
            return None
        try:
            written = self.own._serialize(value, self.own.name, {self.own.name: value})
            if written is not None:
                self.own.deserialize(written)
        except Exception as error:  # a field of the application's own may raise anything
            return error
        return None

    def key(self, value: Any) -> Any:
        """Return what tells values apart."""
        return repr(value) if self.kind is None else written_key(self.kind, value)

    def plain_values(self, supply: Supply, drawn: Strategy | None) -> PlainValues:
        """Return the plain values; an error where there is none."""
        listed = "choices" in self.limits or self.override is not None

        def key(value: Any) -> Any:
            """Tell values apart that have been stored, also where case and blanks don't count."""
            back = self._returned(value)
            folds = isinstance(self.kind, Text) and isinstance(back, str) and not listed
            return back.casefold().rstrip() if folds else self.key(back)

        def look_in(more: Supply) -> PlainValues:
            return PlainValues(self._harmless(more), key, more.count)

        plain = look_in(supply)
        # Where plain samples won't do, all others are looked through.
        if not plain.values and supply.edges and not listed:
            plain = look_in(listed_supply(supply.edges))
        if not plain.values and drawn is not None and not listed:
            plain = look_in(strategy_supply(drawn))
        if plain.values:
            return plain
        raise self._none_found(supply.plain(0))

    def _none_found(self, tried: Any) -> DeclarationError:
        """Return the error for a column of which nothing that was tried can stand everywhere."""
        if self.override is not None:
            return self._wrong_override(tried)
        return self.error(
            "has no value that its validators take and all engines hold, as far as was "
            f"tried (one was {shown(tried)}{self._refusal(tried)})"
        )

    def _wrong_override(self, value: Any) -> DeclarationError:
        """Return the error for an override's value that the column can't hold as it is."""
        column = f"{self.column.table.fullname}.{self.column.name}"
        settled = value
        with suppress(ValueError):
            settled = self.fits.settled(value) if self.settle and value is not None else value
        if self._is_altered(value, settled):
            return DeclarationError(
                f"overrides for {column} gave {shown(value)}, of which {self.column.type!r} makes "
                f"{shown(settled)}, and a foreign key of another type refers to the "
                "column; draw values as they come back, or give both columns one type"
            )
        return DeclarationError(
            f"overrides for {column} gave {shown(value)}, which {self.column.type!r}, its field or "
            f"some engine doesn't take{self._refusal(value)}; draw values of its type, length and "
            "range"
        )

    def _refusal(self, value: Any) -> str:
        """Say why a type or field of the application's own refuses a value, where that is why."""
        raised = self.fits.refused(value) or self._refused_by_field(value)
        return "" if raised is None else f": {raised!r}"

    def _harmless(self, supply: Supply) -> Callable[[int], Any]:
        def candidate(n: int) -> Any:
            value = self._offered(supply.plain(n))
            is_plain = value is not None and value is not REFUSED and self.fits.everywhere(value)
            return value if is_plain else REFUSED

        return candidate

    def _offered(self, value: Any) -> Any:
        """Return a value, or ``REFUSED``; an override's must be one, or null where that may be."""
        stored = self.tidied(value)
        if stored is not REFUSED or value is REFUSED or self.override is None:
            return stored
        if value is None and self.nullable:
            return None
        raise self._wrong_override(value)

    def hostile(self, supply: Supply, drawn: Strategy | None, plain: PlainValues) -> Strategy:
        """Return what draws edges and more; what no engine takes gives way to a plain value."""
        first = plain(0)
        values_by_key = {self.key(first): first}
        for edge in supply.edges:
            value = self.tidied(edge)
            if value is not REFUSED:
                values_by_key.setdefault(self.key(value), value)

        def tidy(value: Any) -> Any:
            stored = self._offered(value)
            return first if stored is REFUSED else stored

        worst = picked(supply.worst).map(tidy) if supply.worst else None
        more = None if drawn is None else drawn.map(tidy)
        return joined(picked(list(values_by_key.values())), worst, more)

    def error(self, problem: str) -> DeclarationError:
        """Return the error for a column that can't be drawn."""
        column = f"{self.column.table.fullname}.{self.column.name}"
        return DeclarationError(
            f"{column} ({self.column.type!r}) {problem}; say what draws them, "
            f"overrides={{{column!r}: strategy}}, or declare a field of one of marshmallow's "
            "classes for the column"
        )
