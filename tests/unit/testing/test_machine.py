"""The state machine: it runs on catalogs of many shapes, and catches planted mistakes."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, ImportFailed, Owned
from lading.database import session as session_module
from lading.errors import ArgumentError, DeclarationError
from lading.importing.change_recorder import ChangeRecorder
from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import POLICIES, Conflicts
from lading.importing.deferred_references import DeferredReferenceLoader
from lading.importing.link_writer import LinkWriter
from lading.importing.updates.row_updater import RowUpdater
from lading.importing.updates.unique_values import UniqueValues
from lading.importing.writer import RowWriter
from lading.loading import doomed, entity_planner, import_run
from lading.testing import RoundTripError, RoundTripMachine
from support.applications import OVERRIDES
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.depth import IS_DEEP, ONLY_DEEP
from support.world import key, number, slug, text, to
from support.zoo import WORLDS

#: All health checks are on; what is found is shown as it is, for making it small takes minutes.
FEW = settings(
    deadline=None,
    database=None,
    stateful_step_count=12,
    suppress_health_check=[],
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)
#: Links, owned rows, circles, hierarchies, deep keys, hooks and each type between them.
SOME = ("shop", "recipes", "checked_tree", "cycle", "joined_tables", "outlines", "hooks", "values")
MORE = (
    *("tags", "teams", "tree", "family", "categories", "tenants", "optional_keys", "flat"),
    *("uuids", "events", "accounts", "currencies"),
)
SHAPES = SOME + MORE if IS_DEEP else SOME
ON_SERVERS = ("shop", "recipes", "teams", "tree", "tags") if IS_DEEP else ("shop", "tree")


def workshop() -> Catalog:
    """Second unique columns, owned rows, links, and a circle of optional references."""
    base, catalog = new_base(), Catalog("workshop")

    class Tool(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tools"
        id = key()
        slug = slug()
        shelf = mapped_column(sa.Integer, unique=True, nullable=True)
        spare_id = to("tools.id", null=True)
        spare = relationship("Tool", remote_side=id)

    used = sa.Table(
        "used",
        base.metadata,
        sa.Column("job_id", sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("tool_id", sa.ForeignKey("tools.id"), primary_key=True),
    )

    class Step(base):  # type: ignore[misc, valid-type]
        __tablename__ = "steps"
        id = key()
        job_id = to("jobs.id")
        place = number()
        tool_id = to("tools.id", null=True)
        words = text(null=True)
        tool = relationship(Tool)

    class Job(base):  # type: ignore[misc, valid-type]
        __tablename__ = "jobs"
        id = key()
        slug = slug()
        main_id = to("tools.id", null=True)
        main = relationship(Tool)
        steps = relationship(Step, order_by=Step.place)
        tools = relationship(Tool, secondary=used)

    schema_for(Tool, catalog)
    schema_for(Job, catalog, {"steps": Owned(schema_for(Step, catalog))}, natural_key="slug")
    return catalog


def departments() -> Catalog:
    """Two entities that refer to each other: one reference is always set later."""
    return WORLDS["cycle"]().catalog


def library() -> Catalog:
    """Records that the database deletes along with those that they refer to."""
    base, catalog = new_base(), Catalog("library")

    class Shelf(base):  # type: ignore[misc, valid-type]
        __tablename__ = "shelves"
        id = key()
        slug = slug()

    class Volume(base):  # type: ignore[misc, valid-type]
        __tablename__ = "volumes"
        id = key()
        slug = slug()
        shelf_id = mapped_column(sa.ForeignKey("shelves.id", ondelete="CASCADE"))
        shelf = relationship(Shelf)

    schema_for(Shelf, catalog)
    schema_for(Volume, catalog)
    return catalog


def run(machine: Any, *, examples: int = 6, **options: Any) -> None:
    """Run a machine as a test case, as a test runner would."""
    case = machine.TestCase
    case.settings = settings(FEW, max_examples=examples, **options)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun == 1
    for _, told in [*result.errors, *result.failures]:
        raise AssertionError(told)


# It runs


@pytest.mark.parametrize("shape", SHAPES)
def test_it_runs_on_every_shape(shape: str) -> None:
    """Nothing that isn't foretold happens to catalogs of many shapes."""
    run(RoundTripMachine(WORLDS[shape]().catalog, overrides=OVERRIDES.get(shape)))


