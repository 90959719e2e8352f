"""A state machine that changes databases, exports and imports them, and misses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.errors import ArgumentError, DeclarationError, ImportFailed
from lading.exporter import export_document
from lading.fresh_databases.factories import EngineFactory, check_factory, sqlite_engine
from lading.importer import import_all, import_document
from lading.report import ImportReport
from lading.testing.compare.records import plain_text
from lading.testing.compare.stored import Stored
from lading.testing.datasets.catalog_plan import (
    Overrides,
    Plans,
    check_most,
    check_overrides,
)
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.references import Draw
from lading.testing.stateful.database import Live
from lading.testing.stateful.edits import ADDED, Edit, Edits
from lading.testing.stateful.outcome import Outcome, Terms, Who, terms_of
from lading.testing.stateful.state import Clash, clashing
from lading.testing.strategies import wanted_plans
from lading.testing.trips.bundles import files_of, manifest_of, noted, records_of
from lading.testing.trips.trip import RoundTripError, Trip, hold_records

#: The databases of a run.
PLACES = ("home", "other")
#: What records are exported as.
FORMS = ("folder", "zip", "document")


class Exported:
    """An export, with what the database held at that moment.

    ``content`` is a bundle's path, or a document; ``records`` are its records by entity, and
    ``files`` maps the names under which an import reports problems to entities.
    """

    def __init__(
        self, live: Live, form: str, content: Path | dict[str, Any], cells: Stored
    ) -> None:
        self.form = form
        self.content = content
        self.cells = cells
        self.where = live.name
        self.state = live.state
        self.files = {name: name for name in live.plans.entities.roots}
        self.records: dict[str, list[Any]]
        if isinstance(content, Path):
            self.files = {entry.filename: entry.entity_type for entry in manifest_of(content).files}
            self.records = records_of(content)
        else:
            self.records = {name: content[name] for name in self.files}

    def load(self, engine: sa.Engine, catalog: Catalog, **options: Any) -> ImportReport:
        """Import it."""
        report: ImportReport
        if isinstance(self.content, Path):
            report = import_all(engine, self.content, catalog=catalog, **options)
        else:
            report = import_document(engine, self.content, catalog=catalog, **options)
        return report

    def failed(self, report: ImportReport) -> set[Who]:
        """Return the records that a report's problems name."""
        return {(self.files[problem.file], plain_text(problem.key)) for problem in report.problems}

    def __repr__(self) -> str:
        return f"<{self.form} of {self.where}>"


def _change(
    make: Callable[[Edits, RoundTripMachine], Edit], *, where: str | None = None
) -> SearchStrategy[Edit]:
    """Draw a change to one of the databases as they are now, or to the one that is named."""

    @st.composite
    def change(draw: Draw, machine: RoundTripMachine) -> Edit:
        places = [name for name in PLACES if machine.live[name].state.instances] or PLACES
        name = where or draw(st.sampled_from(places))
        others = [
            row
            for other, live in machine.live.items()
            if other != name
            for row in live.state.instances
        ]
        state = machine.live[name].state
        begin = PLACES.index(name)
        changes = Edits(draw, name, state, others=others, begin=begin)
        return make(changes, machine)

    return st.runner().flatmap(change)


def _filled(changes: Edits, machine: RoundTripMachine) -> Edit:
    plans = machine.plans
    return changes.inserted(wanted_plans(plans, None), machine.most, first=plans.order[0])


def _inserted(changes: Edits, machine: RoundTripMachine) -> Edit:
    names = list(machine.plans.entities.roots)
    name = changes.draw(st.sampled_from(names))
    plan = machine.plans.of[machine.plans.entities[name].table]
    return changes.inserted(wanted_plans(machine.plans, frozenset({name})), ADDED, first=plan)


def _terms() -> SearchStrategy[Terms]:
    """Draw the terms of an import."""
    return st.runner().flatmap(lambda machine: terms_of(list(machine.plans.entities.roots)))


#: Stands for an argument that wasn't given.
NO_CATALOG: Any = object()


