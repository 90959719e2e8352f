"""Plans as text: the most dangerous first, alike changes together, and few lines."""

from __future__ import annotations

from lading.planning.change_text import change_text, key_text
from lading.planning.record_change import RecordChange
from support.plans import bakery_plan, delete, insert, plan_of, update

TEXT = """\
import plan: 2 inserted, 4 updated, 1 deleted
  ingredients  2 inserted
  products     4 updated, 1 deleted
deleted: 1
  - products slug 'old-bread'
deleted or altered along with them: 1
  - audit_log.product_id: 1,400 deleted, with products
updated: 4
  ~ products slug 'roll-0': unit_price '1.20' -> '1.35' (and 2 alike)
  ~ products slug 'bread': name 'Bread' -> 'Sourdough', unit_price '3.00' -> '3.20'
inserted: 2
  + ingredients slug 'spelt' (and 1 alike)
problems: 3
  ! 02_products.json record 7, name: is too long.
  ! and 2 more
  (an import with problems writes nothing, unless on_error='continue' leaves out the bad records)
not checked: 1
  ? products: CHECK (unit_price > 0)
import plan: 2 inserted, 4 updated, 1 deleted"""


def test_a_plan_reads_from_the_most_dangerous_to_the_least() -> None:
    """Totals stand at both ends."""
    assert str(bakery_plan()) == TEXT


def test_a_plan_without_changes_is_false_and_says_so() -> None:
    """In one line."""
    plan = plan_of([])
    assert not plan
    assert str(plan) == "import plan: nothing to do"


def test_a_text_has_few_lines_however_many_changes_there_are() -> None:
    """Sets of fields, deletes and entities may all be many."""
    changes = [
        change
        for number in range(1_000)
        for change in (
            update("products", f"p{number}", **{f"field_{number}": (1, 2)}),
            delete("products", f"d{number}"),
            insert("products", f"i{number}"),
        )
    ]
    lines = str(plan_of(changes)).splitlines()
    assert len(lines) < 80
    assert "  - and 950 more" in lines
    assert "  ~ and 980 others" in lines
    assert "  + products slug 'i0' (and 999 alike)" in lines


def test_changes_of_the_same_fields_are_alike_in_any_order() -> None:
    """A group is a set of fields."""
    first = update("a", "x", b=(1, 2), c=(1, 2))
    second = update("a", "y", c=(3, 4), b=(3, 4))
    assert "(and 1 alike)" in str(plan_of([first, second]))


def test_keys_are_described_by_their_parts() -> None:
    """Nested ones by paths, to any depth; hidden ones by their mask."""
    key = {"product": {"ingredient": {"slug": "flour"}, "brand": None}, "size": 2}
    assert key_text(key) == "size 2 and product.brand null and product.ingredient.slug 'flour'"
    assert key_text({"pin": "<hidden>"}) == "pin <hidden>"
    deep: dict[str, object] = {"name": "top", "parent": None}
    for level in range(2_000):
        deep = {"name": str(level), "parent": deep}
    assert key_text(deep).startswith("name '1999' and parent.name '1998' and")


def test_lists_are_described_by_the_elements_that_differ() -> None:
    """Those that stay say nothing."""
    before = {"tags": ["a", "b"], "uses": [1], "steps": [1, 2]}
    after = {"tags": ["b", "c"], "uses": [], "steps": [2, 1]}
    change = RecordChange("recipes", {"slug": "x"}, "update", before, after)
    text = "recipes slug 'x': tags -['a'] +['c'], uses -[1], steps in another order"
    assert change_text(change) == text


def test_an_element_that_a_list_has_less_often_is_told() -> None:
    """Equal rows count, so this isn't another order."""
    change = RecordChange("recipes", {"slug": "x"}, "update", {"tags": [1, 1]}, {"tags": [1]})
    assert change_text(change) == "recipes slug 'x': tags -[1]"


def test_a_row_whose_own_lists_differ_is_told_by_these() -> None:
    """The row itself would be cut off before what differs."""
    row = {"room": "hall", "seats": 7, "guests": ["x"], "notes": ["a", "b"]}
    before, after = {"days": [row, 2]}, {"days": [2, row | {"notes": ["b", "c"]}]}
    change = RecordChange("clubs", {"no": 1}, "update", before, after)
    text = "clubs no 1: days {'room': 'hall', 'seats': 7}: notes -['a'] +['c']"
    assert change_text(change) == text


def test_rows_that_begin_alike_are_told_by_the_fields_that_differ() -> None:
    """Cut off, both would read the same."""
    row = {"line": 1, "account": {"code": "1000"}, "debit": "0.0000", "credit": "9.00"}
    first = row | {"memo": None}
    second, third = first | {"line": 2}, first | {"line": 3}
    before = {"lines": [first, second, third]}
    one = {"lines": [first | {"memo": ""}, second, third]}
    change = RecordChange("entries", {"no": 1}, "update", before, one)
    assert change_text(change) == f"entries no 1: lines {row}: memo None -> ''"
    every = {"lines": [row | {"memo": "x"} for row in before["lines"]]}
    change = RecordChange("entries", {"no": 1}, "update", before, every)
    told = [f"{row}: memo None -> 'x'", f"{row | {'line': 2}}: memo None -> 'x'", "and 1 more"]
    assert change_text(change) == f"entries no 1: lines {'; '.join(told)}"


def test_rows_are_held_against_those_that_begin_like_them() -> None:
    """Their key leads; what else they say may have moved from row to row."""
    texts = "a" * 40, "b" * 40
    before = {"items": [{"place": n, "text": text, "by": None} for n, text in enumerate(texts)]}
    after = {
        "items": [{"place": n, "text": text, "by": None} for n, text in enumerate(texts[::-1])]
    }
    change = RecordChange("lists", {"no": 1}, "update", before, after)
    first, second = texts
    told = [
        f"{{'place': 0, 'by': None}}: text {first!r} -> {second!r}",
        f"{{'place': 1, 'by': None}}: text {second!r} -> {first!r}",
    ]
    assert change_text(change) == f"lists no 1: items {'; '.join(told)}"


def test_long_values_are_shown_from_where_they_differ() -> None:
    """Their first words may be the same."""
    before, after = {"body": "a" * 100 + "b"}, {"body": "a" * 100 + "c" * 100}
    change = RecordChange("pages", {"no": 1}, "update", before, after)
    same = "..." + "a" * 20
    assert change_text(change) == f"pages no 1: body {same}b' -> {same}{'c' * 50}..."


def test_a_key_of_another_form_is_shown_as_it_is() -> None:
    """A record of a broken file may have anything as its key."""
    assert key_text(5) == "5"
    assert key_text("flour") == "'flour'"
