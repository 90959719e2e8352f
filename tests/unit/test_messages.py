"""How messages write numbers of things."""

from __future__ import annotations

import copy
import pickle

from lading.messages import Message, coded, counted, noted


def test_one_thing_is_singular_and_all_other_numbers_are_plural() -> None:
    """With commas between thousands, and a plural of its own where an *s* isn't enough."""
    assert [counted(number, "row") for number in (0, 1, 2, 2_000)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "2,000 rows",
    ]
    assert counted(3, "entity", "entities") == "3 entities"


def test_a_message_keeps_its_code() -> None:
    """In a file, in another process and as the text of an exception; its parts have none."""
    message = Message("odd", "is odd")
    copies = (copy.deepcopy(message), pickle.loads(pickle.dumps(message)), str(ValueError(message)))
    assert [(text, text.code) for text in copies] == [("is odd", "odd")] * 3  # type: ignore[attr-defined]
    assert type(message.plain) is type(f"{message}.") is str
    assert noted(message, "").code == noted(message, "Mind.").code == "odd"
    assert noted(message, "Mind.") == "is odd. Mind."
    assert (coded(message, "even").code, coded("is even", "even").code) == ("odd", "even")