def test_it_runs_where_much_is_unique() -> None:
    """Records that clash with others in more than their keys fail, with what needs them."""
    run(RoundTripMachine(workshop()), examples=30 if IS_DEEP else 15)


@pytest.mark.parametrize("shape", ON_SERVERS)
def test_it_runs_on_postgresql(shape: str, postgresql: Backend) -> None:
    """A factory's databases may be of another engine."""
    machine = RoundTripMachine(WORLDS[shape]().catalog, engine_factory=postgresql.database)
    run(machine, examples=5)


@pytest.mark.parametrize("shape", ON_SERVERS)
def test_it_runs_on_mariadb(shape: str, mariadb: Backend) -> None:
    """Nor is anything foretold amiss where texts that differ are one key."""
    machine = RoundTripMachine(WORLDS[shape]().catalog, engine_factory=mariadb.database)
    run(machine, examples=5)


def test_it_may_be_derived_from() -> None:
    """A class with a catalog is a machine as well, and takes its options as attributes."""
    world = WORLDS["shop"]()

    class Shop(RoundTripMachine):
        catalog = world.catalog
        max_records = 1

    run(Shop, examples=3)


def test_a_machine_without_a_catalog_says_so() -> None:
    """What is missing is named."""
    with pytest.raises(DeclarationError, match="has no catalog"):
        RoundTripMachine()


def test_an_unknown_option_is_refused() -> None:
    """And the known ones are listed."""
    with pytest.raises(ArgumentError, match=r"'records'.*max_records"):
        RoundTripMachine(workshop(), records=3)


# It catches


def skip_overwrites() -> Any:
    """A record that is skipped is written over the one that is there."""
    plain = Conflicts.decide

    def decide(self: Conflicts, batch: Any) -> Any:
        decisions = plain(self, batch)
        table = self.root.table
        if decisions.leave and "shelf" in table.c:
            self.context.database.connection.execute(sa.update(table).values(shelf=None))
        return decisions

    return mock.patch.object(Conflicts, "decide", decide)


def lost_update() -> Any:
    """A reference that was deferred is never set."""
    return mock.patch.object(DeferredReferenceLoader, "_update", return_value=None)


def failed_import_stays() -> Any:
    """A refused import is committed all the same."""

    @contextmanager
    def writing(*arguments: Any, **options: Any) -> Iterator[Any]:
        refusal = None
        with session_module.writing(*arguments, **options) as opened:
            try:
                yield opened
            except ImportFailed as error:
                refusal = error
        if refusal is not None:
            raise refusal

    return mock.patch.object(import_run, "writing", writing)


def miscounted_differences() -> Any:
    """Skipped records never differ."""
    return mock.patch.object(StoredComparison, "differing_lines", return_value=[])


def forgotten_conflicts() -> Any:
    """A record that is there already is no problem, whatever was asked."""
    return mock.patch.dict(POLICIES, error=POLICIES["skip"])


def swapped_links() -> Any:
    """Links lead to the target of the one before."""
    plain = LinkWriter.write

    def write(self: LinkWriter, rows: Any, log: Any) -> None:
        far = [row[-1] for row in rows]
        plain(self, [(*row[:-1], far[n - 1]) for n, row in enumerate(rows)], log)

    return mock.patch.object(LinkWriter, "write", write)


def lost_owned_rows() -> Any:
    """The last owned row of a batch isn't written."""
    plain = RowWriter.insert

    def insert(self: RowWriter, resolved: Any, log: Any) -> Any:
        is_cut = self.rows.parent is not None and len(resolved) > 1
        return plain(self, resolved[:-1] if is_cut else resolved, log)

    return mock.patch.object(RowWriter, "insert", insert)


def links_of_the_skipped() -> Any:
    """A record that is skipped is linked to what the bundle's is."""
    plain = Conflicts.decide

    def decide(self: Conflicts, batch: Any) -> Any:
        decisions = plain(self, batch)
        connection = self.context.database.connection
        for links in self.root.links if not self.is_empty else ():
            found = self.resolver.find(batch.keys)
            for own, far in zip(batch.keys, batch.links[links.name], strict=True):
                targets = self.context.resolvers.of(links.reference).find(far)
                table, (near, *_) = links.table, links.local[0]
                for target in targets.values() if own in found else ():
                    row = {near.name: found[own][0], links.reference.columns[0].name: target[0]}
                    if not connection.execute(sa.select(table).filter_by(**row)).first():
                        connection.execute(sa.insert(table).values(row))
                        self.context.journal.row_counts[table] += 1
        return decisions

    return mock.patch.object(Conflicts, "decide", decide)


