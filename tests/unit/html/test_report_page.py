"""The page of a bundle: what its data says, and what it never holds.  No browser is needed."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lading import ArgumentError, BundleError
from lading.html import bundle_page, report_page, sample
from lading.html.sample import EntityTotal, Record, Sampler
from lading.model.rowsets import RowSet
from lading.verifying.portable import PortableBinder
from lading.verifying.shape_rows import rows_of_shapes
from support.graphs import ref
from support.html_pages import (
    HOSTILE,
    RECORDS,
    TEXT,
    data_of,
    deferred,
    digest_of,
    inline_texts,
    shape,
    write_bundle_of,
)
from support.small_bundle import entry_of

SECRET = "hush-1234567"
STEP = "\x1f"


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The page of a bundle whose records mean harm."""
    write_bundle_of(tmp_path / "b", left_out={"logs": "short-lived", "audit": None})
    return bundle_page(tmp_path / "b", label="a < b")


def entity_of(page: str, name: str) -> dict[str, Any]:
    """What a page says of an entity."""
    return next(entity for entity in data_of(page)["entities"] if entity["name"] == name)


def test_a_page_has_every_record_of_a_small_bundle(page: str) -> None:
    """As rows by column."""
    assert data_of(page)["sample"] == "All 6 records are in this page."
    for name, records in RECORDS.items():
        entity = entity_of(page, name)
        rows = [dict(zip(entity["columns"], row, strict=True)) for row in entity["rows"]]
        assert (rows, entity["total"]) == (records, len(records))


def test_references_lead_to_records_of_the_page(page: str) -> None:
    """Nested ones, flat ones, lists of links, those of owned rows; never what isn't there."""
    assert entity_of(page, "ingredients")["links"] == [{"unit": [0, 1]}, {"unit": [0, 0]}]
    bread, cake = entity_of(page, "recipes")["links"]
    steps, also = STEP.join(("steps", "0", "uses")), STEP.join(("also", "0"))
    assert bread == {steps: [1, 1], also: [2, 1]}
    assert cake == {}


def test_a_page_says_what_each_entity_is(page: str) -> None:
    """Its key, fields, references and place in the graph."""
    recipes = entity_of(page, "recipes")
    assert (recipes["key"], recipes["layer"], recipes["version"]) == (["slug"], 3, 1)
    assert recipes["fields"] == [
        [0, "slug", "string", "key"],
        [0, "note", "string", "nullable"],
        [0, "steps", "owned records, a set", ""],
        [1, "text", "string", "nullable"],
        [1, "uses", "reference to ingredients", "nullable"],
        [0, "also", "references to recipes", ""],
    ]
    assert [(r["path"], r["to"], r["form"]) for r in recipes["references"]] == [
        ("steps.uses", "ingredients", "optional"),
        ("also", "recipes", "links"),
    ]
    assert f'href="#entity-{recipes["anchor"]}"' in page


def test_a_page_says_what_is_left_out_and_what_leads_out(tmp_path: Path, page: str) -> None:
    """With the reason, or that there is none."""
    assert data_of(page)["leftOut"] == [["logs", "short-lived"], ["audit", None]]
    write_bundle_of(
        tmp_path / "partial", partial=True, rounded={"a.price": 2},
        deferred=(deferred("recipes", "also", "recipes"),),
    )  # fmt: skip
    partial = bundle_page(tmp_path / "partial")
    assert len(data_of(partial)["notes"]) == 2
    assert entity_of(partial, "recipes")["references"][1]["deferred"]


def test_equal_bundles_give_equal_pages(page: str, tmp_path: Path) -> None:
    """Byte for byte."""
    assert bundle_page(tmp_path / "b", label="a < b") == page


def test_the_policy_allows_the_pages_own_script_and_style_alone(page: str) -> None:
    """By their digests; nothing is loaded from anywhere."""
    (script,), (style,) = inline_texts(page, "script"), inline_texts(page, "style")
    assert (
        f"default-src 'none'; script-src {digest_of(script)}; style-src {digest_of(style)}; "
        "base-uri 'none'; form-action 'none'"
    ) in page
    assert "unsafe" not in page
    assert page.count("<script") == 2
    assert not {" src=", " style=", "@import", "url(", "<link", "<iframe"} & set(page.split())
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script
    assert "eval" not in script


def test_what_a_record_holds_is_no_markup(page: str) -> None:
    """It is in the page once, as data that ends nothing."""
    assert HOSTILE in entity_of(page, "ingredients")["rows"][0]
    assert "onerror=alert" in page
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert "\0" not in page


