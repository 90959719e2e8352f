"""Mistakes for ``planting``: each loses or alters something of a world of the zoo."""

from __future__ import annotations

import datetime as dt
import struct
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import sqlalchemy as sa

from lading import importer
from lading.bundle.reader import Block
from lading.declare.members import Members
from lading.declare.rowsets import RowSet
from lading.engine.compare import Existing
from lading.engine.layout import Key
from lading.engine.read import RecordReader
from lading.engine.resolve import Resolver
from lading.engine.write import RowWriter
from lading.moments import DateTime
from lading.payload import BundlePayload
from lading.values import Boolean, Choice, Float, Number, Text
from support.planting import (
    Row,
    exported,
    exported_whole,
    inserted,
    inserted_whole,
    read_as,
    replaced,
    stored_as,
    together,
    unchecked,
    updated,
    written_as,
)
from support.zoo import Color

Patch = AbstractContextManager[Any]


@dataclass(frozen=True)
class Mistake:
    """A mistake, the world that it is planted in, and the fields that it hits.

    ``fields`` are those of which a failure must name one; ``None`` among them stands for whole
    records.
    """

    name: str
    plant: Callable[[], Patch]
    world: str
    entity: str
    fields: tuple[str | None, ...]


MISTAKES: list[Mistake] = []
Plant = Callable[[], Patch]


def mistake(world: str, entity: str, *fields: str | None) -> Callable[[Plant], Plant]:
    """Add a mistake that hits an entity's fields."""

    def add(plant: Plant) -> Plant:
        MISTAKES.append(Mistake(plant.__name__, plant, world, entity, fields or (None,)))
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


def _swap(one: str, two: str) -> Callable[[Row], None]:
    def swap(row: Row) -> None:
        row[one], row[two] = row[two], row[one]

    return swap


@mistake("shop", "products", "supplier", "fallback")
def references_swapped_on_export() -> Patch:
    return exported("products", _swap("supplier", "fallback"))


@mistake("shop", "products", "supplier", "fallback")
def references_swapped_on_import() -> Patch:
    return inserted("products", _swap("supplier_id", "fallback_id"))


@mistake("shop", "products", "supplier", "fallback")
def references_swapped_on_both_sides() -> Patch:
    return together(references_swapped_on_export(), references_swapped_on_import())


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
    return updated("people", lambda row: row[0] != row[1])


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


@mistake("values", "values", "words", "must_words", "upper", "must_upper")
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


# Keys and the order of records


@mistake("optional_keys", "shelves")
def null_in_a_key_finds_nothing() -> Patch:
    def make(plain: Any) -> Any:
        def find(self: Any, keys: Any) -> dict[Key, Any]:
            return {k: row for k, row in plain(self, keys).items() if None not in k}

        return find

    return replaced(Resolver, "find", make)


@mistake("optional_keys", "items", "name", None)
def null_in_a_key_made_an_empty_text() -> Patch:
    return together(
        exported("items", lambda record: record.update(name=record["name"] or "")),
        inserted("items", lambda row: row.update(name=row["name"] or "")),
    )


@mistake("optional_keys", "shelves")
def null_in_a_key_is_new_each_time() -> Patch:
    def make(plain: Any) -> Any:
        def without(self: Any, batch: Any) -> Any:
            known = {n for n, key in zip(batch.numbers, batch.keys, strict=True) if None in key}
            kept = plain(self, batch)
            places = [n for n, number in enumerate(batch.numbers) if number in known]
            return kept if len(kept) else batch.take(places)

        return without

    return replaced(Existing, "without", make)


@mistake("optional_keys", "shelves")
def records_there_are_imported_again() -> Patch:
    return mock.patch.object(Existing, "without", lambda self, batch: batch)


@mistake("shop", "categories")
def records_in_the_order_of_their_ids() -> Patch:
    def make(plain: Any) -> Any:
        def begin(self: RecordReader, *given: Any, **named: Any) -> None:
            plain(self, *given, **named)
            self.order = [*self.rows.identity]

        return begin

    return together(
        replaced(RecordReader, "__init__", make),
        mock.patch.object(RecordReader, "_check_ascending", return_value=None),
    )


@mistake("shop", "suppliers")
def records_backwards() -> Patch:
    return exported_whole("suppliers", lambda records: records[::-1])


# Chunks


def _blocks(change: Callable[[int, Block], Block | None]) -> Patch:
    """Read in small blocks, and change each."""

    def make(plain: Any) -> Any:
        def blocks(self: Any, name: str, size: int) -> Iterator[Block]:
            for number, block in enumerate(plain(self, name, 2)):
                changed = change(number, block)
                if changed is not None:
                    yield changed

        return blocks

    return together(
        mock.patch.object(importer, "CHUNK", 2),
        replaced(BundlePayload, "blocks", make),
        mock.patch.object(BundlePayload, "links", return_value={}),
    )


