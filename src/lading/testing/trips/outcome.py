"""What an import must make of a database's records, told from both sides' records alone.

A record is known by its natural key, and references are written as such keys.  So what is written
says what the bundle says, and of everything else each row stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import Any

from lading.importing.import_options import MIRROR, UPDATING, ImportOptions
from lading.model.rowsets import Column, Reference, RowSet, Value, references_of
from lading.records.comparison import RecordComparison
from lading.testing.compare.difference import DataDifference
from lading.testing.compare.records import (
    ANYTHING,
    Who,
    at_each_level,
    by_key,
    plain_text,
    record_differences,
    restorable,
    same,
)
from lading.testing.datasets.dataset import Instance
from lading.testing.trips.bundles import as_loaded
from lading.testing.trips.failures import hold_none
from lading.testing.trips.state import State

Record = dict[str, Any]
Row = Record
Document = Mapping[str, list[Record]]


class Outcome:
    """What must come of importing some records into a database that holds others.

    ``new`` are the records whose keys aren't there, ``refused`` those that are there, and that
    ``on_conflict="error"`` refuses; ``replaced`` are those that an update may change, ``differing``
    those that the database has otherwise, and ``doomed`` those that a mirror deletes.

    Args:
        before: What the database holds.
        bundle: The records that are imported, by entity, in canonical form.
        options: How they are imported.
    """

    def __init__(self, before: State, bundle: Document, options: ImportOptions) -> None:
        self.before = before
        self.entities = entities = before.plans.entities
        self.options = options
        self.names = [name for name in entities.roots if name in bundle and options.takes(name)]
        document = as_loaded(entities, before.export) if before.instances else {}
        self.known = by_key(entities, document)
        self.loaded = by_key(entities, {name: bundle[name] for name in self.names})
        there = self.known.keys() & self.loaded.keys()
        self.new = self.loaded.keys() - self.known.keys()
        self.refused = {who for who in there if options.mode(who[0]) == "error"}
        self.replaced = {who for who in there if options.mode(who[0]) in UPDATING}
        gone = self.known.keys() - self.loaded.keys()
        self.doomed = {
            who for who in gone if who[0] in self.names and options.mode(who[0]) == MIRROR
        }
        self.differing = set(self._differing(there))
        #: The fields that updates alter in some record, with the entity.
        self.altered = {
            (who[0], field)
            for who in self.replaced & self.differing
            for field in self.known[who].keys() | self.loaded[who].keys()
            if not same(self.known[who].get(field), self.loaded[who].get(field))
        }
        self.moved = {name for name, root in entities.roots.items() if self._is_moved(root)}

    def _differing(self, there: Iterable[Who]) -> Iterator[Who]:
        comparisons = {name: RecordComparison(self.entities[name]) for name in self.names}
        for who in there:
            sides = restorable(self.entities[who[0]], (self.known[who], self.loaded[who]))
            if comparisons[who[0]].update(*sides):
                yield who

    def _is_moved(self, root: RowSet) -> bool:
        """Tell whether an entity's references say something else where their targets change."""
        changed = {name for name, _ in self.replaced & self.differing}
        return any(
            reference.target.entity in changed
            if reference.target.is_owned
            else (reference.target.entity, reference.by) in self.altered
            for _, _, reference in references_of(root)
        )

    # What may fail

    def document(self) -> Document:
        """Return what should be there if no record failed."""
        records = self._merged()
        return self._by_name({who: r for who, r in records.items() if who not in self.doomed})

    def _merged(self) -> dict[Who, Record]:
        """Return what is there before a mirror deletes anything, if no record failed."""
        return self.known | {who: self.loaded[who] for who in self.new | self.replaced}

    def _by_name(self, records: Mapping[Who, Record]) -> Document:
        return {
            name: [record for who, record in records.items() if who[0] == name]
            for name in self.entities.roots
        }

    def is_unsure(self) -> bool:
        """Tell whether records may fail that together with all others could be there.

        No update changes a primary key, a class, or what foreign keys hold beside primary keys.
        """
        roots = self.entities.roots.values()
        lasting = {column for root in roots for column in root.table.primary_key.columns}
        lasting |= {root.discriminator.column for root in roots if root.discriminator}
        return bool(self.moved) or self.alters_held or self._is_ambiguous() or self._alters(lasting)

    @cached_property
    def alters_held(self) -> bool:
        """Whether updates alter what foreign keys hold instead of a primary key."""
        keys = [key for plan in self.before.plans.of.values() for key in plan.foreign]
        others = [k for k in keys if set(k.remote) != set(k.target.primary_key.columns)]
        return self._alters({column for key in others for column in key.remote})

    def _alters(self, columns: set[Column]) -> bool:
        """Tell whether updates alter what some columns hold; of owned rows, their list."""
        for rows in self.entities.plain.values():
            members: list[Value | Reference] = [*rows.values, *rows.references]
            for member in members:
                field, *_ = [*rows.name.split(".")[1:], member.written]
                if (rows.entity, field) in self.altered and columns & {*member.columns}:
                    return True
        return False

    def _is_ambiguous(self) -> bool:
        """Tell whether records share what references find them by, be it until a mirror deletes."""
        found_by = {
            (reference.target.name, reference.parts[0].written)
            for root in self.entities.roots.values()
            for _, _, reference in references_of(root)
            if reference.by is not None
        }
        values = [
            (name, field, plain_text(record.get(field)))
            for (name, _), record in self._merged().items()
            for entity, field in found_by
            if entity == name
        ]
        return len(set(values)) < len(values)

    @property
    def may_rename(self) -> bool:
        """Whether natural keys go by what has changed, or by what several records share."""
        parts = [part for root in self.entities.roots.values() for part in root.key]
        has_by = any(isinstance(part, Reference) and part.by is not None for part in parts)
        return has_by and (bool(self.moved) or self._is_ambiguous())

    # What is left

    def hold(self, after: State, problem: str, failed: set[Who]) -> None:
        """Raise ``RoundTripError`` where a database has other rows.

        Args:
            after: The rows that the database has now.
            problem: The first line of the error.
            failed: The records that have failed.
        """
        changed = {
            who for who in self.replaced - failed if who in self.differing or who[0] in self.moved
        }
        stays = self.known.keys() - self.doomed - changed
        expected = {who: self._left(who) for who in changed | (self.new - failed)}
        now = by_key(self.entities, after.document)
        records = {who: record for who, record in now.items() if who not in stays}
        sides = self._by_name(expected), self._by_name(records)
        hold_none(record_differences(self.entities, *sides), problem)
        hold_none(chain(self._other_rows(after, stays), self._made_anew(after)), problem)

    def _left(self, who: Who) -> Record:
        """Return what a record says that is written, whatever versions updates count."""

        def freed(rows: RowSet, record: Record) -> Record:
            names = [v.written for v in rows.values if v.column is rows.mapper.version_id_col]
            if who[0] in self.moved and who not in self.new:
                names += [m.written for m in rows.members if m.name in rows.volatile]
            return record | dict.fromkeys(names, ANYTHING)

        return at_each_level(self.entities[who[0]], self.loaded[who], freed)

    def _other_rows(self, after: State, stays: Collection[Who]) -> Iterator[DataDifference]:
        """Yield the rows that aren't as they were, of records that stay and that nothing takes."""
        along = self.along if self.options.cascade else ()
        sides, whose = (self.before.rows, after.rows), after.records | self.before.records
        for place, (instance, _) in (after.rows | self.before.rows).items():
            name, key = who = whose.get(instance, ("", ""))
            was, now = (rows[place][1] if place in rows else None for rows in sides)
            change = _change(was, now)
            if who in self.replaced and instance.plan.name == name and now is None:
                yield DataDifference(name, key, "id", "one id", "another")
            elif who in stays and bool(change) != (instance in along):
                change = change or "a row stays that should go along with others"
                yield DataDifference(name, key, None, "", f"{place[0]}: {change}")

    def _made_anew(self, after: State) -> Iterator[DataDifference]:
        """Yield the rows that say what they said before, and have other ids.

        Of rows that stand in the order of their ids, the contents may move.
        """
        lost, new = (
            {
                (place[0], repr({**row, instance.plan.made_up.name: None})): instance
                for place, (instance, row) in side.rows.items()
                if place not in other.rows
                and instance.plan.made_up is not None
                and not instance.plan.is_sequence
                and instance.plan.made_up.name in row
                and place[0] == instance.plan.table.fullname
            }
            for side, other in ((self.before, after), (after, self.before))
        )
        for text in lost.keys() & new.keys():
            name, key = self.before.records.get(lost[text], (lost[text].plan.name, None))
            yield DataDifference(name, key, "id", "one id", f"another, in a row of {text[0]}")

    @cached_property
    def along(self) -> dict[Instance, str]:
        """The rows that the database deletes or clears along with doomed ones, by its ON DELETE."""
        whose, rows = self.before.records, self.before.instances
        new = {row for row in rows if whose.get(row) in self.doomed}
        gone, along = set(new), dict[Instance, str]()
        while new:
            leading = [
                (row, foreign.on_delete)
                for row in rows
                if row not in gone and whose.get(row) not in self.replaced
                for foreign, far in row.led.items()
                if far in new and foreign.on_delete in ("CASCADE", "SET NULL")
            ]
            new = {row for row, action in leading if action == "CASCADE"}
            along |= {row: "deleted" if row in new else "set to null" for row, _ in leading}
            gone |= new
        return along

    # What is counted

    def counts(self, name: str, failed: set[Who]) -> dict[str, int]:
        """Return the counts of an entity, by their words; only those that are known."""
        there = (self.known.keys() & self.loaded.keys()) - failed
        is_updated = self.options.mode(name) in UPDATING
        counts = {
            "inserted": _count(name, self.new - failed),
            "deleted": _count(name, self.doomed),
            "failed": _count(name, failed),
        }
        if name in self.moved:
            return counts
        return counts | {
            "updated": is_updated * _count(name, there & self.differing),
            "differing": (not is_updated) * _count(name, there & self.differing),
            "unchanged": is_updated * _count(name, there - self.differing),
            "skipped": (not is_updated) * _count(name, there),
        }


def _count(name: str, records: Iterable[Who]) -> int:
    return sum(who[0] == name for who in records)


def _change(was: Row | None, now: Row | None) -> str:
    """Say what became of a row, if it isn't as it was."""
    if was is None:
        return "a row appeared"
    if now is None:
        return "a row is gone"
    names = [name for name in was if not _is_same(was[name], now[name])]
    return f"{', '.join(names)} changed" if names else ""


def _is_same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and (value == other or repr(value) == repr(other))
