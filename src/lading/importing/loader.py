"""What loading records and loading deferred rows have in common.

Problems are gathered, not raised: a record with a problem is left out, and the
importer decides at the end whether the others stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.refusals import told_refusal
from lading.database.tables import TableCounts
from lading.importing.batch import Batch
from lading.importing.resolved_batch import Later, ResolvedBatch
from lading.importing.resolved_keys import AMBIGUOUS, KeyResolver
from lading.importing.resolvers import Resolvers
from lading.importing.shared_columns import Disagreement
from lading.mapping.load_order import Order, link_name
from lading.messages import sentence
from lading.model.entities import Entities
from lading.model.hidden import has_hidden, hides
from lading.model.rowsets import Column, Links, Reference, RowSet
from lading.records.describe import described, told_key
from lading.records.layout import Key
from lading.report import Alteration, Counts, Problem, Problems
from lading.scratch.spool import Spool
from lading.values.json_text import json_text, repeated

#: Missing references whose nearest key is looked up; the search is slow, the help the same.
HELPED = 20


#: What stands against a record: the database, or its own fields.
Objection = sa.exc.DBAPIError | Disagreement


class Restart(Exception):
    """Records that were written already turned out bad; begin again without them."""


class RememberedKeys:
    """A set of which the items' hashes are kept: enough to word a message, in little memory."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def add(self, item: tuple[str, bytes]) -> None:
        """Remember an item."""
        self._hashes.add(hash(item))

    def __contains__(self, item: tuple[str, bytes]) -> bool:
        return hash(item) in self._hashes


@dataclass(slots=True)
class LoadState:
    """What the loaders of one import share."""

    database: Database
    entities: Entities
    order: Order
    tables: TableCounts
    resolvers: Resolvers
    may_restart: bool
    excluded: dict[str, set[int]] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    failed: RememberedKeys = field(default_factory=RememberedKeys)
    written: dict[sa.Table, int] = field(default_factory=dict)
    linked: dict[Column, int] = field(default_factory=dict)
    updates: dict[tuple[str, str], Spool] = field(default_factory=dict)
    followed: dict[tuple[str, str], Spool] = field(default_factory=dict)
    late: dict[str, Spool] = field(default_factory=dict)
    links: dict[str, dict[str, int]] = field(default_factory=dict)
    #: Whether what was written is compared in the end, for triggers may change it.
    reads_back: bool = False
    records: dict[str, Spool] = field(default_factory=dict)
    altered: list[Alteration] = field(default_factory=list)
    #: What became of an entity's records before they were loaded, for messages about them.
    notes: dict[str, str] = field(default_factory=dict)
    helped: int = 0
    spools: list[Spool] = field(default_factory=list)

    def spool(self) -> Spool:
        """Return a new spool, which ends with this state."""
        self.spools.append(Spool())
        return self.spools[-1]

    def close(self) -> None:
        """Give temporary files back."""
        for spool in self.spools:
            spool.close()

    def keep_record(self, name: str, records: Sequence[Any]) -> None:
        """Keep records that were written, to be read back in the end."""
        if name not in self.records:
            self.records[name] = self.spool()
        self.records[name].append(records)

    def keep(self, later: Later) -> None:
        """Take over what an insert wrote and left."""
        for table, count in later.written.items():
            self.written[table] = self.written.get(table, 0) + count
        for column, count in later.linked.items():
            self.linked[column] = self.linked.get(column, 0) + count
        for spools, made in ((self.updates, later.updates), (self.followed, later.followed)):
            for key, items in made.items():
                if items:
                    if key not in spools:
                        spools[key] = self.spool()
                    spools[key].append(items)
        for name, parts in later.late.items():
            for part in _parts_of(parts):
                if name not in self.late:
                    self.late[name] = self.spool()
                self.late[name].append(part)


def _parts_of(items: list[Any]) -> Iterable[Any]:
    """Owned rows come as one (batch, owners) each; links as one list."""
    if items and isinstance(items[0][0], Batch):
        return items
    return [items] if items else []


class RecordKeys:
    """The natural keys of a batch's records by number, in portable form, made when asked for."""

    def __init__(self, loader: Loader, batch: Batch) -> None:
        self.loader = loader
        self.batch = batch

    def get(self, number: int) -> Any:
        """Return a record's key."""
        return self.loader.name_of(self.batch, self.batch.numbers.index(number))


class NoKeys:
    """Stands in where only the records' numbers are known."""

    def get(self, number: int) -> Any:
        """Return nothing."""
        return None


Keys = RecordKeys | NoKeys


#: Says where in its record a row stands, by its place in a batch: ``ingredients.3.``.
Place = Callable[[int], str]


def in_record(_: int) -> str:
    """The rows are the records themselves."""
    return ""


def nested_place(above: Place, written: str, owners: Sequence[int]) -> Place:
    """Return the places of owned rows, counted from 1 within each list."""
    positions: list[int] = []

    def at(n: int) -> str:
        if not positions:
            seen: Counter[int] = Counter()
            for owner in owners:
                seen[owner] += 1
                positions.append(seen[owner])
        return f"{above(owners[n])}{written}.{positions[n]}."

    return at


