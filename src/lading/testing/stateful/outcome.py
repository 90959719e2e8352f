"""What an import must make of a database's records, told from both sides' exports alone.

A record is known by its natural key, and references are written as such keys; so what an
import of any mode leaves behind is the records that are there, joined with those of the bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.importing.options import ERRORS
from lading.messages import listed
from lading.model.entities import Entities
from lading.model.rowsets import Children, Links, Reference, RowSet
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import ImportReport
from lading.testing.compare.records import plain_text, restorable, same
from lading.testing.trips.trip import RoundTripError

#: What ``on_conflict`` may say, and that the record which is there stays as it is.
MODES = ("skip", "error")
#: A record: its entity, and its natural key as one text.
Who = tuple[str, str]
Record = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """An import's options; ``only`` is ``None`` for all entities."""

    on_conflict: str | Mapping[str, str]
    on_error: str
    only: Sequence[str] | None = None

    def mode(self, entity: str) -> str:
        """Return what happens to an entity's records that are there."""
        if isinstance(self.on_conflict, str):
            return self.on_conflict
        return self.on_conflict.get(entity, self.on_conflict.get("*", "skip"))

    @property
    def keeps_good(self) -> bool:
        """Whether good records are kept beside bad ones."""
        return self.on_error == "continue"

    def options(self) -> dict[str, Any]:
        """Return them as keyword arguments."""
        options = {"on_conflict": self.on_conflict, "on_error": self.on_error}
        return options if self.only is None else {**options, "only": self.only}


def terms_of(entities: Sequence[str]) -> SearchStrategy[Terms]:
    """Draw the options of an import into a catalog with these entities."""
    modes, names = st.sampled_from(MODES), st.sampled_from(entities)
    some = st.dictionaries(names, modes, min_size=1, max_size=2)
    mapped = st.tuples(some, modes).map(lambda pair: {**pair[0], "*": pair[1]})
    all_or_some = st.none() | st.lists(names, min_size=1, unique=True)
    return st.builds(Terms, modes | mapped, st.sampled_from(ERRORS), all_or_some)


class Outcome:
    """What must come of importing some records into a database that holds others.

    ``new`` are the records whose keys aren't there, ``there`` those of the bundle whose are;
    ``refused`` are those of the latter that ``on_conflict="error"`` refuses.
    """

    def __init__(
        self,
        entities: Entities,
        before: Mapping[str, list[Record]],
        bundle: Mapping[str, list[Record]],
        terms: Terms,
    ) -> None:
        self.entities = entities
        self.terms = terms
        self.before = before
        names = [name for name in entities.roots if terms.only is None or name in terms.only]
        self.known = {name: _by_key(root, before[name]) for name, root in entities.roots.items()}
        known = self.known
        loaded = {name: _by_key(entities[name], bundle[name]) for name in names}
        self.loaded = {(name, key) for name in names for key in loaded[name]}
        self.new = {
            (name, key): record
            for name in names
            for key, record in loaded[name].items()
            if key not in known[name]
        }
        self.there = {
            (name, key): (known[name][key], record)
            for name in names
            for key, record in loaded[name].items()
            if key in known[name]
        }
        self.refused = {who for who in self.there if terms.mode(who[0]) == "error"}

    def records(self, failed: set[Who]) -> dict[str, list[Record]]:
        """Return the records that must be there afterwards, but for those that failed."""
        records = {name: list(self.before[name]) for name in self.entities.roots}
        for who, record in self.new.items():
            if who not in failed:
                records[who[0]].append(record)
        return records

    def is_sure(self) -> bool:
        """Tell whether each new record's references surely lead to a record that is loaded."""
        keys = {name: set(records) for name, records in self.known.items()}
        for name, key in self.new:
            keys[name].add(key)
        return all(
            self._leads(reference, value, keys)
            for (name, _), record in self.new.items()
            for reference, value in references(self.entities[name], record)
        )

    def _leads(self, reference: Reference, value: Any, keys: Mapping[str, set[str]]) -> bool:
        target = reference.target
        is_plain = reference.by is None and not reference.shared
        if not is_plain or target.is_owned or reference.remote[0].table is not target.table:
            return False  # what it leads to isn't told by natural keys alone
        key = {target.key_names[0]: value} if reference.flat else value
        return key_text(target.key_names, key) in keys[target.entity]

    # What a report must say

    def check(
        self, report: ImportReport, failed: set[Who], *, is_kept: bool, may_fail: bool
    ) -> None:
        """Raise ``RoundTripError`` where a report says what can't be.

        Args:
            report: What the import reported.
            failed: The records that its problems name.
            is_kept: Whether the import kept its good records.
            may_fail: Whether records may fail that are refused by no mode.
        """
        if missing := self.refused - failed:
            raise RoundTripError(
                f"these records should fail: {_listed(missing)} (is there already); "
                f"but the report says:\n{report}"
            )
        if (extra := failed - self.refused) and not (may_fail and extra <= self.new.keys()):
            raise RoundTripError(f"these records should not fail: {_listed(extra)}:\n{report}")
        for name in {name for name, _ in self.loaded}:
            self._count(report, failed, name, is_kept=is_kept)

    def _count(self, report: ImportReport, failed: set[Who], name: str, *, is_kept: bool) -> None:
        skipped = [
            pair for who, pair in self.there.items() if who[0] == name and who not in self.refused
        ]
        new = [who for who in self.new if who[0] == name and who not in failed]
        expected = {"skipped": len(skipped), "inserted": len(new) if is_kept else 0}
        if is_kept:
            expected["failed"] = sum(who[0] == name for who in failed)
        for what, number in expected.items():
            if getattr(report[name], what) != number:
                raise RoundTripError(
                    f"{name}: {number} records should be {what}; the report says: {report[name]}"
                )
        root = self.entities[name]
        if needs_marshmallow(root):
            return  # its hooks may make anything of a record
        differing = sum(not same(*(counted(root, record) for record in pair)) for pair in skipped)
        if report[name].differing != differing:
            raise RoundTripError(
                f"{name}: {differing} of the skipped records differ; "
                f"the report says: {report[name]}"
            )


def _listed(records: Iterable[Who]) -> str:
    return listed(f"{name} {key}" for name, key in sorted(records))


def _by_key(root: RowSet, records: Iterable[Record]) -> dict[str, Record]:
    return {key_text(root.key_names, record): record for record in records}


def key_text(names: Iterable[str], record: Mapping[str, Any]) -> str:
    """Return what a record holds in its natural key as one text; equal keys, equal texts."""
    return plain_text({name: record.get(name) for name in names})


def references(rows: RowSet, record: Record) -> Iterator[tuple[Reference, Any]]:
    """Yield every reference of a record that isn't null, with what it is written as."""
    for member in rows.members:
        value = record.get(member.written)
        if isinstance(member, Reference) and value is not None:
            yield member, value
        elif isinstance(member, Links):
            yield from ((member.reference, far) for far in value or ())
        elif isinstance(member, Children):
            for child in value or ():
                yield from references(member.rows, child)


def counted(rows: RowSet, record: Record) -> Record:
    """Return what counts when a record is compared with the one that is there."""
    (whole,) = restorable(rows, [record])
    names = {member.name: member.written for member in rows.members}
    content = {
        name: value
        for name, value in whole.items()
        if name not in {names[volatile] for volatile in rows.volatile if volatile in names}
    }
    for member in rows.children:
        children = [counted(member.rows, child) for child in content.get(member.written) or ()]
        if member.written in content:
            ordered = children if member.sequence else sorted(children, key=plain_text)
            content[member.written] = ordered
    return content
