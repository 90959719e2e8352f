"""Types and fields of the application's own: what they lose is found, what they don't isn't."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from marshmallow import fields
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned, TargetError
from lading.testing import RoundTripMachine, assert_moves, assert_round_trip, datasets, records
from lading.testing.compare.stored import stored_cells
from lading.testing.databases import EngineFactory, database, sqlite_engine
from lading.testing.drawn.fill import write
from lading.testing.drawn.written import Written
from lading.testing.plugin import lading_postgresql
from support.declaring import catalog_of, new_base, schema_for
from support.lossy import (
    Absent,
    Address,
    Coarse,
    LosesBlanks,
    LosesReading,
    LosesWriting,
    Stripped,
    Turned,
)

__all__ = ["lading_postgresql"]

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

    @settings(max_examples=count, **SETTINGS)
    @given(datasets(catalog, **options))
    def nothing_is_lost(dataset: Any) -> None:
        assert_round_trip(catalog, dataset, engine_factory=factory)

    nothing_is_lost()


def own(kind: Any) -> Any:
    """A field of the application's own for a column that may be null."""
    return kind(required=True, allow_none=True)


#: What loses something, with both forms as the error shows them.
LOSSY: dict[str, tuple[Any, Any, str]] = {
    "stripped": (Stripped(20), None, r"' .*' would be stored as ''|'.* ' would be stored as"),
    "coarse": (Coarse(), None, r"\d, [1-9]\d*\) would be stored as datetime.datetime\("),
    "absent": (Absent(20), None, "None is not a string"),
    "writing": (sa.String(20), own(LosesWriting), r"turns value ' ' into ''"),
    "reading": (sa.String(20), own(LosesReading), r"turns value ' ' into ''"),
    "blanks": (sa.String(20), own(LosesBlanks), r"turns value '' into None"),
    "decorated": (Address(20), own(LosesWriting), r"turns value ' ' into ''"),
}


def assert_found(error: TargetError, text: str) -> None:
    """The export of what was written names the place and both values."""
    assert (error.entity, error.field) == ("things", "value")
    assert "slug" in str(error)
    assert "nothing" not in str(error)


@pytest.mark.parametrize("name", LOSSY)
def test_what_a_type_or_field_loses_is_found(name: str) -> None:
    """The export refuses it, and names entity, record and field with both values."""
    type_, field, text = LOSSY[name]
    with pytest.raises(TargetError, match=text) as caught:
        goes_round(things(type_, field))
    assert_found(caught.value, text)


@pytest.mark.parametrize("name", ["stripped", "reading"])
def test_what_is_lost_is_found_on_postgresql(
    name: str, lading_postgresql: EngineFactory
) -> None:
    """There as well."""
    type_, field, text = LOSSY[name]
    with pytest.raises(TargetError, match=text) as caught:
        goes_round(things(type_, field), lading_postgresql, 40)
    assert_found(caught.value, text)


