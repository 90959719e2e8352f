"""`lading graph`, and the pages of `inspect`."""

from __future__ import annotations

import json
from pathlib import Path

from cli.conftest import query
from support.html_pages import data_of

LAYERS = """\
layer 1
  1 suppliers  (key slug)

layer 2
  2 products  (key slug)
      --> suppliers: supplier (optional)
"""


def test_a_database_is_drawn_as_text(run, shop) -> None:
    """It is the first format, and is printed."""
    assert run("graph", shop).stdout.endswith(LAYERS)


def test_a_bundle_is_drawn_without_a_catalog(run, shop) -> None:
    """Its manifest has everything, and counts as well."""
    run("export", shop, "backup")
    text = run("graph", "backup").stdout
    assert "2 products  (key slug; 3 records)" in text
    assert text.replace("; 3 records", "").replace("; 2 records", "").endswith(LAYERS)


def test_a_catalog_is_drawn_without_a_database(run, shop, monkeypatch) -> None:
    """Where nothing else is said; DATABASE_URL is taken where there is no catalog."""
    monkeypatch.setenv("DATABASE_URL", shop)
    assert run("graph").stdout.endswith(LAYERS)
    assert run("graph", "--catalog", "bakery:bakery").stdout.startswith("bakery: 22 entities")
    monkeypatch.delenv("DATABASE_URL")
    assert "expected a database's URL" in run("graph", code=2).stderr


def test_a_picture_is_written_to_a_file(run, shop, folder: Path) -> None:
    """Around an entity, in any format; the file is replaced."""
    (folder / "p.svg").write_text("old")
    args = ("--format", "svg", "--around", "suppliers", "--depth", "0", "--output", "p.svg")
    assert run("graph", shop, *args).stdout == ""
    svg = (folder / "p.svg").read_text()
    assert svg.startswith("<?xml")
    assert "1 more not shown" in svg
    assert "products" not in svg
    assert "digraph" in run("graph", shop, "--format", "dot").stdout
    assert "flowchart" in run("graph", shop, "--format", "mermaid").stdout
    assert "written" in run("graph", shop, "--output", "no/such/file", code=3).stderr


def test_an_entity_that_is_not_there_is_wrong_usage(run, shop) -> None:
    """The message names the ones that are."""
    assert "expected one of: products" in run("graph", shop, "--around", "product", code=2).stderr


def test_json_has_the_whole_graph(run, shop) -> None:
    """Entities in import order, and their references."""
    graph = json.loads(run("graph", shop, "--json").stdout)
    assert [entity["entity"] for entity in graph["entities"]] == ["suppliers", "products"]
    assert graph["references"] == [
        {
            "source": "products", "target": "suppliers", "fields": ["supplier"],
            "form": "optional", "deferred": False,
        }
    ]  # fmt: skip


def test_inspect_writes_a_page_beside_its_text(run, shop, folder: Path) -> None:
    """Of a database and of a bundle alike."""
    text = run("inspect", shop).stdout
    assert run("inspect", shop, "--html", "of_database.html").stdout == text
    run("export", shop, "backup")
    run("inspect", "backup", "--html", "of_bundle.html")
    for name in ("of_database.html", "of_bundle.html"):
        suppliers, products = data_of((folder / name).read_text())["entities"]
        assert (len(suppliers["rows"]), len(products["rows"])) == (2, 3)
        assert products["links"].count({}) == 1
    assert run("inspect", shop, "--html", "-").stdout == (folder / "of_database.html").read_text()


def test_a_dry_run_and_a_diff_write_pages(run, shop, empty, folder: Path) -> None:
    """Beside their text; the exit code is the same, and nothing is imported."""
    run("export", shop, "backup")
    text = run("import", empty, "backup", "--dry-run", code=1).stdout
    assert run("import", empty, "backup", "--html", "plan.html", code=1).stdout == text
    assert query(empty, "SELECT count(*) FROM products") == [(0,)]
    plan = data_of((folder / "plan.html").read_text())
    assert plan["title"] == "import plan: 5 inserted"
    assert plan["facts"][0] == ["of", f"backup into {empty}"]
    run("diff", shop, empty, "--html", "diff.html", code=1)
    assert data_of((folder / "diff.html").read_text())["parts"][0]["total"] == 5
    printed = run("diff", shop, empty, "--html", "-", code=1).stdout
    assert printed == (folder / "diff.html").read_text()
    assert "not both" in run("diff", shop, empty, "--html", "-", "--plan", "-", code=2).stderr


def test_a_depth_without_a_middle_is_refused(run, shop) -> None:
    """It would be ignored otherwise."""
    assert "--depth is for --around" in run("graph", shop, "--depth", "2", code=2).stderr
