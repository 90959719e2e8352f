"""What a browser makes of the pages: they work, and nothing that a record holds is run.

Each test starts Chromium once, which takes a second or two.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from lading.html import bundle_page, change_page
from lading.report import Counts
from support.html_pages import HOSTILE, rendered, write_bundle_of
from support.plans import bakery_plan, insert, plan_of, update

#: What is left of a hostile text once what can't be seen is written out.
SEEN = html.escape(HOSTILE[: HOSTILE.index("\N{LINE SEPARATOR}")], quote=False)


def part(dom: str, id_: str) -> str:
    """The text of a document from an element on."""
    return dom[dom.index(f'id="{id_}"') :].partition("<script")[0]


def words(dom: str) -> str:
    """A document's text without its elements."""
    return re.sub(r"<[^>]*>", "", dom)


def test_a_report_opens_at_a_record_and_runs_nothing_of_it(tmp_path: Path) -> None:
    """The record is shown as it is, with links to what it refers to and what refers to it."""
    write_bundle_of(tmp_path / "b", left_out={"logs": None})
    page = bundle_page(tmp_path / "b")
    dom = rendered(page, tmp_path, anchor="#record-2-0")
    assert "<title>bakery</title>" in dom
    record = part(dom, "record")
    assert SEEN in record
    for code in ("U+2028", "U+202E", "U+0000"):
        assert f">{code}</span>" in record
    assert not re.search("<(img|script)", record)
    assert '<a href="#record-1-1"><bdi>piece</bdi></a>' in record
    assert "No record in this page refers to it" in words(record)
    assert "6 records" in words(part(dom, "result-count"))
    assert "nobody says why" in part(dom, "left-out-list")


def test_a_report_is_used_by_keyboard_and_search(tmp_path: Path) -> None:
    """A slash leads to the search; a link of the graph opens its entity."""
    write_bundle_of(tmp_path / "b")
    then = """
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
      const focused = document.activeElement.id;
      document.activeElement.value = "WAIT mix";
      document.activeElement.dispatchEvent(new Event("input"));
      document.querySelector('a[href="#entity-3"]').dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
      document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
      const first = document.activeElement.hash;
      const near = document.querySelectorAll(".edge.near").length;
      location.hash = "#entity-3";
      setTimeout(() => {
        const links = [...document.querySelectorAll("#results a")].map((link) => link.hash);
        const entity = document.getElementById("entity-3");
        document.title = [focused, first, links, near, entity.open, entity.querySelectorAll("td").length].join(" ");
      }, 1000);
    """
    dom = rendered(bundle_page(tmp_path / "b"), tmp_path, then=then)
    (title,) = re.findall("<title>(search.*)</title>", dom)
    assert title == "search #record-1-0 #record-3-0 1 true 27"


def test_the_policy_stops_what_gets_into_a_page(tmp_path: Path) -> None:
    """Even if a text were markup, no script, handler, style, picture or connection would work."""
    page = change_page(plan_of([]))
    harm = (
        "<script>document.title = 'ran'</script>"
        "<img src='data:,x' onerror=\"document.title = 'ran'\">"
        "<p id='styled' style='display: none'></p>"
    )
    then = """
      document.addEventListener("securitypolicyviolation", (event) => {
        document.body.dataset.violations = (document.body.dataset.violations || "") + event.effectiveDirective + " ";
      });
      fetch("data:,x").then(() => { document.title = "fetched"; }, () => {});
      document.getElementById("counts").dataset.shown = getComputedStyle(document.getElementById("styled")).display;
    """
    dom = rendered(page.replace("<main>", f"<main>{harm}"), tmp_path, then=then)
    assert "<title>import plan</title>" in dom
    assert 'data-shown="block"' in dom
    assert "connect-src" in dom


def test_a_plans_page_shows_deletes_first_and_fields_before_and_after(tmp_path: Path) -> None:
    """Few changes are shown at once; hostile ones as they are."""
    changes = [
        *bakery_plan().changes(),
        update("recipes", "rye", steps=([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 3}])),
        insert("recipes", "evil", name=HOSTILE, big=2**60, **{"9": 1, "10": 2}),
    ]
    plan = plan_of(changes, problems=bakery_plan().problems)
    plan.entities["units"] = Counts(unchanged=7)
    page = change_page(plan)
    dom = rendered(page, tmp_path, then='document.getElementById("search").value = "x";')
    sections = re.findall(r'<section id="(\w+)"', dom)
    assert sections == ["delete", "problems", "update", "insert", "summary"]
    assert re.search(r"<del[^>]*><bdi>1.20</bdi></del>.*?<ins[^>]*><bdi>1.35</bdi></ins>", dom)
    update_text = words(part(dom, "update"))
    assert "\u2212a1+a3" in update_text.replace("\n", "")
    assert "1152921504606846976" in dom
    assert words(dom).index("9") < words(dom).index("10")
    assert SEEN in part(dom, "insert")
    assert "<img" not in dom
    assert "units7" in words(part(dom, "summary")).replace("\n", "")
