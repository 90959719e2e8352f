"""One application in small, and the columns that most of its tables have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column

from lading import Catalog


@dataclass(frozen=True)
class World:
    """One application in small: its models, its catalog, and what fills its database.

    ``more`` adds rows through the ORM to a database that an import has filled, to see
    that fresh ids don't collide. ``keep`` names the tables whose ids mean something.
    """

    base: Any
    catalog: Catalog
    models: SimpleNamespace
    fill: Callable[[Session], None]
    more: Callable[[Session], None] = lambda session: None
    keep: Iterable[str] = field(default=())

    @property
    def metadata(self) -> sa.MetaData:
        """The tables."""
        found: sa.MetaData = self.base.metadata
        return found

    def filled(self, engine: sa.Engine) -> sa.Engine:
        """Create the tables in an empty database and fill them."""
        self.metadata.create_all(engine)
        with Session(engine) as session:
            self.fill(session)
            session.commit()
        return engine


def key() -> Any:
    """A surrogate primary key."""
    return mapped_column(sa.Integer, primary_key=True)


def slug() -> Any:
    """A short unique name."""
    return mapped_column(sa.String(60), unique=True, nullable=False)


def to(target: str, *, null: bool = False, **options: Any) -> Any:
    """A foreign key."""
    return mapped_column(sa.ForeignKey(target), nullable=null, **options)


def text(length: int | None = None, *, null: bool = False, **options: Any) -> Any:
    """A text."""
    return mapped_column(sa.String(length) if length else sa.Text(), nullable=null, **options)


def number(*, null: bool = False, **options: Any) -> Any:
    """A whole number."""
    return mapped_column(sa.Integer, nullable=null, **options)
