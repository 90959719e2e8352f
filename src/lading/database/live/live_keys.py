"""What a database says of its foreign keys, whether a model knows them or not."""

from __future__ import annotations

from dataclasses import dataclass, field

#: What a database does with the rows that refer to a row which is deleted.  RESTRICT is
#: ``NO_ACTION`` as well.
CASCADE, SET_NULL, SET_DEFAULT, NO_ACTION = "CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION"

#: A table's schema and name, as they tell it from all other tables of a database.
RealPlace = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LiveForeignKey:
    """A foreign key that a database really has; ``action`` is what its ON DELETE says."""

    table: RealPlace
    columns: tuple[str, ...]
    target: RealPlace
    target_columns: tuple[str, ...]
    action: str


@dataclass(slots=True)
class LiveKeys:
    """The foreign keys and primary keys of a database, and the schema of the session."""

    schema: str
    foreign: list[LiveForeignKey] = field(default_factory=list)
    primary: dict[RealPlace, tuple[str, ...]] = field(default_factory=dict)
