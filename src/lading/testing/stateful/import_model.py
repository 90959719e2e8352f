"""Foretells an import: which records it inserts, skips and refuses, and what is there afterwards.

Nothing of the engine's is used here: both databases are told from the rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lading.model.rowsets import Children, Column, Links, Member, Reference, RowSet, Value
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Instance, MadeUp
from lading.testing.datasets.draw import join
from lading.testing.datasets.expected_records import ANYTHING, Written, ends_of
from lading.testing.datasets.table_plan import Foreign, Plan
from lading.testing.datasets.uniqueness import Claims, same
from lading.testing.stateful.state import State, key_text, plain_text

#: A record: its entity, and its natural key as one text.
Who = tuple[str, str]


class Forecast:
    """The records of one entity that an import leaves alone, and those that differ.

    ``unclear`` counts records of which a database makes parts, so that they may differ or not.
    """

    def __init__(self) -> None:
        self.inserted = 0
        self.skipped = 0
        self.differing = 0
        self.unclear = 0
        self.failed = 0


class Merge:
    """What an import of ``source`` makes of ``target``.

    ``way`` says of each entity what happens to a record that is there already, one of
    ``WAYS``, and ``None`` where no record is loaded.
    ``state`` is the target as it is afterwards, where good records are kept; ``copies`` maps
    its new rows to those of the source.  ``failed`` are the records that can't be imported,
    and why; ``blamed`` those of them that fail by themselves, and not with others.
    """

    def __init__(self, source: State, target: State, way: Callable[[str], str | None]) -> None:
        self.plans = source.plans
        self.source = source
        self.target = target
        self.way = way
        self.ours, self.theirs = source.written(), target.written()
        roots = self.plans.entities.roots
        self.forecasts = {name: Forecast() for name in roots if way(name) is not None}
        self.failed: dict[Who, str] = {}
        self.records = self._new_records()
        self.bad: dict[Instance, str] = {}
        attempt = Attempt(self)
        self.blamed = set(self.failed) | {self.records[root] for root in attempt.problems}
        while attempt.problems:
            self.bad |= attempt.problems
            attempt = Attempt(self)
        self.failed |= {self.records[root]: why for root, why in self.bad.items()}
        self.state, self.copies = attempt.state, attempt.copies
        for name, _ in self.failed:
            self.forecasts[name].failed += 1
        for root, (name, _) in self.records.items():
            self.forecasts[name].inserted += root not in self.bad

    def clashes(self) -> bool:
        """Tell whether records would share a key that the database doesn't keep unique."""
        claims = Claims()
        return not all(claims.take(item) for item in self.state.instances)

    # Records that are there already

    def _new_records(self) -> dict[Instance, Who]:
        found: dict[Instance, Who] = {}
        for name in self.forecasts:
            root = self.plans.entities[name]
            plan = self.plans.of[root.table]
            there = {key_text(self.theirs, root.key, item): item for item in self.target.of(plan)}
            for item in self.source.of(plan):
                key = key_text(self.ours, root.key, item)
                if key in there:
                    WAYS[self.way(name) or ""](self, root, item, there[key])
                else:
                    found[item] = (name, key)
        return found

    def _refuse(self, root: RowSet, mine: Instance, theirs: Instance) -> None:
        self.failed[root.name, key_text(self.ours, root.key, mine)] = "is there already"

    def _skip(self, root: RowSet, mine: Instance, theirs: Instance) -> None:
        forecast = self.forecasts[root.name]
        forecast.skipped += 1
        texts = [
            plain_text(_counted(root, written.record(root, item)))
            for written, item in ((self.ours, mine), (self.theirs, theirs))
        ]
        if any(repr(ANYTHING) in text for text in texts):
            forecast.unclear += 1
        elif texts[0] != texts[1]:
            forecast.differing += 1


