"""A state machine that changes databases, exports and imports them, and misses nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.errors import ArgumentError, DeclarationError, ImportFailed, PlanChanged
from lading.exporter import export_document
from lading.fresh_databases.factories import EngineFactory, check_factory, sqlite_engine
from lading.planning.plan import ImportPlan
from lading.report import ImportReport
from lading.testing.compare.difference import DataDifference
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
from lading.testing.stateful.exported import Exported
from lading.testing.stateful.state import Clash, cascaded, clashing
from lading.testing.strategies import wanted_plans
from lading.testing.trips.bundles import files_of, noted
from lading.testing.trips.outcome import Outcome
from lading.testing.trips.terms import Terms, terms_of
from lading.testing.trips.trip import RoundTripError, Trip, hold_records
from lading.testing.written_rows import rows_written_in_vain

#: The databases of a run.
PLACES = ("home", "other")
#: What records are exported as.
FORMS = ("folder", "zip", "document")


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
    return st.runner().flatmap(
        lambda machine: terms_of(
            list(machine.plans.entities.roots), may_cascade=not machine.plans.extends_owned
        )
    )


#: Stands for an argument that wasn't given.
NO_CATALOG: Any = object()


class RoundTripMachine(RuleBasedStateMachine):
    """Edits two databases of a catalog's tables, exports them and imports into each other.

    Use it with a catalog, or derive from it::

        TestShop = RoundTripMachine(catalog).TestCase

        class Shop(RoundTripMachine):
            catalog = catalog
        TestShop = Shop.TestCase

    Rows are inserted, edited, swapped, linked anew and deleted by plain Core statements.  After
    each step the database is exported, and the export must say what the rows say, as SQLAlchemy
    reads them.  An import of a drawn mode is planned before: the dry run must change nothing, and
    foretell every count, change and problem.  After the import the database must hold what the
    mode says: records that are new, or that were updated, as the bundle has them, none that a
    mirror deletes, and all others as they were; a refused import must leave every cell as it was.
    ``RoundTripError`` says where anything else happens; errors of lading's own are raised as they
    are.

    ``engine_factory``, ``max_records`` and ``overrides`` are what :func:`assert_round_trip` and
    :func:`datasets` take; they are class attributes, or keyword arguments of the call.

    Which records fail is known where only natural keys decide it: those that are there under
    ``on_conflict="error"``. Where unique columns clash as well, only some entities are loaded or
    updated, or owned rows go to which others refer, any record that would be written may fail, if
    the plan says so. Not done is an import in which records share a ``by`` field that the database
    doesn't keep unique, be it only until a mirror deletes one of them, nor one that changes or
    deletes what a foreign key other than to a primary key holds. Where a ``by`` field changes,
    records that are found by it are compared, and not counted. ``cascade=True`` is left out where
    the database deletes or clears rows along with owned ones. What hooks make of an entity's
    records isn't compared. On engines whose collations hold different texts for equal, columns
    that are unique get harmless values.
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
    @rule(change=_change(lambda changes, _: changes.swapped()))
    def swap(self, change: Edit) -> None:
        """Let rows exchange what is unique, or pass it on."""
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
        """Import into a database that has rows of its own, as a dry run foretells."""
        live = self.live[into]
        before, cells = self._document(live), self.trip.cells(live.engine)
        outcome = Outcome(type(self).catalog, before, exported.records, terms)
        clash = clashing(live.state, exported.state, outcome)
        if clash in (Clash.HELD, Clash.UNSEEN):
            return
        along = cascaded(live.state, outcome)
        plan = self._planned(exported, live, terms, cells)
        report = self._imported(exported, live, terms, plan if terms.expects and plan else None)
        failed = exported.failed(report)
        may_fail = clash is Clash.REFUSED or outcome.may_fail
        outcome.check_failed(report, failed, may_fail=may_fail)
        outcome.check_foretold(exported.failed(plan), failed)
        if report.rolled_back:
            if self.trip.cells(live.engine) != cells:
                raise RoundTripError(f"a refused import changed cells of {into}")
            return
        left = along.written().document() if along is not None and terms.cascade else None
        expected, counts = outcome.after(failed, left)
        outcome.check_counts(report, counts)
        if not (outcome.replaced or outcome.doomed):
            self._keeps_rows(live, cells)
        after = self._document(live)
        problem = f"after an import, {live.name} holds other records than it should:"
        outcome.hold(expected, after, problem)
        outcome.check_plan(plan, report, before, after)
        if bool(plan.cascades) != (along is not None):
            raise RoundTripError(f"a plan foretold otherwise what goes along with others:\n{plan}")
        live.read()
        self._hold(live, "after an import")

    def _planned(self, exported: Exported, live: Live, terms: Terms, cells: Stored) -> ImportPlan:
        """Plan an import, which only reads."""
        with noted(f"a dry run of an import into {live.name}"):
            plan: ImportPlan = exported.load(
                live.engine, type(self).catalog, **terms.options(), dry_run=True
            )
        if self.trip.cells(live.engine) != cells:
            raise RoundTripError(f"a dry run changed cells of {live.name}")
        return plan

    def _imported(
        self, exported: Exported, live: Live, terms: Terms, plan: ImportPlan | None
    ) -> ImportReport:
        """Import, and return the report, also that of a refused import."""
        options = {**terms.options(), "expect": plan}
        try:
            with noted(f"an import into {live.name}"), self._watched(live, terms) as in_vain:
                report: ImportReport = exported.load(live.engine, type(self).catalog, **options)
        except ImportFailed as error:
            if terms.keeps_good:
                raise
            return error.report
        except PlanChanged as error:
            raise RoundTripError(f"an import does otherwise than its plan: {error}") from error
        if in_vain:
            raise RoundTripError(f"an import into {live.name} wrote rows that stay:", in_vain)
        return report

    def _watched(self, live: Live, terms: Terms) -> AbstractContextManager[list[DataDifference]]:
        """Watch for rows that are written in vain; not always, for triggers are read back."""
        if not terms.expects:
            return nullcontext([])
        return rows_written_in_vain(live.engine, type(self).catalog)

    @rule(where=st.sampled_from(PLACES), into=st.sampled_from(PLACES), terms=_terms())
    def carry(self, where: str, into: str, terms: Terms) -> None:
        """Export a database as it is now, and import that."""
        self.load(self.export(where, FORMS[-1]), into, terms)

    def _keeps_rows(self, live: Live, before: Stored) -> None:
        """Every row that was there is as it was."""
        after = self.trip.cells(live.engine)
        for name, rows in before.items():
            lost = [row for row in rows if row not in after[name]]
            if lost:
                raise RoundTripError(
                    f"an import changed rows of {name} in {live.name}; no longer there: {lost}"
                )

    def _hold(self, live: Live, when: str) -> None:
        """Hold what an export says against the model."""
        hold_records(
            type(self).catalog,
            live.state.written().document(),
            self._document(live),
            f"{when}, the export of {live.name} says otherwise than its rows:",
        )
