"""What an import must make of a database's records, told from both sides' exports alone.

A record is known by its natural key, and references are written as such keys; so what an
import of any mode leaves behind is told by the records that are there and those of the bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.importing.options import ERRORS, MIRROR, UPDATING
from lading.messages import listed
from lading.model.entities import Entities
from lading.model.rowsets import Reference, RowSet
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import Counts, ImportReport
from lading.testing.compare.records import ANYTHING, plain_text, restorable, same
from lading.testing.trips.trip import RoundTripError

#: What ``on_conflict`` may say.
MODES = ("skip", "error", *UPDATING)
#: The counts that are known of entities with hooks, which may make anything of a record.
TOLD = ("inserted", "deleted", "failed")
#: A record: its entity, and its natural key as one text.
Who = tuple[str, str]
Record = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """An import's options; ``only`` is ``None`` for all entities.

    ``expects`` says whether the import is held to its plan.
    """

    on_conflict: str | Mapping[str, str]
    on_error: str = ERRORS[0]
    only: Sequence[str] | None = None
    expects: bool = False

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
    terms = st.builds(
        Terms, modes | mapped, st.sampled_from(ERRORS), all_or_some, expects=st.booleans()
    )
    return terms.filter(lambda drawn: not (drawn.keeps_good and MIRROR in repr(drawn.on_conflict)))


class Outcome:
    """What must come of importing some records into a database that holds others.

    ``new`` are the records whose keys aren't there, ``refused`` those that are there, and that
    ``on_conflict="error"`` refuses; ``replaced`` are those that an update may change, and
    ``doomed`` those that a mirror deletes.
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
        names = [name for name in entities.roots if terms.only is None or name in terms.only]
        self.known = {name: _by_key(root, before[name]) for name, root in entities.roots.items()}
        self.loaded = {name: _by_key(entities[name], bundle[name]) for name in names}
        known, loaded = (
            {(name, key) for name in names for key in records[name]}
            for records in (self.known, self.loaded)
        )
        there = known & loaded
        self.new = loaded - known
        self.refused = {who for who in there if terms.mode(who[0]) == "error"}
        self.kept = {who for who in there if terms.mode(who[0]) not in UPDATING}
        self.replaced = {who for who in there if terms.mode(who[0]) in UPDATING}
        self.doomed = {who for who in known - loaded if terms.mode(who[0]) == MIRROR}

    @property
    def is_partial(self) -> bool:
        """Whether records may stay away that others need, or stay as they are and hold others.

        No update changes a primary key or a class.
        """
        modes = {self.terms.mode(name) for name in self.known}
        is_partial = self.terms.only is not None or bool(self.refused) or {MIRROR} < modes
        is_partial |= bool(self.kept) and not all(map(_is_by_key, self._references()))
        return is_partial or any(
            not same(self.known[name][key].get(id_), self.loaded[name][key].get(id_))
            for name, key in self.replaced
            for id_ in _ids(self.entities[name])
        )

    @property
    def is_foretold(self) -> bool:
        """Whether a plan foresees all problems: not that an update drops what others refer to."""
        return not self.replaced or not any(r.target.is_owned for r in self._references())

    def _references(self) -> Iterator[Reference]:
        for rows in self.entities.all_rows():
            yield from (*rows.references, *(links.reference for links in rows.links))

    def after(self, failed: set[Who]) -> tuple[dict[str, list[Record]], dict[str, Counts]]:
        """Return the records that must be there when some have failed, and the report's counts."""
        records, counts = {}, {}
        for name, known in self.known.items():
            records[name] = list(known.values())
            if name in self.loaded:
                records[name], counts[name] = self._loaded(name, failed)
        return records, counts

    def _loaded(self, name: str, failed: set[Who]) -> tuple[list[Record], Counts]:
        root, mode, loaded = self.entities[name], self.terms.mode(name), self.loaded[name]
        records, counts = dict(self.known[name]), Counts()
        for key in records.keys() - loaded.keys() if mode == MIRROR else ():
            del records[key]
            counts.deleted += 1
        for key, record in loaded.items():
            if (name, key) in failed:
                counts.failed += 1
            elif key not in records:
                records[key] = record
                counts.inserted += 1
            else:
                differs = not same(counted(root, record), counted(root, records[key]))
                if mode not in UPDATING:
                    counts.skipped += 1
                    counts.differing += differs
                elif differs:
                    counts.updated += 1
                    records[key] = record | dict.fromkeys(_versions(root), ANYTHING)
                else:
                    counts.unchanged += 1
        return list(records.values()), counts

    def check_failed(self, report: ImportReport, failed: set[Who], *, may_fail: bool) -> None:
        """Raise ``RoundTripError`` where other records fail than should.

        New and changed records that no mode refuses may fail where ``may_fail`` says so.
        """
        if missing := self.refused - failed:
            raise RoundTripError(
                f"these records should fail: {_listed(missing)} (is there already); "
                f"but the report says:\n{report}"
            )
        fixed = {name for name in self.loaded if self.terms.mode(name) not in UPDATING}
        extra = failed - self.refused
        if may_fail:
            extra = {who for who in extra - self.new if who[0] in fixed}
        if extra:
            raise RoundTripError(f"these records should not fail: {_listed(extra)}:\n{report}")

    def check_foretold(self, foretold: set[Who], failed: set[Who]) -> None:
        """Raise ``RoundTripError`` where a plan has problems of other records than the import.

        An import that is rolled back doesn't look for everything that its problems lead to.
        """
        is_foretold = failed == foretold if self.terms.keeps_good else failed <= foretold
        if not is_foretold or bool(failed) != bool(foretold):
            raise RoundTripError(
                f"a plan foretold problems of {_listed(foretold) or 'no record'}, and the import "
                f"has some of {_listed(failed) or 'none'}"
            )

    def check_counts(self, report: ImportReport, expected: Mapping[str, Counts]) -> None:
        """Raise ``RoundTripError`` where a report counts otherwise."""
        for name, counts in expected.items():
            for what, number in asdict(counts).items():
                is_known = what in TOLD or not needs_marshmallow(self.entities[name])
                if is_known and getattr(report[name], what) != number:
                    raise RoundTripError(
                        f"{name}: {number} records should be {what}; the report says: "
                        f"{report[name]}"
                    )


