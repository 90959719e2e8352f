"""What can't be obeyed is refused with a remedy, and nothing is proved by drawing nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.orm import mapped_column, relationship

from lading import ArgumentError, Catalog, LadingError, Owned
from lading.fresh_databases.factories import sqlite_engine
from lading.testing import (
    RoundTripMachine,
    assert_import,
    assert_moves,
    assert_round_trip,
    assert_upgrades,
    datasets,
    records,
)
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset
from support import zoo
from support.declaring import catalog_of, new_base, schema_for


def drawn(strategy: Any, use: Callable[[Any], None] = lambda _: None, examples: int = 40) -> None:
    """Draw from a strategy, as a test would."""

    @settings(max_examples=examples, database=None, phases=[Phase.generate], deadline=None)
    @given(strategy)
    def run(dataset: Any) -> None:
        use(dataset)

    run()


def refusal(work: Callable[[], Any]) -> str:
    """Return the text of what is refused."""
    with pytest.raises(LadingError) as caught:
        work()
    return str(caught.value)


def parts(*checks: str) -> Catalog:
    """Declare a table with some CHECKs."""

    class Part(new_base()):
        __tablename__ = "parts"
        __table_args__ = tuple(sa.CheckConstraint(text) for text in checks)
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        a = mapped_column(sa.Integer, nullable=False)
        b = mapped_column(sa.Integer, nullable=False)

    return catalog_of(Part)


def test_checks_that_nothing_meets_are_named() -> None:
    """Else the table would stay empty, and the test would pass."""
    catalog = parts("a + b = 1000003")
    text = refusal(
        lambda: drawn(datasets(catalog), lambda dataset: assert_round_trip(catalog, dataset))
    )
    assert text == (
        "parts: its CHECKs took none of the rows that were drawn (a + b = 1000003); say what draws "
        "such values, overrides={'parts.a': strategy, 'parts.b': strategy}."
    )


def test_overrides_meet_a_check() -> None:
    catalog = parts("a + b = 1000003")
    some = {"parts.a": st.just(1000000), "parts.b": st.just(3)}
    counts: list[int] = []
    drawn(
        datasets(catalog, overrides=some),
        lambda dataset: counts.append(sum(dataset.counts().values())),
    )
    assert max(counts) > 1


@pytest.mark.parametrize("draws", [datasets, lambda catalog: records(catalog.schemas[0])])
def test_a_hopeless_check_ends_a_test_of_any_profile(draws: Callable[[Catalog], Any]) -> None:
    """Hypothesis would shrink any other error, and call it flaky, or see too much filtered out."""
    strategy = draws(parts("a + b = 1000003"))

    @settings(settings.get_profile("lading-dev"), max_examples=60, database=None)
    @given(strategy)
    def run(_: Any) -> None:
        pass

    assert "its CHECKs took none" in refusal(run)


def flags() -> Catalog:
    """Declare few values, so that equal examples come often, and a CHECK that none meets."""
    base = new_base()

    class Flag(base):
        __tablename__ = "flags"
        __table_args__ = (sa.CheckConstraint("flag <> 0 and flag <> 1"),)
        id = mapped_column(sa.Integer, primary_key=True)
        flag = mapped_column(sa.Boolean, unique=True, nullable=False)

    class Coin(base):
        __tablename__ = "coins"
        side = mapped_column(sa.Boolean, primary_key=True)

    return catalog_of(Flag, Coin)


@pytest.mark.parametrize("number", [2, 5])
def test_a_hopeless_check_ends_equal_examples_where_it_ended_the_first(number: int) -> None:
    """Hypothesis would call a strategy flaky that ends before what else a test draws."""
    catalog, few = flags(), settings(max_examples=100, stateful_step_count=3, database=None)

    @seed(number)
    @settings(few)
    @given(datasets(catalog), st.integers(0, 3))
    def run(_dataset: Any, _number: int) -> None:
        pass

    machine = seed(number)(RoundTripMachine(catalog, max_records=1))
    for work in (run, lambda: run_state_machine_as_test(machine, settings=few)):
        assert (
            "its CHECKs took none of the rows that were drawn (flag <> 0 and flag <> 1)"
            in refusal(work)
        )


def test_wide_catalogs_are_drawn_within_what_hypothesis_takes() -> None:
    """Larger examples would be discarded, until a health check fails."""
    metadata = sa.MetaData()
    for number in range(40):
        columns = [sa.Column(f"c{place}", sa.Integer) for place in range(18)]
        sa.Table(f"t{number}", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    catalog, counts = Catalog.from_metadata(metadata), []
    drawn(datasets(catalog), lambda dataset: counts.append(len(dataset.counts())), 6)
    assert max(counts) > 30


def test_an_override_that_fails_a_check_is_refused() -> None:
    """Nothing else is stored in its place, not even the values that the CHECK names."""
    strategy = datasets(parts("a > 5"), overrides={"parts.a": st.integers(0, 4)})
    assert "its CHECKs took none of the rows that were drawn (a > 5)" in refusal(
        lambda: drawn(strategy)
    )


def test_columns_that_checks_compare_and_bound_are_drawn() -> None:
    """They take values that the CHECKs name, but not the same ones."""
    counts: list[int] = []
    strategy = datasets(parts("a < b", "a >= 0 and b <= 24"))
    drawn(strategy, lambda dataset: counts.append(sum(dataset.counts().values())), 10)
    assert sum(counts) > 5


def test_a_circle_of_required_references_is_refused_as_an_import_does() -> None:
    base = new_base()

    class Team(base):
        __tablename__ = "teams"
        slug = mapped_column(sa.String(9), primary_key=True)
        head = mapped_column(sa.ForeignKey("people.slug", use_alter=True), nullable=False)

    class Person(base):
        __tablename__ = "people"
        slug = mapped_column(sa.String(9), primary_key=True)
        team = mapped_column(sa.ForeignKey("teams.slug"), nullable=False)

    text = refusal(lambda: drawn(datasets(catalog_of(Team, Person))))
    assert text.endswith(
        "is a cycle of required references. Make one nullable, or own one by the other."
    )


def test_a_row_that_must_refer_to_a_table_without_a_schema_is_refused() -> None:
    """A fresh database has no such rows; a reference that may be null stays so."""

    def items(**options: Any) -> Catalog:
        excused = {"items.unit_id": "others' data", "units": "others' data"}
        base, catalog = new_base(), Catalog("items", leaves_out=excused)
        sa.Table("units", base.metadata, sa.Column("id", sa.Integer, primary_key=True))

        class Item(base):
            __tablename__ = "items"
            id = mapped_column(sa.Integer, primary_key=True)
            slug = mapped_column(sa.String(9), unique=True, nullable=False)
            unit_id = mapped_column(sa.ForeignKey("units.id"), **options)

        schema_for(Item, catalog, exclude=("unit",))
        return catalog

    free, tied = items(nullable=True), items(nullable=False, server_default="1")
    drawn(datasets(free), lambda dataset: assert_round_trip(free, dataset), 5)
    assert refusal(lambda: drawn(datasets(tied), print)) == (
        "items: unit_id must refer to units, which no schema carries, and a fresh database has no "
        "rows of it; give that table a schema."
    )


@pytest.mark.parametrize("swapped", [True, False])
def test_arguments_of_the_wrong_kind(swapped: bool) -> None:
    catalog, other = zoo.family().catalog, zoo.tags().catalog

    def use(dataset: Any) -> None:
        if swapped:
            assert_round_trip(dataset, catalog)
        else:
            assert_round_trip(other, dataset)

    expected = "catalog=" if swapped else "dataset="
    assert refusal(lambda: drawn(datasets(catalog), use)).startswith(expected)


def test_an_engine_is_no_factory() -> None:
    catalog, engine = zoo.family().catalog, sa.create_engine("sqlite://")

    def use(dataset: Any) -> None:
        assert_round_trip(catalog, dataset, engine_factory=engine)  # type: ignore[arg-type]

    assert "expected a function that returns a fresh engine" in refusal(
        lambda: drawn(datasets(catalog), use)
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"only": []}, "only=[]; expected at least one entity"),
        ({"only": "persons"}, "only: unknown entity 'persons'; expected one of: people"),
        ({"only": ["persons"]}, "only: unknown entity 'persons'; expected one of: people"),
        ({"max_records": 0}, "max_records=0; expected a whole number from 1"),
        ({"overrides": {"people.slug": "x"}}, "expected a strategy"),
        (
            {"overrides": {"people.slag": st.just("x")}},
            "overrides: unknown column 'people.slag'; expected one of: ",
        ),
        ({"overrides": {"people.slug": st.integers()}}, "overrides for people.slug gave"),
    ],
)
def test_options_that_cannot_be_obeyed(options: dict[str, Any], expected: str) -> None:
    catalog = zoo.family().catalog
    assert expected in refusal(lambda: drawn(datasets(catalog, **options)))


@pytest.mark.parametrize(
    "wrong", [2.5, object(), ["x", []], b"x"], ids=["float", "object", "list", "bytes"]
)
@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (datasets, "catalog"),
        (datasets, "only"),
        (datasets, "max_records"),
        (datasets, "overrides"),
        (records, "schema"),
        (records, "overrides"),
        (RoundTripMachine, "catalog"),
        (RoundTripMachine, "max_records"),
        (RoundTripMachine, "overrides"),
        (RoundTripMachine, "engine_factory"),
        (assert_round_trip, "catalog"),
        (assert_round_trip, "dataset"),
        (assert_round_trip, "engine_factory"),
        (assert_moves, "catalog"),
        (assert_moves, "dataset"),
        (assert_moves, "from_engine"),
        (assert_moves, "to_engine"),
        (assert_import, "catalog"),
        (assert_import, "before"),
        (assert_import, "bundle"),
        (assert_import, "engine_factory"),
        (assert_upgrades, "catalog"),
        (assert_upgrades, "lock"),
        (assert_upgrades, "overrides"),
        (assert_upgrades, "engine_factory"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_every_argument_is_checked(function: Any, argument: str, wrong: Any) -> None:
    """The error says which argument it was, whatever was passed for it."""
    catalog = zoo.family().catalog
    good: dict[Any, dict[str, Any]] = {
        records: {"schema": catalog.schemas[0]},
        assert_round_trip: {"catalog": catalog, "dataset": Dataset(Plans(catalog), [])},
        assert_moves: {
            "catalog": catalog,
            "dataset": Dataset(Plans(catalog), []),
            "from_engine": sqlite_engine,
            "to_engine": sqlite_engine,
        },
        assert_import: {"catalog": catalog, "before": {}, "bundle": {}, "mode": "update"},
    }
    arguments = {**good.get(function, {"catalog": catalog}), argument: wrong}
    with pytest.raises(ArgumentError) as caught:
        function(**arguments)
    assert caught.value.argument == argument


def test_a_dataset_does_not_move_to_where_it_is() -> None:
    """One engine's database would hold every row already."""
    catalog, engine = zoo.family().catalog, sa.create_engine("sqlite://")
    with pytest.raises(ArgumentError, match="expected another engine than from_engine"):
        assert_moves(catalog, Dataset(Plans(catalog), []), engine, engine)


