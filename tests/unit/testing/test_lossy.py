"""Types and fields of the application's own: what they lose is found, what they don't isn't."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned, TargetError
from lading.fresh_databases.factories import EngineFactory, database, sqlite_engine
from lading.testing import RoundTripMachine, assert_moves, assert_round_trip, datasets, records
from lading.testing.compare.stored import stored_cells
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.insert import write
from support.declaring import new_base, schema_for
from support.lossy import (
    Absent,
    Address,
    Coarse,
    Documents,
    LosesBlanks,
    LosesReading,
    LosesWriting,
    Passed,
    Rounded,
    Stripped,
    Turned,
)

SETTINGS = {"derandomize": True, "database": None, "deadline": None}


def things(type_: Any, field: Any = None, **options: Any) -> Catalog:
    """A table with a value of this type."""
    columns = {
        "__tablename__": "things",
        "slug": mapped_column(sa.String(20), primary_key=True),
        "value": mapped_column(type_, **options),
    }
    catalog = Catalog("lossy")
    declared = {} if field is None else {"value": field}
    schema_for(type("Thing", (new_base(),), columns), catalog, declared, natural_key="slug")
    return catalog


def goes_round(
    catalog: Catalog, factory: EngineFactory = sqlite_engine, count: int = 100, **options: Any
) -> None:
    """Hold drawn datasets against the round trip, as an application would."""

    @settings(max_examples=count, phases=[Phase.generate], **SETTINGS)
    @given(datasets(catalog, **options))
    def nothing_is_lost(dataset: Any) -> None:
        assert_round_trip(catalog, dataset, engine_factory=factory)

    nothing_is_lost()


def own(kind: Any) -> Any:
    """A field of the application's own for a column that may be null."""
    return kind(required=True, allow_none=True)


#: What loses something, with both forms as the error shows them.
LOSSY: dict[str, tuple[Any, Any, str]] = {
    "stripped": (Stripped(20), None, r"'.*' would be stored as '"),
    "coarse": (Coarse(), None, r"\d, \d+\) would be stored as datetime.datetime\("),
    "absent": (Absent(20), None, "its type makes None of ''"),
    "writing": (sa.String(20), own(LosesWriting), r"turns value '.*' into '"),
    "reading": (sa.String(20), own(LosesReading), r"turns value '.*' into '"),
    "blanks": (sa.String(20), own(LosesBlanks), r"turns value '.*' into None"),
    "decorated": (Address(20), own(LosesWriting), r"'.*' would be stored as '"),
    "pickled": (sa.PickleType(), own(LosesWriting), r"would be stored as"),
}


def assert_placed(error: TargetError) -> None:
    """An error names the entity, the record and the field."""
    assert (error.entity, error.field) == ("things", "value")
    assert "slug" in str(error)


@pytest.mark.parametrize("name", LOSSY)
def test_what_a_type_or_field_loses_is_found(name: str) -> None:
    """The export refuses it, and names entity, record and field with both values."""
    type_, field, text = LOSSY[name]
    with pytest.raises(TargetError, match=text) as caught:
        goes_round(things(type_, field))
    assert_placed(caught.value)


@pytest.mark.parametrize("name", ["stripped", "reading"])
def test_what_is_lost_is_found_on_postgresql(name: str, lading_postgresql: EngineFactory) -> None:
    """There as well."""
    type_, field, text = LOSSY[name]
    with pytest.raises(TargetError, match=text) as caught:
        goes_round(things(type_, field), lading_postgresql, 40)
    assert_placed(caught.value)


