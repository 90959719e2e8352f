"""What a derivation has reported, so that one mistake gives one message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

if TYPE_CHECKING:
    from lading.model.rowsets import RowSet
    from lading.schema import EntitySchema

    Schema = type[EntitySchema]


class Reported:
    """The mistakes of one derivation, and the schemas and fields that have them.

    ``failed`` names each schema's fields and references that were reported: they are missing in
    its row set, and that is no second mistake.  ``plain`` are the row sets that there are; a
    schema without one was refused as a whole.
    """

    def __init__(self, plain: Mapping[Schema, RowSet]) -> None:
        self.mistakes: list[str] = []
        self.schemas: set[Schema] = set()
        self.failed: dict[Schema, set[str]] = {}
        self.plain = plain

    def add(self, schema: Schema, text: str) -> None:
        """Note a mistake, once, with the schema's name."""
        self.schemas.add(schema)
        line = f"{schema.__name__}: {text}"
        if line not in self.mistakes:
            self.mistakes.append(line)

    def has_refused_table(self, table: Any) -> bool:
        """Tell whether a table may be that of a schema which was refused as a whole."""
        refused = self.schemas - self.plain.keys()
        return any(table in _tables_of(schema, table) for schema in refused)

    def has_refused_name(self, name: str) -> bool:
        """Tell whether an entity may be that of a schema which was refused as a whole."""
        refused = self.schemas - self.plain.keys()
        names = {getattr(schema.__dict__.get("Meta"), "name", None) for schema in refused}
        return bool(names & {name, None})

    def is_without_key(self, target: RowSet) -> bool:
        """Tell whether a target's missing key was reported as a mistake of its own schema."""
        return target.schema in self.schemas and not target.key


def _tables_of(schema: Schema, unknown: Any) -> Collection[Any]:
    """Return the tables that a schema's model may have; of what isn't mapped, any is possible."""
    mapper = sa.inspect(schema.Meta.model, raiseerr=False)  # type: ignore[attr-defined]
    return mapper.tables if isinstance(mapper, Mapper) else (unknown,)
