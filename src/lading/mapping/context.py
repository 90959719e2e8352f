"""A derivation's settings, what it knows so far, and the mistakes that it reports."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.orm import Mapper

from lading.mapping.fields import Owned
from lading.mapping.inheritance import Hierarchy
from lading.mapping.meta_options import Excluded, hidden_names, stored_names
from lading.mapping.settings import Settings
from lading.messages import Message
from lading.model.rowsets import Column, RowSet, SchemaClass

Fields = dict[str, ma.fields.Field[Any]]


class Context:
    """One derivation: its schemas, what is known of each, and the mistakes of all.

    ``plain`` are the row sets so far; a schema without one was refused as a whole.
    ``declared`` are copies of the fields that each schema declares, which the derivation may
    alter; ``owners`` maps a schema to those that own its rows, with the field that says so.
    ``decisions`` are what was decided about fields of adopted schemas, and ``left_out`` which
    tables and columns of theirs no record carries, each with the reason.
    """

    def __init__(self, schemas: Sequence[SchemaClass], settings: Settings) -> None:
        self.schemas = schemas
        self.settings = settings
        self.declared: dict[SchemaClass, Fields] = {}
        self.owners: dict[SchemaClass, list[tuple[SchemaClass, str, Owned]]] = {}
        self.drafts: dict[SchemaClass, RowSetDraft] = {}
        self.plain: dict[SchemaClass, RowSet] = {}
        self._by_table: dict[Any, list[RowSet]] = {}
        self.mistakes: list[Message] = []
        self.mistaken: dict[SchemaClass, list[str]] = {}
        self.decisions: dict[SchemaClass, dict[str, str]] = {
            schema: dict(texts) for schema, texts in settings.decisions.items()
        }
        self.left_out: dict[str, str] = dict(settings.left_out)

    def declare(self, schema: SchemaClass) -> None:
        """Take copies of a schema's fields, and note which rows it owns."""
        fields = schema._declared_fields
        self.declared[schema] = {name: copy.copy(field) for name, field in fields.items()}
        for name, declared in self.declared[schema].items():
            if isinstance(declared, Owned):
                self.owners.setdefault(declared.child, []).append((schema, name, declared))

    def open(self, schema: SchemaClass, rows: RowSet) -> None:
        """Take a schema's row set, whose tables are known from now on."""
        self.plain[schema] = rows
        for table in rows.tables:
            self._by_table.setdefault(table, []).append(rows)

    def of_table(self, table: Any) -> list[RowSet]:
        """List the schemas' row sets over a table."""
        return self._by_table.get(table, [])

    # Mistakes, of which each gives one message

    def report(self, schema: SchemaClass, code: str, text: str) -> None:
        """Note a mistake, once, with the schema's name."""
        self.mistaken.setdefault(schema, []).append(text)
        line = Message(code, f"{schema.__name__}: {text}")
        if line not in self.mistakes:
            self.mistakes.append(line)

    def failed(self, schema: SchemaClass) -> set[str]:
        """Return a schema's fields and references that were reported.

        They are missing in its row set, which isn't reported again.
        """
        return self.drafts[schema].failed

    def has_refused_table(self, table: Any) -> bool:
        """Tell whether a table may belong to a schema that was refused as a whole."""
        return any(table in _tables_of(schema, table) for schema in self._refused())

    def has_refused_name(self, name: str) -> bool:
        """Tell whether an entity's name may belong to a schema that was refused as a whole."""
        names = {getattr(schema.__dict__.get("Meta"), "name", None) for schema in self._refused()}
        return bool(names & {name, None})

    def is_without_key(self, target: RowSet) -> bool:
        """Tell whether a target's missing key was reported as a mistake of its own schema."""
        return target.schema in self.mistaken and not target.key

    def _refused(self) -> set[SchemaClass]:
        return self.mistaken.keys() - self.plain.keys()


class RowSetDraft:
    """One schema's row set while its members are found.

    ``used`` are the declared fields that matched something in the model, ``names`` the names of
    all fields and references, left out or not; ``failed`` are those that were reported.
    ``foreign`` are the columns of each foreign key that is a reference.
    """

    def __init__(self, context: Context, schema: SchemaClass, hierarchy: Hierarchy) -> None:
        self.context = context
        self.schema = schema
        self.hierarchy = hierarchy
        self.relationships = hierarchy.relationships()
        self.declared = context.declared[schema]
        self.excluded = Excluded(schema)
        self.stored = frozenset(stored_names(schema))
        self.hidden = frozenset(hidden_names(schema))
        self.is_adopted = schema in context.settings.adopted
        self.used: set[str] = set()
        self.names: set[str] = set()
        self.failed: set[str] = set()
        self.foreign: list[tuple[Column, ...]] = []

    @property
    def rows(self) -> RowSet:
        """The row set itself."""
        return self.context.plain[self.schema]

    def is_discriminator(self, column: Column) -> bool:
        """Tell whether a column is the discriminator, which a reference can't be."""
        return column is self.hierarchy.discriminator and self.rows.classes is not None

    def report(self, code: str, text: str) -> None:
        """Note a mistake of this schema."""
        self.context.report(self.schema, code, text)

    def decide(self, name: str, decision: str) -> None:
        """Record what was decided about a field of an adopted schema."""
        self.context.decisions.setdefault(self.schema, {})[name] = decision


def _tables_of(schema: SchemaClass, unknown: Any) -> Collection[Any]:
    """Return the tables that a schema's model may have; of what isn't mapped, any is possible."""
    mapper = sa.inspect(schema.Meta.model, raiseerr=False)  # type: ignore[attr-defined]
    return mapper.tables if isinstance(mapper, Mapper) else (unknown,)
