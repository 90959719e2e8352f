"""What a load has written, and what it left for later; whatever may be many is on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.model.rowsets import Column, Reference
from lading.records.layout import Key
from lading.scratch.forest import Forest
from lading.scratch.spool import Spool

#: A reference, by the names of its row set and of itself.
ReferenceName = tuple[str, str]
#: The record of a row, the key that the row refers to, and its own key.
FollowedKey = tuple[int, Key, Key]
#: The record of a row, the values that it gives to its links, and the keys that these lead to.
DeferredLinks = tuple[int, Row, list[Key]]
#: Keys, lines and primary keys of records that were inserted, by place.
InsertedRecords = tuple[list[Key], list[bytes], list[Row]]

Name = TypeVar("Name", str, ReferenceName)


class Closable(Protocol):
    """A temporary file, or several."""

    def close(self) -> None:
        """Give it back."""


File = TypeVar("File", bound=Closable)


@dataclass(slots=True)
class DeferredReference:
    """A reference to be set later: of which record and row, and to what key.

    ``own_key`` is the row's own key; ``shared`` are the values that the row's other members
    give to the reference's columns, ``carried`` the keys of deferred references that will give
    them.
    """

    number: int
    identity: Row
    key: Key
    own_key: Key
    shared: Row
    carried: tuple[Any, ...]


@dataclass(slots=True)
class DeferredRows:
    """Owned rows to be inserted later, and what their owners give to each."""

    batch: Batch
    owner_values: list[Row]


@dataclass(slots=True)
class WriteLog:
    """What one attempt wrote, and what it leaves for later, by name.

    ``followed`` are the references that could have been deferred but were set with their rows,
    in case their targets turn out bad.
    """

    row_counts: Counter[sa.Table] = field(default_factory=Counter)
    link_counts: Counter[Column] = field(default_factory=Counter)
    references: dict[ReferenceName, list[DeferredReference]] = field(default_factory=dict)
    followed: dict[ReferenceName, list[FollowedKey]] = field(default_factory=dict)
    rows: list[tuple[str, DeferredRows]] = field(default_factory=list)
    links: dict[str, list[DeferredLinks]] = field(default_factory=dict)

    def set_links(self, reference: Reference, count: int) -> None:
        """Count foreign keys that were set."""
        for column in reference.carried_columns[:1]:
            self.link_counts[column] += count


class Journal:
    """What a load has written so far, and what it left for later."""

    def __init__(self, *, reads_back: bool) -> None:
        #: Whether inserted records are kept to be compared in the end, for triggers may alter them.
        self.reads_back = reads_back
        self.row_counts: Counter[sa.Table] = Counter()
        self.link_counts: Counter[Column] = Counter()
        self.references: dict[ReferenceName, Spool] = {}
        self.followed: dict[ReferenceName, Spool] = {}
        self.rows: dict[str, Spool] = {}
        self.links: dict[str, Spool] = {}
        self.inserted: dict[str, Spool] = {}
        self._files = ExitStack()

    def spool(self) -> Spool:
        """Return a new spool, which ends with this journal."""
        return self.closing(Spool())

    def forest(self) -> Forest:
        """Return a new forest, which ends with this journal."""
        return self.closing(Forest())

    def closing(self, file: File) -> File:
        """Let a temporary file end with this journal."""
        self._files.callback(file.close)
        return file

    def close(self) -> None:
        """Give temporary files back."""
        self._files.close()

    def add(self, log: WriteLog) -> None:
        """Take over what an attempt wrote and left."""
        self.row_counts.update(log.row_counts)
        self.link_counts.update(log.link_counts)
        self._keep(self.references, log.references.items())
        self._keep(self.followed, log.followed.items())
        self._keep(self.rows, log.rows)
        self._keep(self.links, log.links.items())

    def add_inserted(self, name: str, records: InsertedRecords) -> None:
        """Keep records of an entity that were inserted, to be read back in the end."""
        self._keep(self.inserted, [(name, records)])

    def _keep(self, spools: dict[Name, Spool], chunks: Iterable[tuple[Name, Any]]) -> None:
        for name, chunk in chunks:
            if chunk:
                if name not in spools:
                    spools[name] = self.spool()
                spools[name].append(chunk)
