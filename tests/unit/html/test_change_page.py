"""The page of a plan or diff: what its data says, without a browser."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from lading import ArgumentError
from lading.html import change_page
from lading.html.change_page import MOST
from lading.planning.record_change import Cascade
from support.html_pages import HOSTILE, data_of, digest_of, inline_texts
from support.plans import bakery_plan, delete, insert, plan_of, update


def parts_of(page: str) -> dict[str, dict[str, Any]]:
    """The parts of a page by action."""
    return {part["action"]: part for part in data_of(page)["parts"]}


def test_deletes_come_first_with_what_they_take_along() -> None:
    """Then problems, updates and inserts."""
    data = data_of(change_page(bakery_plan(), label="backup/ into shop.db"))
    assert data["title"] == "import plan: 2 inserted, 4 updated, 1 deleted"
    assert data["facts"][0] == ["of", "backup/ into shop.db"]
    deletes, updates, inserts = data["parts"]
    assert [deletes["action"], updates["action"], inserts["action"]] == [
        "delete",
        "update",
        "insert",
    ]
    assert deletes["groups"] == [
        {
            "entity": "products",
            "total": 1,
            "along": ["audit_log.product_id: 1,400 deleted"],
            "changes": [[{"slug": "old-bread"}, {"slug": "old-bread"}, None]],
        }
    ]
    assert updates["groups"][0]["changes"][0] == [
        {"slug": "roll-0"}, {"unit_price": "1.20"}, {"unit_price": "1.35"},
    ]  # fmt: skip
    assert (len(data["problems"]), data["problemTotal"]) == (1, 3)
    assert data["notes"][0].startswith("an import with problems writes nothing, unless")
    assert data["unchecked"]


def test_a_page_holds_a_bounded_number_of_changes_of_each_entity() -> None:
    """And says how many there are."""
    count = 3_000
    changes = [update("big", f"u{number}", price=("1", "2")) for number in range(count)]
    page = change_page(plan_of([*changes, update("small", "x", price=("1", "2"))]))
    big, small = parts_of(page)["update"]["groups"]
    assert (big["total"], len(big["changes"])) == (count, MOST["update"] - 1)
    assert (small["total"], len(small["changes"])) == (1, 1)
    assert parts_of(page)["update"]["total"] == count + 1


def test_long_changes_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deletes don't take the room of the others."""
    monkeypatch.setattr(sys.modules["lading.html.change_page"], "MOST_BYTES", 1_000)
    long = [insert("a", f"{number}", text="x" * 400) for number in range(9)]
    parts = parts_of(change_page(plan_of([*long, delete("a", "b")])))
    assert len(parts["insert"]["groups"][0]["changes"]) == 2
    assert len(parts["delete"]["groups"][0]["changes"]) == 1


def test_cascades_stand_with_the_entity_whose_records_are_deleted() -> None:
    """Those that set a column to null as well."""
    plan = plan_of(
        [delete("a", "1"), delete("b", "1"), insert("b", "2")],
        cascades=[Cascade("b", "logs.b_id", "set to null", 2)],
    )
    parts = parts_of(change_page(plan))
    along = {group["entity"]: group["along"] for group in parts["delete"]["groups"]}
    assert along == {"a": [], "b": ["logs.b_id: 2 set to null"]}
    assert [group["along"] for group in parts["insert"]["groups"]] == [[]]


def test_what_a_change_holds_is_no_markup() -> None:
    """Neither its values nor the label of the page."""
    page = change_page(plan_of([insert("a", HOSTILE, text=HOSTILE)]), label=HOSTILE)
    assert parts_of(page)["insert"]["groups"][0]["changes"][0][2]["text"] == HOSTILE
    assert page.count("</script>") == 2
    assert "<img" not in page
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (text,) = inline_texts(page, tag)
        assert f"{directive} {digest_of(text)}" in page


def test_equal_plans_give_equal_pages() -> None:
    """And one without changes has a page, too."""
    assert change_page(bakery_plan()) == change_page(bakery_plan())
    assert data_of(change_page(plan_of([])))["title"] == "import plan: nothing to do"


def test_what_is_no_plan_is_refused() -> None:
    """The error says what is expected."""
    with pytest.raises(ArgumentError, match="expected an ImportPlan or a Diff"):
        change_page("plan.ndjson")  # type: ignore[arg-type]