def miscounted_skips() -> Any:
    """Records that are skipped are counted as inserted."""
    plain = Conflicts.decide

    def decide(self: Conflicts, batch: Any) -> Any:
        decisions = plain(self, batch)
        self.context.outcomes.counts[self.root.name].inserted += len(decisions.leave)
        return decisions

    return mock.patch.object(Conflicts, "decide", decide)


def lost_swaps() -> Any:
    """Unique values that others take aren't freed before."""
    return mock.patch.object(UniqueValues, "contended", return_value=())


def dropped_children() -> Any:
    """The owned rows that an update adds aren't inserted."""
    return mock.patch.object(RowUpdater, "insert", return_value=None)


def unseen_cascades() -> Any:
    """A mirror doesn't see what the database deletes along."""
    plain = doomed.cascades_of

    def cascades_of(*arguments: Any, **options: Any) -> Any:
        consequences = plain(*arguments, **options)
        consequences.cascades.clear()
        return consequences

    return mock.patch.object(doomed, "cascades_of", cascades_of)


def rows_written_for_nothing() -> Any:
    """An update writes every row of its table."""
    plain = RowUpdater.update

    def update(self: RowUpdater, *arguments: Any) -> Any:
        column = next(iter(self.rows.table.c))
        self.database.connection.execute(sa.update(self.rows.table).values({column: column}))
        return plain(self, *arguments)

    return mock.patch.object(RowUpdater, "update", update)


def forgotten_updates() -> Any:
    """A plan doesn't name the records that an import updates."""

    class Forgetful(ChangeRecorder):
        def update(self, *_: Any) -> None:
            """Record nothing."""

    return mock.patch.object(entity_planner, "ChangeRecorder", Forgetful)


@pytest.mark.parametrize(
    ("plant", "make", "said"),
    [
        pytest.param(
            skip_overwrites,
            workshop,
            "tools: shelf changed|changed cells of|wrote rows that stay",
            marks=ONLY_DEEP,
        ),
        (lost_update, departments, "head: was .* is now null|head_id: was"),
        (failed_import_stays, workshop, "a refused import changed cells"),
        pytest.param(
            miscounted_differences,
            workshop,
            "should be differing; the report says",
            marks=ONLY_DEEP,
        ),
        (forgotten_conflicts, workshop, "is there already"),
        (swapped_links, workshop, "tools: was"),
        (lost_owned_rows, workshop, "steps row .*: is missing|should have added jobs.steps"),
        (
            links_of_the_skipped,
            workshop,
            "used: a row appeared|tools: was nothing|otherwise than its plan|should not fail|foretold other",
        ),
        (miscounted_skips, workshop, "should be inserted; the report says"),
        pytest.param(
            lost_swaps,
            workshop,
            "should not fail|a plan foretold problems of|otherwise than its plan",
            marks=ONLY_DEEP,
        ),
        pytest.param(dropped_children, workshop, "steps row .*: is missing", marks=ONLY_DEEP),
        pytest.param(
            unseen_cascades,
            library,
            "volumes .*: volumes: a row is gone|foretold otherwise what goes along",
            marks=ONLY_DEEP,
        ),
        (rows_written_for_nothing, workshop, "wrote rows that stay"),
        (forgotten_updates, workshop, "otherwise than its plan|foretold other changes"),
    ],
)
@pytest.mark.filterwarnings("ignore::lading.errors.AlteredWarning")
def test_it_catches(plant: Callable[[], Any], make: Callable[[], Catalog], said: str) -> None:
    """Each mistake is found within some hundred runs.

    Most are within Hypothesis's usual hundred, but which runs it draws depends on what else a
    process has loaded.  What the check of one import finds as well is left to the deep run
    (``tests/quality/test_imports_catch.py``).
    """
    machine = RoundTripMachine(make())
    many = settings(FEW, max_examples=500, stateful_step_count=25)
    with plant(), pytest.raises(AssertionError, match=said) as caught:
        run_state_machine_as_test(machine, settings=many)
    assert isinstance(caught.value, RoundTripError)
