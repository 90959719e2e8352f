"""One column's way between a driver and written forms, without a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.codecs import Codecs
from lading.mapping.columns import kind_of
from lading.values.base import Kind

Coder = Callable[[Any], Any]


def column_of(type_: Any) -> sa.Column[Any]:
    """Return a column of a table of its own."""
    column: sa.Column[Any] = sa.Column("value", type_)
    sa.Table("things", sa.MetaData(), column)
    return column


def coders(codecs: Codecs, type_: Any, kind: Kind | None = None) -> tuple[Coder, Coder]:
    """Return what reads a column's raw values, and what binds written forms."""
    column, own = column_of(type_), kind or kind_of(type_)
    assert own is not None
    return codecs.reader(column, own).function(), codecs.binder(column, own).function()
