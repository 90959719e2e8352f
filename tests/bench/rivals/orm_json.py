"""What most teams write first: ORM objects to dictionaries, and the standard library's JSON.

Objects are loaded eagerly; a restore makes an object of each record, finds references in
dictionaries by natural key, and adds all to one session.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.rivals.base import Rival
from bench.rivals.eager import entities_of, objects_of, read_document, write_document
from bench.workloads import Workload
from lading.model.rowsets import Reference, RowSet

Record = dict[str, Any]
READERS: dict[type, Callable[[Any], Any]] = {
    dt.date: dt.date.fromisoformat,
    dt.datetime: dt.datetime.fromisoformat,
    Decimal: Decimal,
    UUID: UUID,
}


class OrmJson(Rival):
    """Objects and dictionaries."""

    name = "orm"
    title = "ORM and json"
    about = "eager ORM objects to dictionaries with natural keys, json, one session; no checks"

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.entities = {rows.name: rows for rows in entities_of(workload)}

    def export(self, source: sa.Engine, folder: Path) -> None:
        """Load, turn into dictionaries, write."""
        with Session(source) as session:
            document = {
                name: list(map(to_record(rows), objects_of(session, rows)))
                for name, rows in self.entities.items()
            }
        write_document(document, folder)

    def restore(self, target: sa.Engine, folder: Path) -> None:
        """Read, make objects, set their references, add."""
        document = read_document(folder)
        by_key: dict[str, dict[Any, Any]] = {}
        references: list[Callable[[], None]] = []
        objects = []
        for name, rows in self.entities.items():
            make, key = to_object(rows, by_key, references), key_of(rows)
            of_entity = list(map(make, document[name]))
            by_key[name] = dict(zip(map(key, document[name]), of_entity, strict=True))
            objects += of_entity
        for resolve in references:
            resolve()
        with Session(target) as session, session.begin():
            session.add_all(objects)


def to_record(rows: RowSet) -> Callable[[Any], Record]:
    """Return what makes a dictionary of an object."""
    values = [(value.written, value.attribute) for value in rows.values]
    references = [(r.written, r.relationship, to_key(r)) for r in rows.references]
    links = [(each.written, each.attribute, to_key(each.reference)) for each in rows.links]
    owned = [(each.written, each.name, to_record(each.rows)) for each in rows.children]

    def convert(obj: Any) -> Record:
        record = {written: getattr(obj, attribute) for written, attribute in values}
        for written, relationship, key in references:
            record[written] = key(getattr(obj, relationship or written))
        for written, attribute, key in links:
            record[written] = [key(target) for target in getattr(obj, attribute)]
        for written, attribute, child in owned:
            record[written] = [child(row) for row in getattr(obj, attribute)]
        return record

    return convert


def to_key(reference: Reference) -> Callable[[Any], Any]:
    """Return what makes a natural key of the object that a reference leads to."""
    parts = [
        (part.written, part.relationship or part.name, to_key(part))
        if isinstance(part, Reference)
        else (part.written, part.name, None)
        for part in reference.target.key
    ]

    def convert(obj: Any) -> Any:
        if obj is None:
            return None
        return {
            written: getattr(obj, name) if nested is None else nested(getattr(obj, name))
            for written, name, nested in parts
        }

    return convert


def key_of(rows: RowSet) -> Callable[[Record], Any]:
    """Return what finds the natural key in a record or in a reference to it."""
    parts = [
        (part.written, key_of(part.target) if isinstance(part, Reference) else None)
        for part in rows.key
    ]

    def find(record: Record) -> Any:
        return tuple(
            record[written] if nested is None else nested(record[written])
            for written, nested in parts
        )

    return find


def to_object(
    rows: RowSet, by_key: dict[str, dict[Any, Any]], references: list[Callable[[], None]]
) -> Callable[[Record], Any]:
    """Return what makes an object of a record, and leaves its references for later."""
    values = [(value.written, value.attribute, reader_of(value.column)) for value in rows.values]
    targets = [
        (r.written, r.relationship, r.target.name, key_of(r.target)) for r in rows.references
    ]
    links = [
        (each.written, each.attribute, each.reference.target.name, key_of(each.reference.target))
        for each in rows.links
    ]
    owned = [
        (each.written, each.name, to_object(each.rows, by_key, references))
        for each in rows.children
    ]
    class_ = rows.mapper.class_

    def convert(record: Record) -> Any:
        values_by_name = {}
        for written, attribute, read in values:
            value = record[written]
            values_by_name[attribute] = value if read is None or value is None else read(value)
        obj = class_(**values_by_name)
        for written, attribute, child in owned:
            setattr(obj, attribute, [child(row) for row in record[written]])

        def resolve() -> None:
            for written, relationship, entity, key in targets:
                if record[written] is not None:
                    setattr(obj, relationship or written, by_key[entity][key(record[written])])
            for written, attribute, entity, key in links:
                keyed = by_key[entity]
                setattr(obj, attribute, [keyed[key(target)] for target in record[written]])

        if targets or links:
            references.append(resolve)
        return obj

    return convert


def reader_of(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    """Return what makes a column's value of its JSON; nothing where they are equal."""
    if isinstance(column.type, sa.Enum):
        return column.type.enum_class
    return READERS.get(column.type.python_type)
