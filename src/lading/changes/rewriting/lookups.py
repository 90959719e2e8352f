"""What a step needs of all records of an entity, or makes of them beyond one record at a time.

Steps only say what they need; whoever has the records sets ``find``, and keeps what must be
kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
#: A record's former key and what stands in its stead, or ``None`` where it has no such key.
Pair = tuple[Any, Any]


def _unbound(_: Any) -> Any:
    raise RuntimeError("no records were given to look among")


@dataclass(slots=True, eq=False)
class KeyLookup:
    """An entity's keys: what each was before a step, and what it is since.

    ``pair`` gives both of a record, as it is just before the step; ``names`` are the fields
    of the former key.  ``find`` gives the newer key for a former one: ``None`` where no record
    has it; it raises ``Refused`` where several have.
    """

    entity: str
    pair: Callable[[Record, Sequence[str]], Pair | None]
    find: Callable[[Record], Any] = _unbound


@dataclass(slots=True, eq=False)
class SplitPart:
    """An entity that is made of parts of another's records, each distinct part once.

    ``extract`` gives the part's key and the part, or ``None`` where a record has none.
    ``find`` gives the part that stands for a key.
    """

    entity: str
    into: str
    extract: Callable[[Record], Pair | None]
    find: Callable[[Record], Any] = _unbound


@dataclass(frozen=True, slots=True, eq=False)
class MergedEntities:
    """An entity that is made of all records of several."""

    entities: tuple[str, ...]
    into: str
