"""marshmallow-sqlalchemy as its documentation has it: schemas that load instances.

Objects are loaded eagerly for an export.  On the way back, ``Related`` looks each reference up
by its columns; a key through references needs a nested schema, whose ``get_instance`` does so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from marshmallow_sqlalchemy import SQLAlchemySchema, auto_field
from marshmallow_sqlalchemy.fields import Nested, Related, RelatedList
from sqlalchemy.orm import Session

from bench.rivals.base import Rival
from bench.rivals.eager import entities_of, objects_of, read_document, write_document
from bench.workloads import Workload
from lading.model.rowsets import Reference, RowSet, references_of


class MarshmallowObjects(Rival):
    """Objects and schemas."""

    name = "marshmallow"
    title = "marshmallow-sqlalchemy"
    about = "eager ORM objects through schemas with Related and Nested, json, one session"

    @classmethod
    def takes(cls, workload: Workload, engine: str) -> bool:
        """It can't open a cycle: a reference is looked up while its record is loaded."""
        return workload.name != "bakery"

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.entities = entities_of(workload)
        self.schemas = {rows.name: schema_of(rows) for rows in self.entities}

    def export(self, source: sa.Engine, folder: Path) -> None:
        """Load, dump, write."""
        with Session(source) as session:
            document = {
                rows.name: self.schemas[rows.name](many=True).dump(objects_of(session, rows))
                for rows in self.entities
            }
        write_document(document, folder)

    def restore(self, target: sa.Engine, folder: Path) -> None:
        """Read, load, add; what refers to its own entity, one by one."""
        document = read_document(folder)
        with Session(target) as session, session.begin():
            for rows in self.entities:
                schema = self.schemas[rows.name](session=session)
                if any(
                    reference.target.name == rows.name for _, _, reference in references_of(rows)
                ):
                    for record in document[rows.name]:
                        session.add(schema.load(record))
                else:
                    session.add_all(schema.load(document[rows.name], many=True))
                session.flush()


def schema_of(rows: RowSet) -> type[SQLAlchemySchema]:
    """Declare a schema over a row set's model, with its references, links and owned rows."""
    fields: dict[str, Any] = {value.attribute: auto_field() for value in rows.values}
    for reference in rows.references:
        fields[reference.name] = reference_field(reference)
    for links in rows.links:
        fields[links.attribute] = RelatedList(Related(columns=_names(links.reference.target)))
    for children in rows.children:
        fields[children.name] = Nested(schema_of(children.rows), many=True)
    return declared(rows, fields)


def reference_field(reference: Reference) -> Any:
    """Return the field of a reference: by columns, or by a nested key."""
    target = reference.target
    if not any(isinstance(part, Reference) for part in target.key):
        return Related(columns=_names(target), allow_none=reference.nullable)
    return Nested(key_schema(target), allow_none=reference.nullable)


def key_schema(rows: RowSet) -> type[SQLAlchemySchema]:
    """Declare a schema of a natural key, which finds the instance."""
    fields = {
        part.name: reference_field(part) if isinstance(part, Reference) else auto_field()
        for part in rows.key
    }

    def get_instance(self: Any, data: dict[str, Any]) -> Any:
        return self.session.query(rows.mapper.class_).filter_by(**data).one()

    return declared(rows, {**fields, "get_instance": get_instance})


def declared(rows: RowSet, attributes: dict[str, Any]) -> type[SQLAlchemySchema]:
    """Return a schema that loads instances."""
    meta = type("Meta", (), {"model": rows.mapper.class_, "load_instance": True})
    return type(
        f"{rows.mapper.class_.__name__}Loaded", (SQLAlchemySchema,), {**attributes, "Meta": meta}
    )


def _names(rows: RowSet) -> list[str]:
    return [part.name for part in rows.key]