#: What is done with a record that is there already, by the word that ``on_conflict`` has for it.
WAYS: dict[str, Callable[[Merge, RowSet, Instance, Instance], None]] = {
    "skip": Merge._skip,
    "error": Merge._refuse,
}


def _counted(rows: RowSet, record: dict[str, Any]) -> dict[str, Any]:
    """Return what counts when two records are compared."""
    kept: dict[str, Any] = {}
    for member in rows.members:
        is_made = isinstance(member, Value) and not member.writable
        if is_made or member.name in rows.volatile or member.written not in record:
            continue
        value = record[member.written]
        if isinstance(member, Children):
            value = [_counted(member.rows, item) for item in value]
        if isinstance(member, Links) or (isinstance(member, Children) and not member.sequence):
            value = sorted(value, key=plain_text)
        kept[member.written] = value
    return kept


class Attempt:
    """Copies all records that aren't known to be bad, and finds out which of them are."""

    def __init__(self, merge: Merge) -> None:
        self.merge = merge
        self.plans: Plans = merge.plans
        self.state = merge.target.copy()
        self.there = {old: new for new, old in self.state.origin.items()}
        self.copies: dict[Instance, Instance] = {}
        self.made: dict[Instance, Instance] = {}
        self.root: dict[Instance, Instance] = {}
        self.bad: dict[Instance, str] = {}
        self.unclear: dict[Instance, str] = {}
        self.index: dict[tuple[Plan, tuple[Member, ...]], dict[str, list[Instance]]] = {}
        for item in merge.source.instances:
            self._copy(item)
        for hard in (True, False):
            for copy in self.copies:
                self._lead(copy, hard=hard)
        self._unique()

    @property
    def problems(self) -> dict[Instance, str]:
        """The records that turned out bad, by their roots.

        A key that two rows have is clear again once one of them has gone with its record.
        """
        return self.bad or self.unclear

    # Rows

    def _copy(self, item: Instance) -> None:
        root = self._record_of(item)
        if root is None or root in self.merge.bad:
            return
        copy = Instance(item.plan, self._number(item.plan), item.kind)
        held = _held(item)
        made: Any = None
        for table, row in item.rows.items():
            cells = {name: cell for name, cell in row.items() if (table, name) not in held}
            if item.plan.made_up is not None and isinstance(item.cell(item.plan.made_up), MadeUp):
                mine = item.cell(item.plan.made_up)
                made = made or MadeUp(item.plan, copy.number)
                cells = {name: made if cell is mine else cell for name, cell in cells.items()}
            copy.rows[table] = cells
        self.root[item] = root
        self.copies[copy] = item
        self.made[item] = copy
        self.state.instances.append(copy)

    def _record_of(self, item: Instance) -> Instance | None:
        """Return the new record that a row is in; ``None`` for other rows."""
        if item in self.merge.records:
            return item
        if item.plan in self.plans.links:
            near, _ = ends_of(item.plan, self._links(item.plan)[1])
            return self.root.get(item.led[near]) if item.led[near] else None  # type: ignore[arg-type]
        owners = [item.led[way] for way in item.plan.owners if item.led.get(way) is not None]
        return self.root.get(owners[0]) if owners else None  # type: ignore[arg-type]

    def _number(self, plan: Plan) -> int:
        return max((item.number for item in self.state.of(plan)), default=-1) + 1

    def _links(self, plan: Plan) -> tuple[RowSet, Links]:
        return next(
            (rows, links)
            for rows in self.plans.entities.all_rows()
            for links in rows.links
            if links.table is plan.table
        )

    # References

    def _lead(self, copy: Instance, *, hard: bool) -> None:
        item = self.copies[copy]
        for foreign in item.plan.foreign:
            if foreign.hard is hard and foreign in item.led:
                far = item.led[foreign]
                reason = None if far is None else self._set(copy, foreign, far)
                if reason:
                    self.bad.setdefault(self.root[item], reason)
                    return
                copy.led.setdefault(foreign, None)
        join(copy)
        if not hard:
            for table, name in _held(item):
                if table in copy.rows:
                    copy.rows[table].setdefault(name, None)

    def _set(self, copy: Instance, foreign: Foreign, far: Instance) -> str | None:
        """Lead a foreign key to its target; return what stands against it."""
        item = self.copies[copy]
        reference = self._reference(item.plan, foreign)
        if reference is None:
            return None
        if foreign in item.plan.owners or self._is_near(item.plan, foreign):
            found = [self.made[far]]
        else:
            text = key_text(self.merge.ours, reference.parts, far)
            found = self._index(self.plans.of[foreign.target], reference.parts).get(text, [])
            found = [target for target in found if foreign.target in target.rows]
        if not found:
            return f"no {reference.target.name} has what {reference.written} says"
        if len(found) > 1:
            text = f"{len(found)} {reference.target.name} have what {reference.written} says"
            self.unclear.setdefault(self.root[item], text)
        copy.led[foreign] = found[0]
        row = copy.rows[foreign.table]
        for near, remote in zip(foreign.columns, foreign.remote, strict=True):
            cell = found[0].cell(remote)
            if near.name in row and not self._is_one(found[0], remote, row[near.name]):
                return f"{reference.written} disagrees with another field on {near.name}"
            row[near.name] = cell
        return None

    def _is_one(self, far: Instance, remote: Column, cell: Any) -> bool:
        """Tell whether a cell would be stored as a target's is."""
        held, fits = far.cell(remote), far.fits(remote)
        if held is cell or held == cell:
            return True
        if fits is None or held is None or cell is None:
            return False
        return bool(fits.stored(held, self.state.engine) == fits.stored(cell, self.state.engine))

    def _reference(self, plan: Plan, foreign: Foreign) -> Reference | None:
        """Return what records say of a foreign key; ``None`` where they say nothing."""
        if plan.rows is None:
            return self._links(plan)[1].reference
        known = (item for item in plan.rows.references if set(item.columns) == set(foreign.columns))
        return next(known, None)

    def _is_near(self, plan: Plan, foreign: Foreign) -> bool:
        return plan in self.plans.links and ends_of(plan, self._links(plan)[1])[0] is foreign

    def _index(self, plan: Plan, parts: tuple[Member, ...]) -> dict[str, list[Instance]]:
        """Map what rows hold in some parts to the rows: those that are there, and the new."""
        if (plan, parts) not in self.index:
            found: dict[str, list[Instance]] = {}
            held: list[tuple[Written, Instance, Instance]] = [
                (self.merge.theirs, old, self.there[old]) for old in self.merge.target.of(plan)
            ]
            held += [
                (self.merge.ours, item, copy)
                for copy, item in self.copies.items()
                if copy.plan is plan
            ]
            for written, item, now in held:
                found.setdefault(key_text(written, parts, item), []).append(now)
            self.index[plan, parts] = found
        return self.index[plan, parts]

    # What a database keeps unique

    def _unique(self) -> None:
        seen: dict[tuple[Plan, int], set[Any]] = {}
        for item in self.state.instances:
            for place, unique in enumerate(item.plan.uniques):
                if unique.nulls_equal or unique.columns[0].table not in item.rows:
                    continue
                held = seen.setdefault((item.plan, place), set())
                keys = same(item, unique)
                if item in self.copies and not held.isdisjoint(keys):
                    names = " and ".join(column.name for column in unique.columns)
                    root = self.root[self.copies[item]]
                    self.bad.setdefault(root, f"another row has its {names}")
                else:
                    held.update(keys)


def _held(item: Instance) -> set[tuple[Any, str]]:
    """Return the columns that foreign keys alone hold."""
    values = {value.column for value in item.plan.rows.values} if item.plan.rows else set()
    return {
        (column.table, column.name)
        for foreign in item.plan.foreign
        if foreign in item.led
        for column in foreign.columns
        if column not in values
    }