def _listed(records: Iterable[Who]) -> str:
    return listed(f"{name} {key}" for name, key in sorted(records))


def _by_key(root: RowSet, records: Iterable[Record]) -> dict[str, Record]:
    return {key_text(root.key_names, record): record for record in records}


def key_text(names: Iterable[str], record: Mapping[str, Any]) -> str:
    """Return what a record holds in its natural key as one text; equal keys, equal texts."""
    return plain_text({name: record.get(name) for name in names})


def _versions(rows: RowSet) -> list[str]:
    """Return the fields whose values an update counts itself."""
    version = rows.mapper.version_id_col
    return [value.written for value in rows.values if value.column is version is not None]


def _is_by_key(reference: Reference) -> bool:
    """Tell whether natural keys of records alone decide what a reference leads to."""
    target = reference.target
    is_plain = reference.by is None and not reference.shared
    return is_plain and not target.is_owned and reference.remote[0].table is target.table


def _ids(rows: RowSet) -> list[str]:
    """Return the fields that no update changes: those of the primary key, and the class."""
    ids = [value for value in rows.values if value.column.primary_key]
    return [value.written for value in (*ids, rows.discriminator) if value is not None]


def counted(rows: RowSet, record: Record) -> Record:
    """Return what counts when a record is compared with the one that is there."""
    (whole,) = restorable(rows, [record])
    names = {member.name: member.written for member in rows.members}
    ignored = {names[volatile] for volatile in rows.volatile if volatile in names}
    ignored.update(_versions(rows))
    content = {name: value for name, value in whole.items() if name not in ignored}
    for member in rows.children:
        children = [counted(member.rows, child) for child in content.get(member.written) or ()]
        if member.written in content:
            ordered = children if member.sequence else sorted(children, key=plain_text)
            content[member.written] = ordered
    return content
