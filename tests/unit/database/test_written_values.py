"""Values that an engine keeps in their written form, and what types' SQL says of their columns."""

from __future__ import annotations

import pytest

from lading.database.dialects import written_values
from lading.database.dialects.postgresql_columns import parsed
from lading.database.dialects.written_values import checked_date


def test_dates_are_checked_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many are remembered."""
    monkeypatch.setattr(written_values, "MOST_DATES", 2)
    names = checked_date().names
    for day in range(1, 6):
        assert names["check"](f"2025-01-0{day}") == f"2025-01-0{day}"
    assert [names["known"](f"2025-01-0{day}") for day in range(1, 6)] == [True, True, *[False] * 3]
    with pytest.raises(ValueError, match="is not a date"):
        names["check"]("20250203")


def test_a_type_that_nobody_can_parse_is_known_by_its_text() -> None:
    """An extension may call its types anything."""
    column = parsed('"odd type" with 1,2')
    assert column.type == column.text == '"odd type" with 1,2'
