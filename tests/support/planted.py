"""Mistakes for ``planting``: each loses or alters something of a world of the zoo."""

from __future__ import annotations

import datetime as dt
import struct
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.mapping.members import Members
from lading.model.rowsets import RowSet
from lading.values.datetimes import DateTime
from lading.values.scalars import Boolean, Choice, Float, Number, Text
from support.planting import (
    Row,
    exported,
    exported_whole,
    inserted,
    read_as,
    replaced,
    stored_as,
    together,
    updated,
    written_as,
)
from support.zoo import Color

Patch = AbstractContextManager[Any]


@dataclass(frozen=True)
class Mistake:
    """A mistake, the world that it is planted in, and what it hits.

    A failure must name one of the ``entities``, with one of the ``fields``; ``None`` among
    these stands for whole records.
    """

    name: str
    plant: Callable[[], Patch]
    world: str
    entities: tuple[str, ...]
    fields: tuple[str | None, ...]


MISTAKES: list[Mistake] = []
Plant = Callable[[], Patch]


def mistake(
    world: str, entities: str | tuple[str, ...], *fields: str | None
) -> Callable[[Plant], Plant]:
    """Add a mistake that hits fields of an entity, or of each of several."""
    hit = (entities,) if isinstance(entities, str) else entities

    def add(plant: Plant) -> Plant:
        MISTAKES.append(Mistake(plant.__name__, plant, world, hit, fields or (None,)))
        return plant

    return add


# Columns


@mistake("values", "values", "day")
def column_forgotten_by_the_declarations() -> Patch:
    """Nullable dates aren't carried, and coverage says that they are."""

    def value(plain: Any) -> Any:
        def made(self: Members, column: sa.Column[Any]) -> None:
            if not (column.nullable and isinstance(column.type, sa.Date)):
                plain(self, column)

        return made

    def carried(plain: Any) -> Any:
        return lambda self: plain(self) | set(self.table.columns)

    return together(replaced(Members, "_value", value), replaced(RowSet, "carried", carried))


@mistake("defaults", "users", "last")
def column_left_to_its_default() -> Patch:
    return together(
        exported("users", lambda record: record.update(last="Lee")),
        inserted("users", lambda row: row.pop("last")),
    )


@mistake("defaults", "users", "last")
def column_left_to_its_default_on_import() -> Patch:
    return inserted("users", lambda row: row.pop("last"))


@mistake("optional_keys", "items", "note")
def column_dropped_on_both_sides() -> Patch:
    return together(
        exported("items", lambda record: record.update(note=None)),
        inserted("items", lambda row: row.update(note=None)),
    )


# References


def swapped(one: str, two: str) -> Callable[[Row], None]:
    def swap(row: Row) -> None:
        row[one], row[two] = row[two], row[one]

    return swap


@mistake("shop", "products", "supplier", "fallback")
def referencesswappedped_on_export() -> Patch:
    return exported("products", swapped("supplier", "fallback"))


@mistake("shop", "products", "supplier", "fallback")
def referencesswappedped_on_import() -> Patch:
    return inserted("products", swapped("supplier_id", "fallback_id"))


@mistake("shop", "products", "supplier", "fallback")
def referencesswappedped_on_both_sides() -> Patch:
    return together(referencesswappedped_on_export(), referencesswappedped_on_import())


@mistake("shop", "products", "supplier")
def id_instead_of_a_key() -> Patch:
    ids: dict[str, str] = {}

    def numbered(records: list[Row]) -> list[Row]:
        for record in records:
            if record["supplier"] is not None:
                slug = record["supplier"]["slug"]
                record["supplier"] = {"slug": ids.setdefault(slug, str(len(ids) + 1))}
        return records

    return exported_whole("products", numbered)


@mistake("shop", "suppliers", "id")
def id_beside_the_key() -> Patch:
    def numbered(records: list[Row]) -> list[Row]:
        return [{**record, "id": place} for place, record in enumerate(records, 1)]

    return exported_whole("suppliers", numbered)


@mistake("family", "people", "parent")
def reference_to_oneself_lost() -> Patch:
    def lose(row: Row) -> None:
        if row["parent_id"] == row["id"]:
            row["parent_id"] = None

    return inserted("people", lose)