class Loader:
    """What loading an entity's records and loading deferred rows have in common."""

    def __init__(self, state: LoadState, root: RowSet, file: str) -> None:
        self.state = state
        self.root = root
        self.file = file
        self.database = state.database
        self.counts = state.counts.setdefault(root.name, Counts())
        self.bad: set[int] = set()

    def fail(self, number: int, key: Any, field_: str | None, message: str) -> None:
        """Note a problem of a record, which is then left out."""
        note = self.state.notes.get(self.root.name, "")
        text = sentence("", message, note) if note else message
        self.report(Problem(self.file, number, key, field_, text))

    def report(self, problem: Problem) -> None:
        """Note a problem as it is; its record is then left out."""
        number, key = problem.record or 0, problem.key
        self.state.problems.append(problem)
        if number not in self.bad:
            self.bad.add(number)
            self.counts.failed += 1
        if key is not None:
            self.state.failed.add((self.root.name, json_text(key)))

    def name_of(self, batch: Batch, place: int) -> Any:
        """Return the natural key of a row's record, where the row is the record itself."""
        key = batch.keys[place]
        return told_key(self.root.key, key) if key else None

    # References

    def resolve(self, rows: RowSet, batch: Batch, keys: Keys, at: Place) -> ResolvedBatch:
        """Resolve a batch's references, but those that are deferred; misses are problems.

        ``at`` says where in its record a row stands: ``ingredients.3.``.
        """
        resolved = ResolvedBatch(batch)
        order = self.state.order
        for reference in rows.references:
            if (rows.name, reference.name) not in order.updated | order.waves:
                held = batch.references[reference.name]
                resolved.foreign[reference.name] = self._resolve(reference, held, batch, keys, at)
        for links in rows.links:
            if link_name(rows, links) not in order.late:
                lists = batch.links[links.name]
                resolved.links[links.name] = self.resolve_links(
                    links, batch.numbers, lists, keys, at
                )
        for children in rows.children:
            if children.rows.name not in order.late:
                nested = batch.children[children.name]
                inner = nested_place(at, children.written, nested.owners)
                resolved.children[children.name] = self.resolve(
                    children.rows, nested.batch, keys, inner
                )
        return resolved

    def _resolve(
        self, reference: Reference, held: list[Key | None], batch: Batch, keys: Keys, at: Place
    ) -> list[Row | None]:
        found = self.found(reference, held)
        rows = [found.get(key) for key in held]  # type: ignore[arg-type]
        if rows.count(None) == held.count(None) and AMBIGUOUS not in rows:
            return rows
        for n, (key, row) in enumerate(zip(held, rows, strict=True)):
            if key is not None and (row is None or row is AMBIGUOUS):
                number, where = batch.numbers[n], f"{at(n)}{reference.written}"
                self.fail(number, keys.get(number), where, self.missing(reference, key, row))
                rows[n] = None
        return rows

    def resolve_links(
        self,
        links: Links,
        numbers: Sequence[int],
        lists: Sequence[list[Key]],
        keys: Keys,
        at: Place,
    ) -> list[list[Row]]:
        """Resolve many-to-many lists; a key twice in one list is a problem."""
        reference = links.reference
        found = self.found(reference, (key for held in lists for key in held))
        result = []
        for n, (number, held) in enumerate(zip(numbers, lists, strict=True)):
            if len(set(held)) != len(held):
                twice = repeated(held)
                text = f"holds {described(reference.parts, twice)} twice; remove one"
                self.fail(number, keys.get(number), f"{at(n)}{links.written}", text)
            rows = []
            for key in held:
                row = found.get(key)
                if row is None or row is AMBIGUOUS:
                    text = self.missing(reference, key, row)
                    self.fail(number, keys.get(number), f"{at(n)}{links.written}", text)
                else:
                    rows.append(row)
            result.append(rows)
        return result

    def found(self, reference: Reference, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys of a reference's targets that exist to the columns referred to."""
        return self.state.resolvers.of(reference).find(keys)

    def missing(self, reference: Reference, key: Key, row: Row | None = None) -> str:
        """Say that a reference has no target, or several, and what to do."""
        target = reference.target.name
        resolver = self.state.resolvers.of(reference)
        if row is AMBIGUOUS:
            text = described(reference.parts, resolver.unclear(key))
            return f"several {target} have {text}; make it unique, or refer to them by another key"
        text = described(reference.parts, key)
        named = json_text(told_key(reference.parts, key))
        is_hidden = any(map(hides, reference.parts))
        if not is_hidden and (reference.target.name, named) in self.state.failed:
            return f"no {target} has {text}, for its own record has a problem"
        near = None if is_hidden else self._nearest(resolver, key)
        closest = f"; closest is {near}" if near is not None else ""
        extension = reference.target.extension_of(reference.remote[0].table)
        those = f"{target} with a row in {extension.table.fullname}" if extension else target
        return f"no {those} has {text}{closest}. Add the record to {target}, or correct the key"

    def _nearest(self, resolver: KeyResolver, key: Key) -> str | None:
        self.state.helped += 1
        return resolver.nearest(key) if self.state.helped <= HELPED else None

    # Inserting

    def objection(self, error: Objection) -> str:
        """Return what stands against a record; the database's text may show what is hidden."""
        if not isinstance(error, Disagreement) and has_hidden(self.root):
            return f"the database refused it: {told_refusal(error)}"
        return objection(error)

    def attempt(self, work: Callable[[Later], object]) -> Objection | None:
        """Do some writing in a savepoint; return what stands against it, if anything does."""
        later = Later()
        try:
            with self.database.connection.begin_nested():
                work(later)
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated or not self.database.dialect.is_objection(error):
                raise
            return error
        except Disagreement as error:
            return error
        self.state.keep(later)
        return None


def field_of(error: Objection) -> str | None:
    """Name the field that is to blame, where it is known."""
    return error.field if isinstance(error, Disagreement) else None


def objection(error: Objection) -> str:
    """Return what the database said, on one line, or what fields disagree in."""
    if isinstance(error, Disagreement):
        return str(error)
    text = str(error.orig).strip().splitlines()
    return f"the database refused it: {'; '.join(line.strip() for line in text)}"
