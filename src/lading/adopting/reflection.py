"""Reads a database's tables, with generic types, so that its data moves between engines."""

from __future__ import annotations

import sqlalchemy as sa


def reflected(bind: sa.Engine | sa.Connection) -> tuple[sa.MetaData, dict[str, str]]:
    """Reflect a database.

    Args:
        bind: An engine or connection.

    Returns:
        Its tables, and the reason for each view or table that is left out.
    """
    metadata = sa.MetaData()
    metadata.reflect(bind)
    return metadata, {}
