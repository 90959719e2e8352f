"""Text that travels as it is stored, of a column that is of another type on PostgreSQL alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes

from lading.database.dialects.codecs import Codecs
from lading.database.dialects.limits import is_canonical_uuid, without_nul
from lading.database.dialects.type_processors import Processed
from lading.mapping.columns import AsStored
from lading.messages import shown
from lading.model.rowsets import Column
from lading.values.base import Kind
from lading.values.json_text import parse_json
from lading.values.scalars import Text


class StoredCodecs(Codecs):
    """The server's own text is what such a column stores: a UUID's, or a JSON document's."""

    def as_text(self, column: sa.ColumnElement[Any], kind: Kind) -> bool:
        """Tell whether a decorator's column is text elsewhere, and another type here."""
        is_stored = isinstance(column.type, AsStored) and isinstance(kind, Text)
        return is_stored and not isinstance(self.real(column.type), sqltypes.String)

    def processed(
        self, column: Column, kind: Kind, load: Callable[[Any], Any] | None = None
    ) -> Processed:
        """Return the way of a column's values by processors, or as the server's text."""
        if not self.as_text(column, kind):
            return super().processed(column, kind, load)
        check = text_check(self.real(column.type))
        return Processed(kind, load=_same, undo=_same, bind=_same, as_impl=_same, limited=check)


def text_check(type_: Any) -> Callable[[str], str]:
    """Return the check that the server keeps a text of a type as it is."""
    whole = without_nul("PostgreSQL")

    def check(text: str) -> str:
        if isinstance(type_, sqltypes.Uuid) and not is_canonical_uuid(text):
            raise ValueError(
                f"{shown(text)} is a UUID in another form than PostgreSQL keeps; give its type "
                "python_type = uuid.UUID, so that every engine writes it alike"
            )
        if isinstance(type_, sqltypes.JSON):
            parse_json(text)
        return str(whole(text))

    return check


def _same(value: Any) -> Any:
    return value
