"""What a manifest says of entities: files, order, links, shapes and deferred references."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog
from lading.bundle.manifest import Deferred, LinkCount
from lading.exporting.manifest_builder import Contents
from lading.mapping.load_order import load_order_of
from support.cookbook import cookbook
from support.declaring import catalog_of, new_base, table


def contents(catalog: Catalog, *names: str, ids: bool = False) -> Contents:
    """Return the contents of a bundle of some entities, or of all."""
    entities = catalog.use()
    order = load_order_of(entities)
    return Contents(entities, order, names or order.entities, ids=ids)


def file_of(entity: str, count: int) -> Any:
    """Return what a writer says of a file that it has written."""
    return SimpleNamespace(
        filename=f"{entity}.json",
        entity_type=entity,
        record_count=count,
        sha256="0" * 64,
        bytes=120,
    )


def manifest(built: Contents, **more: Any) -> Any:
    """Return a manifest of no files."""
    options: dict[str, Any] = {
        "source": None,
        "partial": False,
        "left_out": {},
        "external": [],
        "snapshot": "serializable",
        "brought_back": {},
        "rounded": {},
        "revisions": (),
    }
    return built.manifest([], **{**options, **more})


@pytest.mark.parametrize(("count", "first"), [(3, "01_"), (99, "01_"), (100, "001_")])
def test_files_are_numbered_in_the_order_of_loading(count: int, first: str) -> None:
    """With as many digits as the last one needs, and two at least."""
    built = contents(cookbook())
    built.names = [f"e{number}" for number in range(count)]
    assert built.filename("e0") == f"{first}e0.json"
    assert built.filename(f"e{count - 1}") == f"{count:0{len(first) - 1}}_e{count - 1}.json"


def test_an_entry_says_what_its_file_holds() -> None:
    """With the links that were counted; the others are none."""
    built = contents(cookbook())
    entry = built.entry(file_of("recipes", 5), {"tags": 7})
    assert (entry.import_order, entry.schema_version, entry.natural_key) == (4, 1, ("slug",))
    assert (entry.record_count, entry.bytes) == (5, 120)
    assert entry.dependencies == ("authors", "categories", "tags")
    assert dict(entry.references) == {
        "author_slug": LinkCount("authors", 0),
        "category": LinkCount("categories", 0),
        "tags": LinkCount("tags", 7),
        "steps.tag": LinkCount("tags", 0),
    }
    assert "ids" not in entry.shape


def test_a_part_names_what_it_holds_alone() -> None:
    """Dependencies and numbers are those of the bundle; ids are said."""
    built = contents(cookbook(), "authors", "recipes", ids=True)
    entry = built.entry(file_of("recipes", 0), {})
    assert (entry.import_order, entry.dependencies) == (2, ("authors",))
    assert entry.shape["ids"] is True


def test_references_that_are_set_later_are_deferred() -> None:
    """By an update, or with rows that are inserted later."""
    base = new_base()
    head = mapped_column(sa.ForeignKey("people.id", use_alter=True))
    team = mapped_column(sa.ForeignKey("teams.id"), nullable=False)
    teams = table(base, "teams", head_id=head)
    catalog = catalog_of(teams, table(base, "people", team_id=team))
    assert manifest(contents(catalog)).deferred == (Deferred("teams", "head", "people", "update"),)
    assert manifest(contents(catalog, "teams")).deferred == ()


def test_links_to_their_own_entity_are_deferred() -> None:
    """Both ends must be there; so must be what owned rows of a list refer to."""
    base = new_base()
    link = sa.Table(
        "links",
        base.metadata,
        sa.Column("one_id", sa.ForeignKey("dishes.id"), primary_key=True),
        sa.Column("other_id", sa.ForeignKey("dishes.id"), primary_key=True),
    )
    dish = table(base, "dishes")
    dish.others = relationship(
        dish,
        secondary=link,
        primaryjoin=dish.id == link.c.one_id,
        secondaryjoin=dish.id == link.c.other_id,
    )
    catalog = catalog_of(dish)
    assert manifest(contents(catalog)).deferred == (
        Deferred("dishes", "others", "dishes", "insert"),
    )


def test_a_manifest_is_of_its_catalog() -> None:
    """And says what it was told."""
    built = manifest(contents(cookbook()), source="x", partial=True, rounded={"a.b": 2})
    assert (built.catalog, built.source, built.partial) == ("cookbook", "x", True)
    assert dict(built.rounded) == {"a.b": 2}
    assert built.files == ()