def test_names_are_no_markup(tmp_path: Path) -> None:
    """Those of entities, fields and catalogs come from databases, too."""
    name = HOSTILE.replace("\0", "").replace("\N{RIGHT-TO-LEFT OVERRIDE}", "")
    write_bundle_of(
        tmp_path / "b",
        {name: shape(**{name: TEXT})},
        {name: [{"slug": "a", name: name}]},
        catalog=name,
    )
    page = bundle_page(tmp_path / "b")
    assert page.count("</script>") == 2
    assert "<img" not in page
    assert entity_of(page, name)["columns"] == ["slug", name]


def test_hidden_values_are_in_no_page(tmp_path: Path) -> None:
    """Those that the manifest names, in records and in references written by them."""
    shapes = {
        "accounts": {**shape(token=TEXT), "hidden": ["token", "slug"]},
        "devices": shape(account=ref("accounts")),
    }
    records = {
        "accounts": [{"slug": SECRET, "token": SECRET}],
        "devices": [{"slug": "phone", "account": {"slug": SECRET}}],
    }
    write_bundle_of(tmp_path / "b", shapes, records)
    page = bundle_page(tmp_path / "b")
    assert SECRET not in page
    assert entity_of(page, "accounts")["rows"] == [["<hidden>", "<hidden>"]]
    assert entity_of(page, "devices")["rows"] == [["phone", {"slug": "<hidden>"}]]
    assert entity_of(page, "devices")["links"] == [{}]


def test_records_whose_hidden_values_nobody_can_tell_are_withheld(tmp_path: Path) -> None:
    """An application's own code may write them under any name."""
    shapes = {"accounts": {**shape(token=TEXT), "hidden": ["token"], "custom": True}}
    write_bundle_of(tmp_path / "b", shapes, {"accounts": [{"slug": "a", "other": SECRET}]})
    page = bundle_page(tmp_path / "b")
    assert SECRET not in page
    assert (entity_of(page, "accounts")["rows"], entity_of(page, "accounts")["withheld"]) == (
        [],
        True,
    )
    assert "show none" in data_of(page)["sample"]


def test_records_that_code_wrote_are_shown_without_links_if_nothing_is_hidden(
    tmp_path: Path,
) -> None:
    """Records may then have different fields."""
    shapes = {"accounts": {**shape(), "custom": True}}
    write_bundle_of(tmp_path / "b", shapes, {"accounts": [{"slug": "a"}, {"slug": "b", "more": 1}]})
    entity = entity_of(bundle_page(tmp_path / "b"), "accounts")
    assert (entity["columns"], entity["rows"]) == (["slug", "more"], [["a"], ["b", 1]])


def test_a_damaged_bundle_gets_no_page(tmp_path: Path) -> None:
    """Its checksums are verified first, of what isn't shown as well."""
    write_bundle_of(tmp_path / "b")
    sums = tmp_path / "b" / "SHA256SUMS"
    text = sums.read_text()
    sums.write_text(text.replace("a", "b"))
    with pytest.raises(BundleError, match="SHA256SUMS"):
        bundle_page(tmp_path / "b")
    sums.write_text(text)
    with (tmp_path / "b" / "01_1.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(BundleError, match=r"01_1\.json"):
        bundle_page(tmp_path / "b")
    with pytest.raises(ArgumentError, match="label=3"):
        bundle_page(tmp_path / "b", label=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"slug":1e400}', "1e400"),
        (rb'{"slug":"\ud800"}', "not JSON"),
        (b'{"slug":"a","slug":"b"}', "slug"),
        (b"[1]", "expected a record"),
        (b'{"slug":' + b"[" * 5000 + b"]" * 5000 + b"}", "600 deep"),
    ],
)
def test_a_record_that_is_no_json_object_is_refused(
    tmp_path: Path, line: bytes, message: str
) -> None:
    """Checksums may be right whatever a file holds."""
    write_bundle_of(tmp_path / "b", {"a": shape()}, {"a": [line]})
    with pytest.raises(BundleError, match=message):
        bundle_page(tmp_path / "b")


def test_a_deep_record_is_cut(tmp_path: Path) -> None:
    """The deepest that lading takes."""
    deep: Any = "bottom"
    for _ in range(400):
        deep = {"in": deep}
    write_bundle_of(
        tmp_path / "b",
        {"a": shape(x={"type": "json", "nullable": False})},
        {"a": [{"slug": "x", "x": deep}]},
    )
    assert '"$d":24' in bundle_page(tmp_path / "b")


