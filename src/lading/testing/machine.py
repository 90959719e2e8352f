"""A state machine that changes databases, exports and imports them, and misses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.errors import ArgumentError, DeclarationError, ImportFailed
from lading.fresh_databases.factories import EngineFactory, check_factory, sqlite_engine
from lading.importing.import_options import ERRORS, MIRROR, UPDATING
from lading.options import check_count
from lading.testing.datasets.catalog_plan import Overrides, Plans, check_overrides
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.references import Draw
from lading.testing.stateful.edit import Edit
from lading.testing.stateful.edits import Edits
from lading.testing.trips.bundles import files_of
from lading.testing.trips.failures import RoundTripError
from lading.testing.trips.import_check import ImportCheck
from lading.testing.trips.state import State
from lading.testing.trips.trip import Trip

#: The databases of a run.
PLACES = ("home", "other")
#: What records are exported as.
FORMS = ("folder", "zip", "document")
#: What ``on_conflict`` may say.
MODES = ("skip", "error", *UPDATING)


def _change(*makes: Callable[[Edits], Edit], where: str | None = None) -> SearchStrategy[Edit]:
    """Draw one of some changes to a database as it is now, or to the one that is named."""

    @st.composite
    def change(draw: Draw, machine: RoundTripMachine) -> Edit:
        filled = [name for name in PLACES if machine.states[name].instances] or PLACES
        name = where or draw(st.sampled_from(filled))
        states = dict(machine.states)
        state = states.pop(name)
        others = [row for other in states.values() for row in other.instances]
        make: Callable[[Edits], Edit] = draw(st.sampled_from(makes))
        edits = Edits(draw, state, machine.max_records, others, begin=PLACES.index(name))
        return edits.drawn(make)

    return st.runner().flatmap(change)


def _options() -> SearchStrategy[dict[str, Any]]:
    """Draw the keyword arguments of an import; ``expect`` says whether it is held to its plan."""

    def options(machine: RoundTripMachine) -> SearchStrategy[dict[str, Any]]:
        modes = st.sampled_from(MODES)
        names = st.sampled_from(list(machine.plans.entities.roots))
        some = st.dictionaries(names, modes, min_size=1, max_size=2)
        may_cascade = not machine.plans.extends_owned
        return st.fixed_dictionaries(
            {
                "on_conflict": modes | st.builds(lambda few, mode: {**few, "*": mode}, some, modes),
                "on_error": st.sampled_from(ERRORS),
                "only": st.none() | st.lists(names, min_size=1, unique=True),
                "expect": st.booleans(),
                "cascade": st.booleans() if may_cascade else st.just(value=False),
            }
        ).filter(lambda o: o["on_error"] == ERRORS[0] or MIRROR not in repr(o["on_conflict"]))

    return st.runner().flatmap(options)


class Exported(NamedTuple):
    """An export, a bundle's path or a document, with what the database held at that moment."""

    state: State
    content: Path | dict[str, Any]


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
    mirror deletes, and each row of all others as it was; none may get another id.  A refused
    import must leave every cell as it was.
    ``RoundTripError`` says where anything else happens; errors of lading's own are raised as they
    are.

    ``engine_factory``, ``max_records`` and ``overrides`` are what :func:`assert_round_trip` and
    :func:`datasets` take; they are class attributes, or keyword arguments of the call.

    Which records fail is known where only natural keys decide it: those that are there under
    ``on_conflict="error"``. Beside these, records that would be written may fail where a fresh
    database refuses what the import should leave, where an update would change a primary key, a
    class, or what a foreign key holds beside primary keys, where records share a ``by`` field that
    the database doesn't keep unique, and where a mirror deletes what holds an id or such a field;
    if the plan says so. Where a ``by`` field changes, records that are found by it are compared,
    and not counted; not done is an import that changes or repeats one by which natural keys go.
    ``cascade=True`` is left out where the database deletes or clears rows along
    with owned ones. Records of schemas with hooks are
    compared as these load them. On engines whose
    collations hold different texts for equal, columns that are unique get harmless values.
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
        check_count("max_records", options.get("max_records", cls.max_records))
        check_factory("engine_factory", options.get("engine_factory", cls.engine_factory))
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
        if "_plans" not in vars(kind):
            kind._plans = Plans(kind.catalog, kind.overrides)
        self.plans = kind._plans
        self.trip = Trip(kind.catalog, Dataset(self.plans, []))
        engines = {name: self.trip.opened(kind.engine_factory) for name in PLACES}
        self.states = {name: State.fresh(name, engines[name], self.plans) for name in PLACES}

    def teardown(self) -> None:
        """Drop the databases and bundles of a run."""
        self.trip.close()

    # Edits

    @initialize(
        target=exports,
        change=_change(Edits.filled, where=PLACES[0]),
        other=_change(Edits.filled, where=PLACES[1]),
    )
    def fill(self, change: Edit, other: Edit) -> Exported:
        """Insert the first rows of both databases, and export one."""
        self.apply(other)
        self.apply(change)
        return self.export(change.where, FORMS[0])

    @rule(change=_change(Edits.inserted))
    def insert(self, change: Edit) -> None:
        """Insert further rows."""
        self.apply(change)

    @rule(change=_change(Edits.edited, Edits.swapped, Edits.linked, Edits.deleted))
    def edit(self, change: Edit) -> None:
        """Edit a few cells of a row, pass on what is unique, link a row anew, or delete one."""
        self.apply(change)

    def apply(self, change: Edit) -> None:
        """Make a change, and hold what an export says of it to the rows."""
        self._become(change.apply(self.states[change.where]), "a change")

    def _become(self, state: State, what: str) -> None:
        """Keep what a database holds after something, and hold an export to it."""
        self.states[state.name] = state
        state.hold_export(state.export, f"the export after {what}")

    # Exports

    @rule(target=exports, where=st.sampled_from(PLACES), form=st.sampled_from(FORMS))
    def save(self, where: str, form: str) -> Exported:
        """Export a database."""
        return self.export(where, form)

    def export(self, where: str, form: str) -> Exported:
        """Export a database: what the rows say; as a ZIP the bytes of a folder."""
        state, what = self.states[where], f"the export of {where}"
        content: Path | dict[str, Any] = state.export
        if form != "document":
            suffix = ".zip" if form == "zip" else ""
            content = self.trip.exported(state.engine, what, suffix=suffix)
            state.hold_export(content, what)
        if form == "zip" and isinstance(content, Path):
            again = self.trip.exported(state.engine, f"the second export of {where}")
            if files_of(content) != files_of(again):
                raise RoundTripError(f"two exports of {where} gave different bytes")
        state.hold_cells(what)
        return Exported(state, content)

    # Imports

    @rule(exported=exports)
    def restore(self, exported: Exported) -> None:
        """Import into a fresh database: equal cells and links, and equal bytes again."""
        engine = self.trip.opened(type(self).engine_factory)
        self.trip.restored(engine, exported.content, exported.state.cells)

    @rule(exported=exports, into=st.sampled_from(PLACES), options=_options())
    def load(self, exported: Exported, into: str, options: dict[str, Any]) -> None:
        """Import into a database that has rows of its own, as a dry run foretells."""
        terms = dict(options)
        expects = terms.pop("expect")
        check = ImportCheck(self.states[into], exported.content, terms)
        if check.outcome.may_rename:
            return
        plan = check.planned()
        expects = expects and not check.outcome.alters_held
        try:
            check.imported(plan if expects else None, watches=expects)
        except ImportFailed:
            if options["on_error"] == "continue":
                raise
            check.hold_failures(plan, type(self).engine_factory)
            return
        check.hold_failures(plan, type(self).engine_factory)
        check.hold(plan)
        self._become(check.after, "an import")

    @rule(where=st.sampled_from(PLACES), into=st.sampled_from(PLACES), options=_options())
    def carry(self, where: str, into: str, options: dict[str, Any]) -> None:
        """Export a database as it is now, and import that."""
        self.load(self.export(where, FORMS[-1]), into, options)
