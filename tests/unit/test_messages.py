"""How messages write numbers of things."""

from __future__ import annotations

from lading.messages import counted


def test_one_thing_is_singular_and_all_other_numbers_are_plural() -> None:
    """With commas between thousands, and a plural of its own where an *s* isn't enough."""
    assert [counted(number, "row") for number in (0, 1, 2, 2_000)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "2,000 rows",
    ]
    assert counted(3, "entity", "entities") == "3 entities"