def test_very_many_entities_are_listed_and_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says how to draw some."""
    monkeypatch.setattr(report_page, "MOST_DRAWN", 2)
    write_bundle_of(tmp_path / "b")
    assert "<svg" not in bundle_page(tmp_path / "b")
    assert "--around NAME --depth N" in bundle_page(tmp_path / "b")


# Samples of what is large

COUNT = 20_000


def rows_of(shapes: dict[str, dict[str, Any]]) -> dict[str, RowSet]:
    """The row sets of shapes."""
    entries = [
        msgspec.structs.replace(entry_of(b"", 0, f"{name}.json", name), shape=form)
        for name, form in shapes.items()
    ]
    return rows_of_shapes(entries, PortableBinder())


class ManyRecords:
    """Goods, each of which an order names, the last ones first; ``reads`` counts what was read."""

    def __init__(self) -> None:
        shapes = {"goods": shape(), "orders": shape(good=ref("goods"))}
        rows = rows_of(shapes)
        self.sampler = Sampler(EntityTotal(name, rows[name], COUNT) for name in shapes)
        self.reads = dict.fromkeys(shapes, 0)

    def read(self, name: str) -> Generator[Record, None, None]:
        """Yield the records of an entity."""
        for number in range(COUNT):
            self.reads[name] += 1
            if name == "goods":
                yield {"slug": f"good-{number:05}"}
            else:
                good = {"slug": f"good-{COUNT - 1 - 10 * (number % 40):05}"}
                yield {"slug": f"order-{number:05}", "good": good}


def test_a_page_holds_the_first_records_and_those_that_they_refer_to() -> None:
    """However many there are, and it reads no more than it needs."""
    many = ManyRecords()
    many.sampler.run(many.read)
    goods, orders = many.sampler.samples
    first = sample.FIRST_RECORDS // 2
    assert len(orders.rows) == first
    assert orders.rows[0][0] == "order-00000"
    assert many.reads["orders"] == first + 1
    assert len(goods.rows) == first + 40
    assert goods.rows[-1] == [f"good-{COUNT - 1:05}"]
    assert all(links.keys() == {"good"} for links in orders.links)


def test_records_that_others_refer_to_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the first ones refer to."""
    monkeypatch.setattr(sample, "MOST_RECORDS", sample.FIRST_RECORDS + 10)
    many = ManyRecords()
    many.sampler.run(many.read)
    assert sum(len(entity.rows) for entity in many.sampler.samples) == sample.MOST_RECORDS


def test_records_are_bounded_by_bytes_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """One entity can't take what all are to share."""
    monkeypatch.setattr(sample, "MOST_BYTES", 10_000)
    many = ManyRecords()
    many.sampler.run(many.read)
    sizes = [len(sample.rows) for sample in many.sampler.samples]
    assert all(100 < size < 800 for size in sizes), sizes


def test_a_key_that_two_records_have_leads_nowhere() -> None:
    """A link that might be wrong is none."""
    rows = rows_of({"a": shape(name=TEXT), "b": shape(a={**ref("a"), "by": "name"})})
    records = {
        "a": [{"slug": "1", "name": "x"}, {"slug": "2", "name": "x"}, {"slug": "3", "name": "y"}],
        "b": [{"slug": "1", "a": {"name": "x"}}, {"slug": "2", "a": {"name": "y"}}],
    }
    sampler = Sampler(EntityTotal(name, rows[name], len(records[name])) for name in records)
    sampler.run(lambda name: (record for record in records[name]))
    assert sampler.samples[1].links == [{}, {"a": (0, 2)}]


def test_a_key_leads_to_its_record_whatever_the_order_of_its_fields() -> None:
    """A bundle may have been edited by hand."""
    point = {"fields": {"x": TEXT, "y": TEXT}, "key": ["x", "y"]}
    stop = {"fields": {"point": ref("points")}, "key": ["point"]}
    rows = rows_of({"points": point, "stops": stop, "lines": shape(stop=ref("stops"))})
    records: dict[str, list[Record]] = {
        "points": [{"x": "1", "y": "2"}],
        "stops": [{"point": {"x": "1", "y": "2"}}],
        "lines": [{"slug": "a", "stop": {"point": {"y": "2", "x": "1"}}}],
    }
    sampler = Sampler(EntityTotal(name, rows[name], 1) for name in records)
    sampler.run(lambda name: (record for record in records[name]))
    links_of_each = [entity.links for entity in sampler.samples]
    assert links_of_each == [[{}], [{"point": (0, 0)}], [{"stop": (1, 0)}]]
