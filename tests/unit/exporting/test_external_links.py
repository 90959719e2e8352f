"""Links that lead out of a partial bundle, counted from its records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from lading.bundle.manifest import External, FileEntry, LinkCount
from lading.exporting.external_links import Externals
from support.cookbook import RECIPE, cookbook
from support.small_bundle import entry_of

ENTITIES = cookbook().use()


@pytest.fixture
def links() -> Iterator[Externals]:
    """The links of a bundle of recipes, authors and tags, but of no categories."""
    made = Externals(ENTITIES, ["authors", "recipes", "tags"])
    yield made
    made.close()


def note(links: Externals, **records: list[dict[str, Any]]) -> None:
    """Note records by their entity."""
    for entity, items in records.items():
        for record in items:
            links.note(ENTITIES[entity], record)


def files(**references: str) -> list[FileEntry]:
    """Return the entry of recipes, with so many links by path and entity."""
    entry = entry_of(b"", 1, "recipes.json", "recipes")
    return [replace(entry, references={path: LinkCount(to, 9) for path, to in references.items()})]


ALL = {"author_slug": "authors", "tags": "tags", "steps.tag": "tags", "category": "categories"}


def test_links_without_a_target_in_the_bundle_are_counted(links: Externals) -> None:
    """By their path, flat and nested, at any depth."""
    note(links, recipes=[RECIPE, {**RECIPE, "slug": "two"}], tags=[{"slug": "old"}])
    found = list(links.links_outside(files(**ALL), []))
    assert [(item.field, item.references, item.count) for item in found] == [
        ("author_slug", "authors", 2),
        ("tags", "tags", 2),
        ("steps.tag", "tags", 2),
        ("category", "categories", 2),
    ]


def test_links_whose_targets_are_there_are_none(links: Externals) -> None:
    """In whatever order the records come."""
    tags = [{"slug": slug} for slug in ("old", "plain", "hot")]
    note(links, authors=[{"slug": "ann"}], recipes=[RECIPE], tags=tags)
    found = list(links.links_outside(files(author_slug="authors", tags="tags"), []))
    assert found == []


def test_a_null_link_leads_nowhere(links: Externals) -> None:
    """So it doesn't lead outside."""
    note(links, recipes=[{**RECIPE, "author_slug": None, "tags": [], "steps": []}])
    found = list(links.links_outside(files(author_slug="authors", tags="tags"), []))
    assert found == []


def test_what_records_can_not_tell_is_as_the_bundle_said(links: Externals) -> None:
    """Of references to owned rows, say."""
    before = [External("recipes", "unknown", "steps", 3)]
    assert list(links.links_outside(files(unknown="steps", other="steps"), before)) == [
        External("recipes", "unknown", "steps", 3)
    ]