class RoundTripMachine(RuleBasedStateMachine):
    """Edits two databases of a catalog's tables, exports them and imports into each other.

    Use it with a catalog, or derive from it::

        TestShop = RoundTripMachine(catalog).TestCase

        class Shop(RoundTripMachine):
            catalog = catalog
        TestShop = Shop.TestCase

    Rows are inserted, edited, linked anew and deleted by plain Core statements.  After each
    step the database is exported, and the export must say what the rows say, as SQLAlchemy reads
    them.  After an import the database must hold the records that it held, as they were, and
    those of the bundle whose natural keys are new; what the report counts must be so; a refused
    import must leave every cell as it was.  ``RoundTripError`` says where anything else happens;
    errors of lading's own are raised as they are.

    ``engine_factory``, ``max_records`` and ``overrides`` are what :func:`assert_round_trip` and
    :func:`datasets` take; they are class attributes, or keyword arguments of the call.

    Which records fail is known where only natural keys decide it: those that are there under
    ``on_conflict="error"``.  Where references or other unique columns may clash as well, any of
    the new records may fail.  Not done is an import after which records share a ``by`` field that
    the database doesn't keep unique (such records can't be exported).  What hooks make of an
    entity's records isn't compared.  On engines whose collations hold different texts for equal,
    columns that are unique get harmless values.
    """

    __test__ = False
    catalog: ClassVar[Catalog]
    engine_factory: ClassVar[EngineFactory] = sqlite_engine
    max_records: ClassVar[int] = 2
    overrides: ClassVar[Overrides | None] = None
    exports = Bundle("exports")
    #: Derived once for all runs of a machine, when they are first needed.
    _plans: ClassVar[Plans]

    def __new__(cls, catalog: Catalog = NO_CATALOG, **options: Any) -> Any:
        """Return the machine of a catalog, as a class; without one, Hypothesis makes a run."""
        if catalog is NO_CATALOG:
            return super().__new__(cls)
        if not isinstance(catalog, Catalog):
            raise ArgumentError("catalog", catalog, "a Catalog")
        known = ("engine_factory", "max_records", "overrides")
        for name in options.keys() - set(known):
            subject, expected = f"unknown option {name!r}", f"one of: {', '.join(known)}"
            raise ArgumentError(name, options[name], expected, subject=subject)
        check_overrides(options.get("overrides"))
        if "max_records" in options:
            check_most(options["max_records"])
        if "engine_factory" in options:
            check_factory("engine_factory", options["engine_factory"])
        name = f"{cls.__name__}Of{catalog.name.title()}"
        return type(name, (cls,), {"catalog": catalog, **options})

    def __init__(self) -> None:
        super().__init__()
        kind = type(self)
        if not isinstance(getattr(kind, "catalog", None), Catalog):
            raise DeclarationError(
                f"{kind.__name__} has no catalog; write RoundTripMachine(catalog), or "
                "catalog = ... in the class"
            )
        self.most = kind.max_records
        if "_plans" not in vars(kind):
            kind._plans = Plans(kind.catalog, kind.overrides)
        self.plans = kind._plans
        self.trip = Trip(kind.catalog, Dataset(self.plans, []))
        self.trip.__enter__()
        self.live = {name: self._database(name) for name in PLACES}

    def _database(self, name: str) -> Live:
        return Live(name, self.trip.opened(type(self).engine_factory), self.plans)

    def teardown(self) -> None:
        """Drop the databases and bundles of a run."""
        self.trip.__exit__()

    # Edits

    @initialize(target=exports, change=_change(_filled, where=PLACES[0]))
    def fill(self, change: Edit) -> Exported:
        """Insert the first rows, and export them."""
        self._apply(change)
        return self.export(change.where, FORMS[0])

    @initialize(change=_change(_filled, where=PLACES[1]))
    def fill_other(self, change: Edit) -> None:
        """Insert the first rows of the other database."""
        self._apply(change)

    @rule(change=_change(_inserted))
    def insert(self, change: Edit) -> None:
        """Insert further rows."""
        self._apply(change)

    @precondition(lambda self: self.has_rows)
    @rule(change=_change(lambda changes, _: changes.edited()))
    def edit(self, change: Edit) -> None:
        """Edit a few cells of a row."""
        self._apply(change)

    @precondition(lambda self: self.has_rows)
    @rule(change=_change(lambda changes, _: changes.linked()))
    def link(self, change: Edit) -> None:
        """Let a reference lead elsewhere."""
        self._apply(change)

    @precondition(lambda self: self.has_rows)
    @rule(change=_change(lambda changes, _: changes.deleted()))
    def delete(self, change: Edit) -> None:
        """Delete a row, with what it owns."""
        self._apply(change)

    @property
    def has_rows(self) -> bool:
        """Whether there is anything to change."""
        return any(live.state.instances for live in self.live.values())

    def _apply(self, change: Edit) -> None:
        live = self.live[change.where]
        live.apply(change)
        self._hold(live, "after a change")

    # Exports

    @rule(target=exports, where=st.sampled_from(PLACES), form=st.sampled_from(FORMS))
    def save(self, where: str, form: str) -> Exported:
        """Export a database."""
        return self.export(where, form)

    def export(self, where: str, form: str) -> Exported:
        """Export a database, twice where that makes files: equal bytes, and what the rows say."""
        live = self.live[where]
        cells = self.trip.cells(live.engine)
        self.trip.expected = live.state.written().document()
        content: Path | dict[str, Any]
        if form == "document":
            content = self._document(live)
        else:
            suffix = ".zip" if form == "zip" else ""
            content = self.trip.exported(live.engine, f"the export of {where}", suffix=suffix)
            again = self.trip.exported(live.engine, f"the second export of {where}")
            if files_of(content) != files_of(again):
                raise RoundTripError(f"two exports of {where} gave different bytes")
            self.trip.says_what_was_written(content)
        if self.trip.cells(live.engine) != cells:
            raise RoundTripError(f"the export of {where} changed cells of its database")
        return Exported(live, form, content, cells)

    def _document(self, live: Live) -> dict[str, Any]:
        with noted(f"the export of {live.name} as a document"):
            return export_document(live.engine, catalog=type(self).catalog)

    # Imports

    @rule(exported=exports)
    def restore(self, exported: Exported) -> None:
        """Import into a fresh database: equal cells and links, and equal bytes again."""
        engine = self.trip.opened(type(self).engine_factory)
        with noted("the import into a fresh database"):
            report = exported.load(engine, type(self).catalog)
        self.trip.expected = exported.state.written().document()
        total = sum(map(len, self.trip.expected.values()))
        if report.inserted != total or report.total.imported != total or report.problems:
            raise RoundTripError(f"an import into a fresh database of {total} records: {report}")
        when = "after the import into a fresh database"
        if isinstance(exported.content, Path):
            self.trip.same_bytes(exported.content, engine, "the export after the import")
        self.trip.same_cells(exported.cells, self.trip.cells(engine), when)
        self.trip.same_rows(engine, when)

    @rule(exported=exports, into=st.sampled_from(PLACES), terms=_terms())
    def load(self, exported: Exported, into: str, terms: Terms) -> None:
        """Import into a database that has rows of its own: its records, and the bundle's."""
        live = self.live[into]
        entities = type(self).catalog.use()
        outcome = Outcome(entities, self._document(live), exported.records, terms)
        clash = clashing(live.state, exported.state, outcome.new)
        if clash is Clash.UNSEEN:
            return
        may_fail = clash is Clash.REFUSED or not outcome.is_sure()
        before = self.trip.cells(live.engine)
        try:
            with noted(f"an import into {into}"):
                report = exported.load(live.engine, type(self).catalog, **terms.options())
        except ImportFailed as error:
            if terms.keeps_good:
                raise
            failed = exported.failed(error.report)
            outcome.check(error.report, failed, is_kept=False, may_fail=may_fail)
            if self.trip.cells(live.engine) != before:
                raise RoundTripError(f"a refused import changed cells of {into}") from error
            return
        failed = exported.failed(report)
        outcome.check(report, failed, is_kept=True, may_fail=may_fail and terms.keeps_good)
        self._arrived(live, outcome.records(failed), before)

    @rule(where=st.sampled_from(PLACES), into=st.sampled_from(PLACES), terms=_terms())
    def carry(self, where: str, into: str, terms: Terms) -> None:
        """Export a database as it is now, and import that."""
        self.load(self.export(where, FORMS[-1]), into, terms)

    def _arrived(self, live: Live, expected: dict[str, list[Any]], before: Stored) -> None:
        """Every row that was there is as it was, and the records are those expected."""
        after = self.trip.cells(live.engine)
        for name, rows in before.items():
            lost = [row for row in rows if row not in after[name]]
            if lost:
                raise RoundTripError(
                    f"an import changed rows of {name} in {live.name}; no longer there: {lost}"
                )
        problem = f"after an import, {live.name} holds other records than it should:"
        hold_records(type(self).catalog, expected, self._document(live), problem)
        live.read()
        self._hold(live, "after an import")

    def _hold(self, live: Live, when: str) -> None:
        """Hold what an export says against the model."""
        hold_records(
            type(self).catalog,
            live.state.written().document(),
            self._document(live),
            f"{when}, the export of {live.name} says otherwise than its rows:",
        )