def test_names_of_columns_may_be_of_several_kinds() -> None:
    """What is no name at all is told like any that is unknown."""
    some: Any = {"people.slag": st.just("x"), 5: st.just("y")}
    catalog = zoo.family().catalog
    assert "overrides: unknown column 5" in refusal(
        lambda: drawn(datasets(catalog, overrides=some))
    )


def test_lists_ordered_by_floats_go_round() -> None:
    """Infinities are written as words, and sort by value all the same."""
    base, catalog = new_base(), Catalog("floats")

    class Line(base):
        __tablename__ = "lines"
        id = mapped_column(sa.Integer, primary_key=True)
        sheet_id = mapped_column(sa.ForeignKey("sheets.id"), nullable=False)
        weight = mapped_column(sa.Double, nullable=True)

    class Sheet(base):
        __tablename__ = "sheets"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        lines = relationship(Line, order_by=Line.weight.desc())

    schema_for(Sheet, catalog, {"lines": Owned(schema_for(Line, catalog))})
    weights = st.sampled_from([float("inf"), float("-inf"), 1.5, -2.0, 0.0])
    drawn(
        datasets(catalog, overrides={"sheets.lines.weight": weights}),
        lambda dataset: assert_round_trip(catalog, dataset),
    )


@pytest.mark.parametrize("kept", ["file", "memory"])
def test_engines_of_the_caller_s_serve_every_example(kept: str, tmp_path: Any) -> None:
    """They are emptied in between, circles of rows and all."""
    catalog = zoo.cycle().catalog
    urls = [f"sqlite:///{tmp_path / name}" if kept == "file" else "sqlite://" for name in "ab"]
    engines = [sa.create_engine(url) for url in urls]
    drawn(datasets(catalog), lambda dataset: assert_moves(catalog, dataset, *engines), 10)
    if kept == "file":
        for engine in engines:
            with engine.connect() as connection:
                (table, *_) = catalog.use()["employees"].tables
                assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
