"""How the cells of one column are drawn: plain values, hostile ones, and what holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
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
from lading.mapping.engine_types import EngineType
from lading.mapping.fields import ValueField
from lading.messages import shown
from lading.model.rowsets import Classes, Column, Value
from lading.samples.constraints import limits_of
from lading.samples.engine_types import engine_supply
from lading.samples.fields import address_supply, field_supply, patterns_of
from lading.samples.kinds import kind_supply
from lading.samples.patterns import matching
from lading.samples.supply import Facts, Supply, facts_of, listed_supply
from lading.testing.cell_values.drawn import ANY, drawn_values, joined, picked
from lading.testing.cell_values.harmless import PlainValues, all_of
from lading.testing.cell_values.storable import Fits, written_key
from lading.values.arrays import Array
from lading.values.scalars import Json, Text

#: Objects of Python's, for columns that take any.
OBJECTS: tuple[Any, ...] = ([], {}, "", 0, {"a": (1, None)}, [1.5, b"\xff"], {1, 2})
LONGEST_LIST = 4
#: Fields that say nothing of their values.
OPEN = (ma.fields.Raw, ma.fields.Field)
#: How many samples of a field of the application's own are drawn from.
MANY = 1_000
#: How many lengths of texts that a pattern matches are tried.
LENGTHS = 4
#: What stands for a value that the column doesn't take.
REFUSED: Any = object()

Strategy = SearchStrategy[Any]


class Cells(Fits):
    """How one column's cells are drawn; null is none of them, unless an override gives it.

    ``plain(n)`` is a harmless value that every engine holds which has such a column, another
    for each ``n`` as far as the type and the validators allow; ``hostile`` draws what breaks
    things, each value held by one engine at least; ``classes`` are those whose rows have the
    column.

    Args:
        column: The column.
        value: The field that carries it, if there is one.
        classes: Those that have the column's table.
        override: Draws its values instead.
        settle: Whether only what the column's type gives back is drawn: values that a column of
            another type may hold as well.

    Raises:
        DeclarationError: The column's values aren't known, or an override gives one that it
            can't hold; the text names the column.
    """

    def __init__(
        self,
        column: Column,
        value: Value | None = None,
        classes: Classes = None,
        *,
        override: Strategy | None = None,
        settle: bool = False,
    ) -> None:
        self.name = f"{column.table.fullname}.{column.name}"
        self.column = column
        # What a type converts in SQL has a form in Python that only the type knows.
        in_python = None if converts_in_sql(column.type) else kind_of(column.type)
        self.kind = in_python if value is None else value.kind
        carrier = column if value is None else value.carrier
        super().__init__(carrier, self.kind)
        self.type = carrier.type
        self.field = None if value is None else value.field
        self.classes = classes if value is None or value.classes is None else value.classes
        self.nullable = bool(column.nullable) and (value is None or value.nullable)
        self.override = override
        # A pickle is one of several of its object; that of a copy is the one that comes back.
        self.settle = settle or isinstance(self.type, sqltypes.PickleType)
        self.limits = {} if self.field is None else limits_of(self.field, self.kind)
        #: What a field of the application's own writes and reads, if it is one.
        self.own: FieldKind | None = None
        if self.field is not None and not isinstance(self.field, ValueField):
            self.own = FieldKind(self.field)
        if not self.fits:
            raise self._error("has a type that no engine has")
        samples, drawn = self._sources(self._facts())
        if samples is None:
            raise self._error("has values that can't be told from its type")
        self.plain = self._plain_values(samples, drawn)
        self.hostile = self._hostile(samples, drawn)

    # What is drawn from

    def _facts(self) -> Facts:
        """Return what is known of the column's values."""
        fits = list(self.fits.values())
        lengths = [fit.length for fit in fits]
        asked_length = [self.limits["longest"]] if "longest" in self.limits else []
        known = [length for length in lengths if length is not None] + asked_length
        unlimited = None in lengths and not asked_length
        return replace(
            facts_of(str(self.column.name), self.kind, self.limits),
            everywhere=self.everywhere,
            room=min(known, default=None),
            longest=None if unlimited else min([max(known, default=0), *asked_length]),
            exact=next((fit.exact for fit in fits if fit.exact is not None), None),
            aware=bool(getattr(self.type, "timezone", False)),
        )

    def _sources(self, facts: Facts) -> tuple[Supply | Strategy | None, Strategy | None]:
        """Return samples of the column's values, if any are known, and a strategy of more."""
        kind, type_, limits = self.kind, self.type, self.limits
        if self.override is not None:
            return self.override, self.override
        if (choices := limits.get("choices")) is not None:
            return listed_supply([*map(self._read, choices)] or [None], facts), None
        if isinstance(type_, EngineType):
            return engine_supply(type_, facts), None
        is_text = isinstance(kind, Text | FieldKind)
        if is_text and (pattern := next(patterns_of(self.field), None)) is not None:
            samples = Supply(lambda n: matching(pattern, n // LENGTHS, more=n % LENGTHS))
            texts = st.from_regex(pattern, fullmatch=True, alphabet=ANY)
            return samples, joined(st.integers(0, MANY).map(samples.plain), texts)
        if (parts := limits.get("parts")) is not None:
            lists = self._of_parts(parts)
            return lists, lists
        if (supply := self._by_field(facts)) is not None:
            return supply, st.integers(0, MANY).map(supply.plain)
        if kind is None and isinstance(type_, sqltypes.PickleType):
            return Supply(lambda n: [facts.word, n], None, OBJECTS), None
        if kind is None or isinstance(kind, FieldKind):
            return None, None
        return kind_supply(kind, type_, facts), drawn_values(kind, type_, facts)

    def _read(self, written: Any) -> Any:
        """Return the value of what a validator names, which is in written form."""
        try:
            return written if self.kind is None else self.kind.read(written)
        except ValueError:
            return written

    def _of_parts(self, parts: Sequence[Any]) -> Strategy:
        """Return lists, or texts, of some items alone."""
        least = int(self.limits.get("shortest", 0))
        most = max(least, 1, min(self.limits.get("longest", LONGEST_LIST), LONGEST_LIST))
        lists = st.lists(st.sampled_from(list(parts) or [None]), min_size=least, max_size=most)
        return lists.map("".join) if isinstance(self.kind, Text) else lists

    def _by_field(self, facts: Facts) -> Supply | None:
        """Return the values of the field's class, where it says more than the column's type."""
        kind, field = self.kind, self.field
        if field is None or not isinstance(kind, Text | FieldKind | Json | Array):
            return None
        if isinstance(kind, Json | Array):
            says_more = self.own is not None and class_of(field) not in OPEN
        else:
            if (addresses := address_supply(field, facts)) is not None:
                return addresses
            says_more = isinstance(kind, FieldKind) and not self._is_in_the_dark(field)
        return field_supply(field, facts) if says_more else None

    def _is_in_the_dark(self, field: ma.fields.Field[Any]) -> bool:
        """Tell whether neither field nor type says which texts a column takes."""
        is_text = isinstance(field, ma.fields.String) or class_of(field) is ma.fields.Raw
        takes_any = isinstance(self.type, TypeDecorator | sqltypes.PickleType)
        return is_text and not takes_any and kind_of(self.type) is None

    # What is taken of it

    def _taken(self, value: Any) -> Any:
        """Return a value as it is given to SQLAlchemy; ``REFUSED`` if the column has none such.

        An override's must be one, or null where that may be.
        """
        refusal = self._refusal(value)
        if refusal is None:
            return self.returned(value) if self.settle else value
        if self.override is None:
            return REFUSED
        if value is None and self.nullable:
            return None
        raise DeclarationError(
            "overrides-needed",
            f"overrides for {self.name} gave {shown(value)}, which {self.type!r}, its field or "
            f"some engine doesn't take{refusal}; draw values of its type, length and range",
        )

    def _refusal(self, value: Any) -> str | None:
        """Say why the column takes no such value, empty where nobody knows; ``None`` if it does.

        A field of ours asks no more than its kind.  One of the application's own must write the
        value and read that again, and may yet lose some of it: that is for a round trip to find.
        """
        if value is None:
            return ""
        try:
            stored = self.returned(value) if self.settle else value
            back = self.returned(stored)
            self._read_again(back)
        except ValueError as error:
            return f": {error}"
        is_changed = self.settle and (back is None or not alike(back, stored))
        if is_changed or (self.override is not None and not alike(stored, value)):
            return f" (it makes {shown(back)} of it, which a foreign key of another type must hold)"
        return None if self.anywhere(stored) else ""

    def _read_again(self, value: Any) -> None:
        """Raise ``ValueError`` where a field of the application's own doesn't take a value."""
        written = None if self.own is None or value is None else self.own.write(value)
        if self.own is not None and written is not None:
            self.own.read(written)

    def _plain_values(self, samples: Supply | Strategy, drawn: Strategy | None) -> PlainValues:
        """Return the plain values; an error where there is none."""
        listed = "choices" in self.limits or self.override is not None

        def key(value: Any) -> Any:
            """Tell values apart that have been stored, also where case and blanks don't count."""
            back = self.returned(value)
            folds = isinstance(self.kind, Text) and isinstance(back, str) and not listed
            return back.casefold().rstrip() if folds else written_key(self.kind, back)

        def plain_among(candidates: Iterator[Any]) -> Iterator[Any]:
            for value in map(self._taken, candidates):
                is_plain = value is not None and value is not REFUSED
                yield value if is_plain and self.everywhere(value) else None

        sources = [_in_order(samples)]
        if not listed:  # where plain samples won't do, all others are looked through
            edges = samples.edges if isinstance(samples, Supply) else ()
            sources += [iter(edges), all_of(st.nothing() if drawn is None else drawn)]
        for source in sources:
            if (plain := PlainValues(plain_among(source), key)).values:
                return plain
        tried = next(_in_order(samples), None)
        raise self._error(
            "has no value that its validators take and all engines hold, as far as was "
            f"tried (one was {shown(tried)}{self._refusal(tried) or ''})"
        )

    def _hostile(self, samples: Supply | Strategy, drawn: Strategy | None) -> Strategy:
        """Return what draws edges and more; what no engine takes gives way to a plain value."""
        plain = self.plain(0)

        def taken(value: Any) -> Any:
            stored = self._taken(value)
            return plain if stored is REFUSED else stored

        edges, worst = (samples.edges, samples.worst) if isinstance(samples, Supply) else ((), ())
        few = {written_key(self.kind, value): value for value in (plain, *map(taken, edges))}
        return joined(
            picked(list(few.values())),
            picked(worst).map(taken) if worst else None,
            # Built, for one_of would count each way to draw as much as all edges.
            None if drawn is None else st.builds(taken, drawn),
        )

    def _error(self, problem: str) -> DeclarationError:
        """Return the error for a column that can't be drawn."""
        return DeclarationError(
            "overrides-needed",
            f"{self.name} ({self.type!r}) {problem}; say what draws them, "
            f"overrides={{{self.name!r}: strategy}}, or declare a field of one of marshmallow's "
            "classes for the column",
        )


def _in_order(samples: Supply | Strategy) -> Iterator[Any]:
    """Yield samples by number, as many as there are."""
    if not isinstance(samples, Supply):
        return all_of(samples)
    return map(samples.plain, count() if samples.count is None else range(samples.count))