@mistake("shop", "categories", None)
def chunks_after_the_first_lost() -> Patch:
    return _blocks(lambda number, block: None if number else block)


@mistake("family", "people")
def last_record_of_a_chunk_lost_on_import() -> Patch:
    def shorter(_number: int, block: Block) -> Block:
        return replace(block, records=block.records[: max(1, len(block.records) - 1)])

    return together(_blocks(shorter), unchecked())


@mistake("family", "people")
def last_record_lost_on_export() -> Patch:
    return exported_whole("people", lambda records: records[: max(1, len(records) - 1)])


# Owned rows and links


@mistake("books", "books", "chapters", "position", "title", "sections")
def sequence_reversed_on_export() -> Patch:
    return exported("books", lambda record: record["chapters"].reverse())


@mistake("books", "books", "words", "notes", "sections")
def sequence_reversed_on_import() -> Patch:
    return replaced(RowWriter, "allocate", lambda plain: lambda *given: plain(*given)[::-1])


@mistake("packages", "packages", "parts")
def set_reversed_on_export() -> Patch:
    return exported("packages", lambda record: record["parts"].reverse())


@mistake("books", "books", "chapters")
def last_owned_row_lost_on_export() -> Patch:
    return exported("books", lambda record: record.update(chapters=record["chapters"][:-1]))


@mistake("packages", "packages", None)
def last_owned_row_lost_on_import() -> Patch:
    return inserted_whole("parts", lambda rows: rows[:-1])


def _rotated(name: str) -> Callable[[list[Row]], list[Row]]:
    """Give to each row what the one before has."""

    def rotate(rows: list[Row]) -> list[Row]:
        held = [row[name] for row in rows]
        return [{**row, name: value} for row, value in zip(rows, held[-1:] + held, strict=False)]

    return rotate


@mistake("books", "books", None, "reviews", "stars", "words")
def owned_row_at_the_wrong_parent_on_import() -> Patch:
    return inserted_whole("reviews", _rotated("book_id"))


@mistake("books", "books", "reviews", "stars", "words")
def owned_row_at_the_wrong_parent_on_export() -> Patch:
    return exported_whole("books", _rotated("reviews"))


@mistake("tags", "posts", "tags")
def link_written_twice() -> Patch:
    return exported("posts", lambda record: record.update(tags=record["tags"][:1] + record["tags"]))


@mistake("tags", "posts", "tags")
def target_linked_once_only() -> Patch:
    """What several records link is written of the first."""

    def once(records: list[Row]) -> list[Row]:
        seen: list[Any] = []
        for record in records:
            record["tags"] = [key for key in record["tags"] if key not in seen]
            seen += record["tags"]
        return records

    return exported_whole("posts", once)


@mistake("tags", "posts", "related")
def link_the_wrong_way_round_on_import() -> Patch:
    return inserted("related", _swap("post_id", "other_id"))


@mistake("tags", "posts", "related")
def link_the_wrong_way_round_on_both_sides() -> Patch:
    def turned(records: list[Row]) -> list[Row]:
        pairs = [(record["slug"], far["slug"]) for record in records for far in record["related"]]
        for record in records:
            near = sorted(one for one, far in pairs if far == record["slug"])
            record["related"] = [{"slug": slug} for slug in near]
        return records

    return together(exported_whole("posts", turned), link_the_wrong_way_round_on_import())


# Hierarchies


@mistake("joined_tables", "assets", "heat")
def fields_of_a_subclass_lost_on_import() -> Patch:
    return inserted("ovens", lambda row: row.update(heat=None))


@mistake("single_table", "staff", "budget")
def fields_of_a_subclass_lost_on_both_sides() -> Patch:
    def change(record: Row) -> None:
        if "budget" in record:
            record["budget"] = None

    return together(
        exported("staff", change), inserted("staff", lambda row: row.update(budget=None))
    )


@mistake("joined_tables", "assets", "kind")
def class_always_the_base_on_import() -> Patch:
    return inserted("assets", lambda row: row.update(kind="asset"))


@mistake("single_table", "staff", "role", "level")
def class_always_the_base_on_both_sides() -> Patch:
    own = ("slug", "role", "boss")

    def based(records: list[Row]) -> list[Row]:
        return [{**{n: record[n] for n in own}, "role": "plain"} for record in records]

    return together(
        exported_whole("staff", based), inserted("staff", lambda row: row.update(role="plain"))
    )
