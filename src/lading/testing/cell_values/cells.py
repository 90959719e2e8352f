"""How the cells of one column are drawn: plain values, hostile ones, and what holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain, count, islice
from typing import Any

from hypothesis import strategies as st
from marshmallow import fields
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
from lading.samples.patterns import pattern_supply
from lading.samples.supply import Facts, Supply, facts_of, listed_supply
from lading.testing.cell_values.drawn import (
    ANY,
    Strategy,
    drawn_lists,
    drawn_values,
    joined,
    picked,
)
from lading.testing.cell_values.harmless import all_of, distinct
from lading.testing.cell_values.storable import Fits, written_key
from lading.values.arrays import Array
from lading.values.base import Kind
from lading.values.scalars import Json, Text

#: How many samples of a field of the application's own are drawn from.
MANY = 1_000
#: How many values an error names that are refused.
EXAMPLES = 3


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
        #: What a field of the application's own writes and reads, if it is one.
        self.own = None if isinstance(self.field, ValueField | None) else FieldKind(self.field)
        self.classes = classes if value is None or value.classes is None else value.classes
        self.nullable = bool(column.nullable) and (value is None or value.nullable)
        self.override = override
        # A pickle is one of several of its object; that of a copy is the one that comes back.
        self.settle = settle or isinstance(self.type, sqltypes.PickleType)
        self.limits = {} if self.field is None else limits_of(self.field, self.kind)
        if not self.fits:
            raise self._error("has a type that no engine has")
        #: Samples of the column's values, if any are known, and a strategy of more.
        self.samples, self.drawn = self._sources(self._facts())
        self._find_plain()

    def plain(self, n: int) -> Any:
        """Return the harmless value of a number; beyond the last they begin again."""
        if n >= len(self._plain):
            self._plain += islice(self._more, n + 1 - len(self._plain))
        return self._plain[n % len(self._plain)]

    @cached_property
    def hostile(self) -> Strategy:
        """Draws edges and more; what no engine takes gives way to a plain value."""
        plain, samples = self.plain(0), self.samples or Supply(self.plain)
        accepted = partial(self._accepted, otherwise=plain)
        edges = [plain, *map(accepted, samples.edges)]
        return joined(
            picked({written_key(self.kind, edge): edge for edge in edges}.values()),
            picked(samples.worst).map(accepted) if samples.worst else None,
            # Built, for one_of would count each way to draw as much as all edges.
            None if self.drawn is None else st.builds(accepted, self.drawn),
        )

    # What is drawn from

    def _facts(self) -> Facts:
        """Return what is known of the column's values."""
        facts = facts_of(str(self.column.name), self.kind, self.limits)
        lengths = [fit.length for fit in self.fits.values()]
        known = [length for length in (*lengths, facts.longest) if length is not None]
        is_known = facts.longest is not None or None in lengths
        return replace(
            facts,
            everywhere=self.everywhere,
            room=min(known, default=None),
            longest=facts.longest if is_known else max(known),
            exact=next(filter(None, (fit.exact for fit in self.fits.values())), None),
            aware=bool(getattr(self.type, "timezone", False)),
        )

    def _sources(self, facts: Facts) -> tuple[Supply | None, Strategy | None]:
        """Return samples of the column's values, if any are known, and a strategy of more."""
        kind, type_, limits = self.kind, self.type, self.limits
        numbers = st.integers(0, MANY)
        if self.override is not None:
            return None, self.override
        if kind is None:  # no record carries it
            is_pickle = isinstance(type_, sqltypes.PickleType)
            return (Supply(lambda n: [facts.word, n]) if is_pickle else None), None
        if "choices" in limits:
            return listed_supply(_read(kind, limits["choices"]), facts), None
        if isinstance(type_, EngineType):
            return engine_supply(type_, facts), None
        is_text = isinstance(kind, Text | FieldKind)
        if is_text and (pattern := next(patterns_of(self.field), None)) is not None:
            samples = pattern_supply(pattern)
            texts = st.from_regex(pattern, fullmatch=True, alphabet=ANY)
            return samples, joined(numbers.map(samples.plain), texts)
        if "parts" in limits:
            return None, drawn_lists(limits["parts"], kind, facts)
        if (supply := self._by_field(facts)) is not None:
            return supply, numbers.map(supply.plain)
        return kind_supply(kind, type_, facts), drawn_values(kind, type_, facts)

    def _by_field(self, facts: Facts) -> Supply | None:
        """Return the values of the field's class, where it says more than the column's type."""
        addresses = address_supply(self.field, facts)
        if addresses is not None or self.own is None:
            return addresses
        field = self.own.field
        is_vague = isinstance(field, fields.String) or class_of(field) in (fields.Raw, fields.Field)
        # Which texts a type takes that nobody knows, a field of any texts doesn't say.
        is_known = isinstance(self.type, TypeDecorator) or not is_vague
        kinds = FieldKind if is_vague else FieldKind | Json | Array
        return field_supply(field, facts) if is_known and isinstance(self.kind, kinds) else None

    # What the column accepts

    def _accepted(self, value: Any, *, otherwise: Any = None) -> Any:
        """Return a value as it is given to SQLAlchemy, or another if the column has none such.

        An override's must be one, or null where that may be.
        """
        try:
            return self._for_core(value)
        except ValueError as error:
            if self.override is None:
                return otherwise
            if value is None and self.nullable:
                return None
            raise DeclarationError(
                "overrides-needed",
                f"overrides for {self.name} gave {shown(value)}, which {self.type!r}, its field or "
                f"some engine doesn't take ({error}); draw values of its type, length and range",
            ) from error

    def _for_core(self, value: Any) -> Any:
        """Return a value as it is given to SQLAlchemy; ``ValueError`` says why it can't be.

        A field of ours asks no more than its kind.  One of the application's own must write the
        value and read that again, and may yet lose some of it: that is for a round trip to find.
        """
        if value is None:
            raise ValueError("it is null")
        stored = self.returned(value) if self.settle else value
        back = self.returned(stored)
        if self.own is not None and back is not None:
            written = self.own.write(back)
            if written is not None:
                self.own.read(written)
        is_changed = self.settle and (back is None or not alike(back, stored))
        if is_changed or (self.override is not None and not alike(stored, value)):
            raise ValueError(
                f"it makes {shown(back)} of it, which a foreign key of another type must hold"
            )
        if not any(fit.holds(stored) for fit in self.fits.values()):
            raise ValueError("no engine holds it")
        return stored

    def _find_plain(self) -> None:
        """Find the first plain value: where samples won't do, among edges and what is drawn."""
        for source in self._candidates():
            self._more = distinct(map(self._harmless, source), self._key)
            if first := list(islice(self._more, 1)):
                self._plain = first
                return
        examples = map(shown, islice(chain.from_iterable(self._candidates()), EXAMPLES))
        raise self._error(
            "has no known value that its validators take and all engines hold "
            f"({', '.join(examples) or 'its type tells none'})"
        )

    def _candidates(self) -> Iterator[Iterator[Any]]:
        """Yield samples by number, edges and what is drawn, each as far as there are any."""
        if (samples := self.samples) is not None:
            yield map(samples.plain, count() if samples.count is None else range(samples.count))
            yield iter(samples.edges)
        if self.drawn is not None:
            yield all_of(self.drawn)

    def _harmless(self, value: Any) -> Any:
        """Return a value as it is given to SQLAlchemy, if all engines hold it; else ``None``."""
        stored = self._accepted(value)
        return stored if stored is not None and self.everywhere(stored) else None

    def _key(self, value: Any) -> Any:
        """Tell values apart that have been stored, also where case and blanks don't count."""
        back = self.returned(value)
        folds = isinstance(self.kind, Text) and isinstance(back, str)
        return back.casefold().rstrip() if folds else written_key(self.kind, back)

    def _error(self, problem: str) -> DeclarationError:
        """Return the error for a column that can't be drawn."""
        return DeclarationError(
            "overrides-needed",
            f"{self.name} ({self.type!r}) {problem}; say what draws its values, "
            f"overrides={{{self.name!r}: strategy}}, or declare a field of one of marshmallow's "
            "classes for the column",
        )


def _read(kind: Kind, choices: Iterable[Any]) -> Iterator[Any]:
    """Yield the values that a validator names, which are in written form."""
    for written in choices:
        with suppress(ValueError):
            yield kind.read(written)
