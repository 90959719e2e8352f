"""A state machine that changes databases, exports and imports them, and misses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.errors import ArgumentError, DeclarationError, ImportFailed, PlanChanged
from lading.exporter import export_document
from lading.fresh_databases.factories import EngineFactory, check_factory, database, sqlite_engine
from lading.importer import import_document
from lading.importing.import_options import ImportOptions
from lading.planning.plan import ImportPlan
from lading.report import ImportReport
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
from lading.testing.stateful.edits import Edit, Edits
from lading.testing.stateful.exported import Exported
from lading.testing.stateful.import_options import drawn_options
from lading.testing.stateful.state import cascaded, is_held
from lading.testing.trips.bundles import files_of, load, noted
from lading.testing.trips.outcome import Outcome
from lading.testing.trips.trip import RoundTripError, Trip, hold_records
from lading.testing.written_rows import rows_written_in_vain

#: The databases of a run.
PLACES = ("home", "other")
#: What records are exported as.
FORMS = ("folder", "zip", "document")


def _change(*makes: Callable[[Edits], Edit], where: str | None = None) -> SearchStrategy[Edit]:
    """Draw one of some changes to a database as it is now, or to the one that is named."""

    @st.composite
    def change(draw: Draw, machine: RoundTripMachine) -> Edit:
        filled = [name for name in PLACES if machine.live[name].state.instances] or PLACES
        name = where or draw(st.sampled_from(filled))
        states = {place: live.state for place, live in machine.live.items()}
        state = states.pop(name)
        others = [row for other in states.values() for row in other.instances]
        make: Callable[[Edits], Edit] = draw(st.sampled_from(makes))
        edits = Edits(draw, name, state, machine.most, others, begin=PLACES.index(name))
        return edits.drawn(make)

    return st.runner().flatmap(change)


def _options() -> SearchStrategy[dict[str, Any]]:
    """Draw the options of an import."""
    return st.runner().flatmap(
        lambda machine: drawn_options(
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
    ``on_conflict="error"``. Where a fresh database refuses what the import should leave, only some
    entities are loaded or updated, or owned rows go to which others refer, any record that would be
    written may fail, if the plan says so. Not done is an import in which records share a ``by``
    field that the database doesn't keep unique, be it only until a mirror deletes one of them, nor
    one that changes or deletes what a foreign key other than to a primary key holds. Where a ``by``
    field changes, records that are found by it are compared, and not counted. ``cascade=True`` is
    left out where the database deletes or clears rows along with owned ones. What hooks make of an
    entity's records isn't compared. On engines whose collations hold different texts for equal,
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
                "machine-malformed",
                f"{kind.__name__} has no catalog; write RoundTripMachine(catalog), or "
                "catalog = ... in the class",
            )
        self.most = kind.max_records
        if "_plans" not in vars(kind):
            kind._plans = Plans(kind.catalog, kind.overrides)
        self.plans = kind._plans
        self.trip = Trip(kind.catalog, Dataset(self.plans, []))
        self.trip.__enter__()
        self.live = {
            name: Live(name, self.trip.opened(kind.engine_factory), self.plans) for name in PLACES
        }

    def teardown(self) -> None:
        """Drop the databases and bundles of a run."""
        self.trip.__exit__()

    # Edits

    @initialize(target=exports, change=_change(Edits.filled, where=PLACES[0]))
    def fill(self, change: Edit) -> Exported:
        """Insert the first rows, and export them."""
        self.apply(change)
        return self.export(change.where, FORMS[0])

    @initialize(change=_change(Edits.filled, where=PLACES[1]))
    def fill_other(self, change: Edit) -> None:
        """Insert the first rows of the other database."""
        self.apply(change)

    @rule(change=_change(Edits.inserted))
    def insert(self, change: Edit) -> None:
        """Insert further rows."""
        self.apply(change)

    @rule(change=_change(Edits.edited, Edits.swapped))
    def edit(self, change: Edit) -> None:
        """Edit a few cells of a row, or let rows exchange what is unique, or pass it on."""
        self.apply(change)

    @rule(change=_change(Edits.linked, Edits.deleted))
    def link(self, change: Edit) -> None:
        """Let a reference lead elsewhere, or delete a row with what it owns."""
        self.apply(change)

    def apply(self, change: Edit) -> None:
        """Make a change, and hold what an export says of it to the rows."""
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
        self.trip.expected = live.state.written().document()
        content: Path | dict[str, Any]
        with self._unchanged(live, f"the export of {where}") as cells:
            if form == "document":
                content = self._document(live)
            else:
                suffix = ".zip" if form == "zip" else ""
                content = self.trip.exported(live.engine, f"the export of {where}", suffix=suffix)
                again = self.trip.exported(live.engine, f"the second export of {where}")
                if files_of(content) != files_of(again):
                    raise RoundTripError(f"two exports of {where} gave different bytes")
                self.trip.says_what_was_written(content)
        return Exported(where, live.state, content, cells)

    def _document(self, live: Live) -> dict[str, Any]:
        with noted(f"the export of {live.name} as a document"):
            return export_document(live.engine, catalog=type(self).catalog)

    @contextmanager
    def _unchanged(self, live: Live, what: str) -> Iterator[Stored]:
        """Yield what a database stores, which must be the same at the end."""
        cells = self.trip.cells(live.engine)
        yield cells
        if self.trip.cells(live.engine) != cells:
            raise RoundTripError(f"{what} changed cells of {live.name}")

    # Imports

    @rule(exported=exports)
    def restore(self, exported: Exported) -> None:
        """Import into a fresh database: equal cells and links, and equal bytes again."""
        engine = self.trip.opened(type(self).engine_factory)
        self.trip.expected = exported.state.written().document()
        self.trip.imported(engine, exported.content)
        when = "after the import into a fresh database"
        if isinstance(exported.content, Path):
            self.trip.same_bytes(exported.content, engine, "the export after the import")
        self.trip.same_cells(exported.cells, self.trip.cells(engine), when)
        self.trip.same_rows(engine, when)

    @rule(exported=exports, into=st.sampled_from(PLACES), options=_options())
    def load(self, exported: Exported, into: str, options: dict[str, Any]) -> None:
        """Import into a database that has rows of its own, as a dry run foretells."""
        catalog, live = type(self).catalog, self.live[into]
        before = self._document(live)
        known = [options[name] for name in ("on_conflict", "on_error", "only")]
        outcome = Outcome(catalog, before, exported.records, ImportOptions(catalog.use(), *known))
        if outcome.is_ambiguous or any(is_held(s, outcome) for s in (live.state, exported.state)):
            return
        along = cascaded(live.state, outcome)
        with (
            self._unchanged(live, "a dry run") as cells,
            noted(f"a dry run of an import into {into}"),
        ):
            planning = {**options, "expect": None, "dry_run": True}
            plan: ImportPlan = load(live.engine, exported.content, catalog, **planning)
        report = self._imported(exported, live, options, plan if options["expect"] else None)
        failed = exported.failed(report)
        may_fail = outcome.may_fail or (failed > outcome.refused and not self._can_be(outcome))
        outcome.check_failed(report, failed, may_fail=may_fail)
        outcome.check_foretold(exported.failed(plan), failed)
        if report.rolled_back:
            if self.trip.cells(live.engine) != cells:
                raise RoundTripError(f"a refused import changed cells of {into}")
            return
        after = self._document(live)
        left = along.written().document() if along is not None and options["cascade"] else None
        problem = f"after an import, {into} holds other records than it should:"
        outcome.check(report, after, problem, failed, left)
        if not (outcome.replaced or outcome.doomed):
            self._keeps_rows(live, cells)
        outcome.check_plan(plan, report, before, after)
        if bool(plan.cascades) != (along is not None):
            raise RoundTripError(f"a plan foretold otherwise what goes along with others:\n{plan}")
        live.read()
        self._hold(live, "after an import")

    def _imported(
        self, exported: Exported, live: Live, options: dict[str, Any], plan: ImportPlan | None
    ) -> ImportReport:
        """Import, and return the report, also that of a refused import.

        One that is held to its plan is watched for rows that it writes in vain; not every one,
        for triggers are read back.
        """
        catalog = type(self).catalog
        watched = rows_written_in_vain(live.engine, catalog)
        watching: AbstractContextManager[Any] = nullcontext() if plan is None else watched
        try:
            with noted(f"an import into {live.name}"), watching as in_vain:
                held = {**options, "expect": plan or None}
                report: ImportReport = load(live.engine, exported.content, catalog, **held)
        except ImportFailed as error:
            if options["on_error"] == "continue":
                raise
            return error.report
        except PlanChanged as error:
            raise RoundTripError(f"an import does otherwise than its plan: {error}") from error
        if in_vain:
            raise RoundTripError(f"an import into {live.name} wrote rows that stay:", in_vain)
        return report

    def _can_be(self, outcome: Outcome) -> bool:
        """Tell whether a database can hold what an import should leave."""
        versions = {name: root.version for name, root in outcome.entities.roots.items()}
        records = {"schema_versions": versions, **outcome.after()[0]}
        document = json.loads(json.dumps(records, default=lambda _counted_itself: 1))
        try:
            with database(type(self).engine_factory, outcome.catalog) as engine:
                import_document(engine, document, catalog=outcome.catalog)
        except ImportFailed:
            return False
        return not outcome.shares_ids

    @rule(where=st.sampled_from(PLACES), into=st.sampled_from(PLACES), options=_options())
    def carry(self, where: str, into: str, options: dict[str, Any]) -> None:
        """Export a database as it is now, and import that."""
        self.load(self.export(where, FORMS[-1]), into, options)

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
