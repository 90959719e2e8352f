"""More mistakes: in keys and orders, chunks, owned rows and links, and hierarchies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

from lading.bundle.reader import Block
from lading.exporting.reader import CompiledReader, RecordReader
from lading.importing.bundle_payload import BundlePayload
from lading.importing.conflicts import Conflicts, Decisions
from lading.importing.resolver import Resolver
from lading.importing.writer import RowWriter
from lading.records.layout import Key
from support.planted import MISTAKES, Patch, mistake, swapped
from support.planting import (
    Row,
    exported,
    exported_whole,
    inserted,
    inserted_whole,
    replaced,
    together,
    unchecked,
)

__all__ = ["MISTAKES"]

# Keys and the order of records


@mistake("optional_keys", ("items", "shelves", "loans"), "item", "shelf", None)
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


def decided() -> Patch:
    """Decide on records that the database has as they are, too."""
    return mock.patch.object(Conflicts, "pass_equal", return_value=False)


@mistake("optional_keys", ("items", "shelves"), "shelf", None)
def null_in_a_key_is_new_each_time() -> Patch:
    def make(plain: Any) -> Any:
        def decide(self: Any, batch: Any) -> Decisions:
            decisions = plain(self, batch)
            with_null = [place for place, key in enumerate(batch.keys) if None in key]
            decisions.insert = decisions.insert or with_null
            return decisions

        return decide

    return together(replaced(Conflicts, "decide", make), decided())


@mistake("optional_keys", ("items", "loans", "shelves"), None, "slug")
def records_there_are_imported_again() -> Patch:
    def decide(self: Conflicts, batch: Any) -> Decisions:
        return Decisions(insert=range(len(batch)))

    return together(mock.patch.object(Conflicts, "decide", decide), decided())


@mistake("shop", "categories")
def records_in_the_order_of_their_ids() -> Patch:
    def make(plain: Any) -> Any:
        def begin(self: CompiledReader, dialect: Any, rows: Any, *given: Any) -> None:
            plain(self, dialect, rows, *given)
            self.statement = self.statement.order_by(None).order_by(*rows.identity)

        return begin

    return together(
        replaced(CompiledReader, "__init__", make),
        mock.patch.object(RecordReader, "_check_ascending", return_value=None),
    )


@mistake("shop", "suppliers")
def records_backwards() -> Patch:
    return exported_whole("suppliers", lambda records: records[::-1])


# Chunks


def _blocks(change: Callable[[int, Block], Block | None]) -> Patch:
    """Read in small blocks, and change each."""

    def make(plain: Any) -> Any:
        def blocks(self: Any, name: str, size: int, *given: Any) -> Iterator[Block]:
            for number, block in enumerate(plain(self, name, 2, *given)):
                changed = change(number, block)
                if changed is not None:
                    yield changed

        return blocks

    return together(
        mock.patch("lading.importing.entity_reader.CHUNK", 2),
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


@mistake("recipes", "recipes", "parts")
def set_reversed_on_export() -> Patch:
    return exported("recipes", lambda record: record["parts"].reverse())


@mistake("books", "books", "chapters")
def last_owned_row_lost_on_export() -> Patch:
    return exported("books", lambda record: record.update(chapters=record["chapters"][:-1]))


@mistake("packages", ("goods", "packages"))
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
    return inserted("related", swapped("post_id", "other_id"))


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