@mistake("family", "people", "parent")
def reference_in_a_circle_never_set() -> Patch:
    return updated("people", lambda row: False)


@mistake("cycle", "departments", "head")
def deferred_reference_never_set() -> Patch:
    return updated("departments", lambda row: False)


@mistake("cycle", "departments", "head")
def deferred_reference_set_for_some_rows_only() -> Patch:
    return updated("departments", lambda row: row[0] % 2 == 0)


# Values


@mistake("shop", "products", "price")
def decimal_rounded_on_export() -> Patch:
    return read_as(Number, lambda text: f"{text[:-1]}0")


@mistake("shop", "products", "price")
def decimal_rounded_on_import() -> Patch:
    return written_as(Number, lambda text: f"{text[:-1]}0")


@mistake("values", "values", "measure", "must_measure")
def float_made_single() -> Patch:
    def single(value: Any) -> Any:
        try:
            return struct.unpack("f", struct.pack("f", value))[0]
        except OverflowError:
            return value

    return stored_as(Float, single)


def _shifted(hours: int) -> Callable[[str], str]:
    def shift(text: str) -> str:
        if not text.endswith("Z"):
            return text
        try:
            moved = dt.datetime.fromisoformat(text) + dt.timedelta(hours=hours)
        except OverflowError:
            return text
        return moved.isoformat().replace("+00:00", "Z")

    return shift


@mistake("values", "values", "aware", "must_aware")
def zone_lost_on_both_sides() -> Patch:
    """What the database holds is taken for the clock of a place in the east."""
    return together(read_as(DateTime, _shifted(-2)), written_as(DateTime, _shifted(2)))


@mistake("values", "values", "aware", "must_aware")
def zone_lost_on_import() -> Patch:
    return written_as(DateTime, _shifted(2))


def _whole_seconds(text: str) -> str:
    clock, dot, fraction = text.partition(".")
    return clock + fraction.lstrip("0123456789") if dot else text


@mistake("values", "values", "moment", "must_moment", "aware", "must_aware")
def microseconds_lost_on_export() -> Patch:
    return read_as(DateTime, _whole_seconds)


@mistake("values", "values", "moment", "must_moment", "aware", "must_aware")
def microseconds_lost_on_import() -> Patch:
    return written_as(DateTime, _whole_seconds)


def _stripped(row: Row) -> None:
    row["city"] = row["city"] and row["city"].rstrip(" ")


@mistake("shop", "suppliers", "city")
def blanks_stripped_on_import() -> Patch:
    return inserted("suppliers", _stripped)


@mistake("shop", "suppliers", "city")
def blanks_stripped_on_both_sides() -> Patch:
    return together(blanks_stripped_on_import(), exported("suppliers", _stripped))


@mistake("values", "values", "words", "must_words", "upper", "must_upper", "slug")
def text_composed_on_import() -> Patch:
    return stored_as(Text, lambda text: unicodedata.normalize("NFC", text))


@mistake("shop", "suppliers", "city")
def empty_text_made_null_on_import() -> Patch:
    return inserted("suppliers", lambda row: row.update(city=row["city"] or None))


@mistake("shop", "suppliers", "city")
def empty_text_made_null_on_export() -> Patch:
    return exported("suppliers", lambda record: record.update(city=record["city"] or None))


def _without_json_null(null: Any) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        for name in ("data", "data_null"):
            row[name] = None if row[name] == null else row[name]

    return change


@mistake("values", "values", "data", "data_null")
def json_null_made_sql_null_on_import() -> Patch:
    return inserted("values", _without_json_null("null"))


@mistake("values", "values", "data", "data_null")
def json_null_made_sql_null_on_both_sides() -> Patch:
    leaving = exported("values", _without_json_null({"$json": None}))
    return together(leaving, json_null_made_sql_null_on_import())


@mistake("values", "values", "flag", "must_flag")
def boolean_stored_as_text() -> Patch:
    return stored_as(Boolean, lambda value: str(bool(value)))


@mistake("values", "values", "color", "must_color", "size", "must_size", "shade", "must_shade")
def enum_written_by_value() -> Patch:
    values = {member.name: member.value for member in Color}
    names = {value: name for name, value in values.items()}
    return together(
        read_as(Choice, lambda name: values.get(name, name)),
        written_as(Choice, lambda value: names.get(value, value)),
    )
