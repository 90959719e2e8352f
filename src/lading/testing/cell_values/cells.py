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
    nullable = value.nullable and bool(value.column.nullable)
    return _ColumnDrawing(value.carrier, value.kind, field, override, settle, nullable).cells()


def cells_of_column(
    column: Column, *, override: SearchStrategy[Any] | None = None, settle: bool = False
) -> Cells:
    """Return how a column is drawn that no schema carries; see :func:`cells_of`."""
    # What a type converts in SQL has a form in Python that only the type knows.
    kind = None if converts_in_sql(column.type) else kind_of(column.type)
    return _ColumnDrawing(column, kind, None, override, settle, bool(column.nullable)).cells()


@dataclass
class _ColumnDrawing:
    """Puts together how one column is drawn."""

    column: Column
    kind: Kind | None
    field: ma.fields.Field[Any] | None
    override: Strategy | None
    settle: bool
    nullable: bool

    def __post_init__(self) -> None:
        self.name = f"{self.column.table.fullname}.{self.column.name}"
        self.fits = Fits(self.column, self.kind)
        self.limits = {} if self.field is None else limits_of(self.field, self.kind)
        #: What a field of the application's own writes and reads, if it is one.
        self.own: FieldKind | None = None
        if self.field is not None and not isinstance(self.field, ValueField):
            self.own = FieldKind(self.field)
        # A pickle is one of several of its object; that of a copy is the one that comes back.
        self.settle = self.settle or isinstance(self.column.type, sqltypes.PickleType)

    def cells(self) -> Cells:
        """Return the column's cells."""
        if not self.fits.fits:
            raise self.error("has a type that no engine has")
        supply, drawn = self.sources(self.facts())
        if supply is None:
            raise self.error("has values that can't be told from its type")
        plain = self.plain_values(supply, drawn)
        hostile = self.hostile(supply, drawn, plain(0))
        return Cells(plain, hostile, self.fits.holds, plain.size, self.fits)

    # What is drawn from

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

    def sources(self, facts: Facts) -> tuple[Supply | None, Strategy | None]:
        """Return samples of the column's values, if any are known, and a strategy of more."""
        kind, type_, limits = self.kind, self.column.type, self.limits
        if self.override is not None:
            return strategy_supply(self.override), self.override
        if (choices := limits.get("choices")) is not None:
            return listed_supply(self._read(choices) or [None], facts), None
        is_text = isinstance(kind, Text | FieldKind)
        if is_text and (pattern := next(patterns_of(self.field), None)) is not None:
            plain = matching(pattern, plain=True)
            return strategy_supply(plain), joined(plain, matching(pattern, plain=False))
        if (parts := limits.get("parts")) is not None:
            lists = self._of_parts(parts)
            return strategy_supply(lists), lists
        if (supply := self._by_field(facts)) is not None:
            return supply, st.integers(0, MANY).map(supply.plain)
        if kind is None and isinstance(type_, sqltypes.PickleType):
            return Supply(lambda n: [facts.word, n], None, OBJECTS), None
        if kind is None or isinstance(kind, FieldKind):
            return None, None
        return kind_supply(kind, type_, facts), drawn_values(kind, type_, facts)

    def _read(self, written: Sequence[Any]) -> list[Any]:
        """Return the values of what a validator names, which are in written form."""
        values = list(written)
        for place, text in enumerate(values):
            with suppress(ValueError):
                values[place] = text if self.kind is None else self.kind.read(text)
        return values

    def _of_parts(self, parts: Sequence[Any]) -> Strategy:
        """Return lists, or texts, of some items alone."""
        least = int(self.limits.get("shortest", 0))
        most = max(least, 1, min(self.limits.get("longest", LONGEST_LIST), LONGEST_LIST))
        lists = st.lists(st.sampled_from(list(parts) or [None]), min_size=least, max_size=most)
        return lists.map("".join) if isinstance(self.kind, Text) else lists

    def _by_field(self, facts: Facts) -> Supply | None:
        """Return the values of the field's class, where it says more than the column's type."""
        kind, own = self.kind, self.own
        if isinstance(kind, Text | FieldKind):
            supply = address_supply(self.field, facts)
            if supply is not None or isinstance(kind, Text) or self._is_in_the_dark(kind.field):
                return supply
            return field_supply(kind.field, facts)
        says_more = own is not None and class_of(own.field) not in OPEN
        if own is not None and says_more and isinstance(kind, Json | Array):
            return field_supply(own.field, facts)
        return None

    def _is_in_the_dark(self, field: ma.fields.Field[Any]) -> bool:
        """Tell whether neither field nor type says which texts a column takes."""
        type_ = self.column.type
        is_text = isinstance(field, ma.fields.String) or class_of(field) is ma.fields.Raw
        takes_any = isinstance(type_, TypeDecorator | sqltypes.PickleType)
        return is_text and not takes_any and kind_of(type_) is None

    # What is taken of it

    def taken(self, value: Any) -> Any:
        """Return a value as it is given to SQLAlchemy; ``REFUSED`` if the column has none such.

        An override's must be one, or null where that may be.
        """
        stored = REFUSED if value is None or value is REFUSED else self._stored(value)
        if stored is not REFUSED or value is REFUSED or self.override is None:
            return stored
        if value is None and self.nullable:
            return None
        raise DeclarationError(
            "overrides-needed",
            f"overrides for {self.name} gave {shown(value)}, which {self.column.type!r}, its field "
            f"or some engine doesn't take{self._refusal(value)}; draw values of its type, length "
            "and range",
        )

    def _stored(self, value: Any) -> Any:
        """Return a value, or what comes back of it; a field of ours asks no more than its kind.

        One of the application's own must write it and read that again, and may yet lose some
        of it: that is for a round trip to find.
        """
        try:
            stored = self._returned(value) if self.settle else value
            back = self._returned(stored)
            self._read_again(back)
        except ValueError:
            return REFUSED
        is_changed = self.settle and (back is None or not alike(back, stored))
        is_other = self.override is not None and stored is not value and not alike(stored, value)
        return REFUSED if is_changed or is_other or not self.fits.anywhere(stored) else stored

    def _returned(self, value: Any) -> Any:
        """Return what comes back of a value from the first engine that has the column."""
        return self.fits.returned(value, next(iter(self.fits.fits)))

    def _read_again(self, value: Any) -> None:
        """Raise ``ValueError`` where a field of the application's own doesn't take a value."""
        written = None if self.own is None or value is None else self.own.write(value)
        if self.own is not None and written is not None:
            self.own.read(written)

    def _refusal(self, value: Any) -> str:
        """Say why a type or field of the application's own refuses a value, where that is why."""
        try:
            self.fits.try_out(value)
            self._read_again(value)
        except Exception as error:  # a type of the application's own may raise anything
            return f": {error!r}"
        back = self._returned(value)
        if not self.settle or alike(back, value):
            return ""
        return f" (it makes {shown(back)} of it, which a foreign key of another type must hold)"

    def plain_values(self, supply: Supply, drawn: Strategy | None) -> PlainValues:
        """Return the plain values; an error where there is none."""
        listed = "choices" in self.limits or self.override is not None

        def key(value: Any) -> Any:
            """Tell values apart that have been stored, also where case and blanks don't count."""
            back = self._returned(value)
            folds = isinstance(self.kind, Text) and isinstance(back, str) and not listed
            return back.casefold().rstrip() if folds else written_key(self.kind, back)

        def look_in(more: Supply) -> PlainValues:
            def candidate(n: int) -> Any:
                value = self.taken(more.plain(n))
                is_plain = value is not None and value is not REFUSED
                return value if is_plain and self.fits.everywhere(value) else REFUSED

            return PlainValues(candidate, key, more.count)

        plain = look_in(supply)
        # Where plain samples won't do, all others are looked through.
        if not plain.values and supply.edges and not listed:
            plain = look_in(listed_supply(supply.edges))
        if not plain.values and drawn is not None and not listed:
            plain = look_in(strategy_supply(drawn))
        if plain.values:
            return plain
        tried = supply.plain(0)
        raise self.error(
            "has no value that its validators take and all engines hold, as far as was "
            f"tried (one was {shown(tried)}{self._refusal(tried)})"
        )

    def hostile(self, supply: Supply, drawn: Strategy | None, plain: Any) -> Strategy:
        """Return what draws edges and more; what no engine takes gives way to a plain value."""

        def taken(value: Any) -> Any:
            stored = self.taken(value)
            return plain if stored is REFUSED else stored

        all_edges = map(taken, (REFUSED, *supply.edges))
        edges = {written_key(self.kind, value): value for value in all_edges}
        worst = picked(supply.worst).map(taken) if supply.worst else None
        more = None if drawn is None else drawn.map(taken)
        return joined(picked(list(edges.values())), worst, more)

    def error(self, problem: str) -> DeclarationError:
        """Return the error for a column that can't be drawn."""
        return DeclarationError(
            "overrides-needed",
            f"{self.name} ({self.column.type!r}) {problem}; say what draws them, "
            f"overrides={{{self.name!r}: strategy}}, or declare a field of one of marshmallow's "
            "classes for the column",
        )