#: What loses nothing beyond what the application itself puts right on the way in.
LOSSLESS: dict[str, tuple[Any, Any]] = {
    "address": (Address(20), None),
    "turned": (sa.String(20), Turned),
    "turned address": (Address(20), Turned),
    "rounded": (Rounded(6, 4), None),
    "passed": (Passed(10, 2), None),
    "passed on": (Passed(), None),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_what_loses_nothing_goes_round(name: str) -> None:
    """What a decorator changes on the way in never was in a database."""
    type_, field = LOSSLESS[name]
    goes_round(things(type_, field and own(field), nullable=field is not None), count=15)
    goes_round(things(type_, field and own(field), unique=True), count=15)


def test_nulls_of_decorated_json_are_sql_s() -> None:
    """A decorator may make JSON's null of None, which no row that is drawn means."""
    goes_round(things(Documents(), nullable=True), count=15)


def addressed(*, typed: bool) -> Catalog:
    """People known by their address; others refer to it, with its own type or with a plain one."""
    base = new_base()
    held: Any = Address(30) if typed else sa.String(30)

    class Person(base):
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        address = mapped_column(Address(30), unique=True, nullable=False)
        parent_id = mapped_column(sa.ForeignKey("people.id"))
        parent = relationship("Person", remote_side=[id])

    class Letter(base):
        __tablename__ = "letters"
        sender = mapped_column(held, sa.ForeignKey("people.address"), primary_key=True)
        subject = mapped_column(Address(9), primary_key=True)
        person = relationship(Person)
        copies = relationship("Copy", order_by="Copy.name", back_populates="letter")

    class Copy(base):
        __tablename__ = "copies"
        id = mapped_column(sa.Integer, primary_key=True)
        sender = mapped_column(held, nullable=False)
        subject = mapped_column(Address(9), nullable=False)
        name = mapped_column(Address(9), nullable=False)
        __table_args__ = (
            sa.ForeignKeyConstraint([sender, subject], [Letter.sender, Letter.subject]),
            sa.UniqueConstraint(sender, subject, name),
            sa.CheckConstraint("name <> 'b'"),
        )
        letter = relationship(Letter, back_populates="copies")

    class Reply(base):
        __tablename__ = "replies"
        slug = mapped_column(sa.String(9), primary_key=True)
        sender = mapped_column(held, sa.ForeignKey("people.address"), nullable=False)
        subject = mapped_column(Address(9), nullable=False)
        __table_args__ = (
            sa.ForeignKeyConstraint([sender, subject], [Letter.sender, Letter.subject]),
        )
        letter = relationship(Letter, overlaps="person")
        person = relationship(Person, overlaps="letter")

    catalog = Catalog("addressed")
    schema_for(Person, catalog, natural_key="address")
    copies = schema_for(Copy, catalog, natural_key=("letter", "name"))
    schema_for(Letter, catalog, {"copies": Owned(copies)})
    schema_for(Reply, catalog)
    return catalog


WORDS = st.sampled_from(["a", "A", "b", "B", "ab", "AB", "Ab", "c"])


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "plain"])
def test_keys_that_a_type_folds_go_round(typed: bool) -> None:
    """Two texts that are stored as one are one key, and what refers to it finds it."""
    names = ["people.address", "letters.subject", "letters.copies.name"]
    words = WORDS if typed else WORDS.map(str.lower)
    some = {"people.address": words, **dict.fromkeys(names[1:], WORDS)}
    catalog = addressed(typed=typed)
    goes_round(catalog, count=10)
    goes_round(catalog, count=25, overrides=some)


def test_keys_that_a_type_folds_go_round_on_postgresql(lading_postgresql: EngineFactory) -> None:
    """There as well, and from one engine to another."""
    catalog = addressed(typed=True)
    goes_round(catalog, lading_postgresql, 6, overrides={"people.address": WORDS})

    @settings(max_examples=5, phases=[Phase.generate], **SETTINGS)
    @given(datasets(catalog))
    def moves(dataset: Any) -> None:
        assert_moves(catalog, dataset, sqlite_engine, lading_postgresql)

    moves()


def test_a_machine_foretells_folded_keys() -> None:
    """Records whose keys differ before they are stored alone are the same record."""
    some = {"people.address": WORDS, "letters.subject": WORDS}
    machine = RoundTripMachine(addressed(typed=True), overrides=some)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=10, phases=[Phase.generate], **SETTINGS
        ),
    )


def test_a_field_that_writes_null_for_a_value_is_found() -> None:
    """Where none may be null, the export says that the record wouldn't load."""
    field = LosesBlanks(required=True)
    with pytest.raises(TargetError, match="ThingSchema fails on it") as caught:
        goes_round(things(sa.String(20), field, nullable=False))
    assert caught.value.entity == "things"


def test_a_machine_finds_what_a_type_loses() -> None:
    """As a round trip does."""
    with pytest.raises(TargetError, match="would be stored as") as caught:
        run_state_machine_as_test(
            RoundTripMachine(things(Stripped(20))),
            settings=settings(max_examples=30, phases=[Phase.generate], **SETTINGS),
        )
    assert_placed(caught.value)


def test_overrides_are_stored_as_given() -> None:
    """What is written is what SQLAlchemy makes of them, and a record says what it gives back."""
    catalog = things(Stripped(20), nullable=False)
    given_values = [" a", "b ", "\tc"]

    @settings(max_examples=10, phases=[Phase.generate], **SETTINGS)
    @given(
        datasets(
            catalog, only=["things"], overrides={"things.value": st.sampled_from(given_values)}
        )
    )
    def stored(dataset: Any) -> None:
        with database(sqlite_engine, catalog) as engine:
            resolved = write(dataset, engine, {"sqlite"}, other=False)
            table = dataset.plans.entities["things"].table
            cells = stored_cells(engine, [table])["things"]
            assert {row["value"] for row in cells} <= {("text", repr(v)) for v in given_values}
            said = Written(resolved).document()["things"]
            assert sorted(record["value"] for record in said) == sorted(
                row["value"][1].strip("'").replace("\\t", " ").strip() for row in cells
            )

    stored()


def test_a_record_says_what_a_type_gives_back() -> None:
    """Single records are drawn as a bundle holds them."""
    catalog = things(Address(20), nullable=False)
    schema = catalog.use()["things"].schema

    @settings(max_examples=20, phases=[Phase.generate], **SETTINGS)
    @given(records(schema, overrides={"things.value": WORDS}))
    def said(record: Any) -> None:
        assert record["value"] == record["value"].lower()

    said()
