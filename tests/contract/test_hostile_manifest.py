"""Manifests that lie, with every checksum right: refused, though the records are as they were.

What a manifest alone can be wrong in, lines 17 to 30 of the list of hostile inputs, is tried
beside its reader.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from fuzz.application import Base, older
from lading import Catalog, export_all, import_all, verify
from lading.bundle.manifest import Deferred, External, FileEntry, LinkCount, Manifest
from lading.bundle.manifest_seal import sealed
from lading.bundle.shape_format import is_shape
from lading.bundle.stores.limits import MAX_FILES
from lading.errors import BundleError
from support.rewriting import rewritten

Change = Callable[[FileEntry], FileEntry]


@pytest.fixture
def path(tmp_path: Path) -> tuple[Catalog, Path]:
    """Write a bundle of things and tags."""
    engine = sa.create_engine("sqlite://")
    catalog = older(engine)
    export_all(engine, tmp_path / "b", catalog=catalog)
    return catalog, tmp_path / "b"


def refusal(found: tuple[Catalog, Path]) -> str:
    """Import the bundle into an empty database, which must be refused; return the text."""
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with pytest.raises(BundleError) as caught:
        import_all(engine, found[1], catalog=found[0])
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from tags")).scalar() == 0
    assert not verify(found[1], catalog=found[0])
    return str(caught.value)


def shaped(change: Callable[[Any], Any]) -> Change:
    """Return what changes an entry's shape."""

    def entry(found: FileEntry) -> FileEntry:
        shape = copy.deepcopy(dict(found.shape))
        change(shape)
        return replace(found, shape=shape)

    return entry


def linked(**links: LinkCount | None) -> Change:
    """Return what changes an entry's references; ``None`` takes one out."""

    def entry(found: FileEntry) -> FileEntry:
        made = {**found.references, **links}
        return replace(found, references={k: v for k, v in made.items() if v is not None})

    return entry


LIES: dict[str, tuple[Change, str]] = {
    "key": (lambda e: replace(e, natural_key=("colour",)), "natural_key: is ['colour']"),
    "no key": (lambda e: replace(e, natural_key=()), "natural_key: is []"),
    "key in both": (
        lambda e: shaped(lambda s: s.update(key=["colour"]))(replace(e, natural_key=("colour",))),
        "natural_key: is ['colour']; expected ['slug'], as the catalog declares",
    ),
    "dependency": (lambda e: replace(e, dependencies=("ghosts",)), "dependencies: is 'ghosts'"),
    "on itself": (lambda e: replace(e, dependencies=("things", "tags")), "dependencies: is 'things'"),
    "no dependency": (lambda e: replace(e, dependencies=()), "expected tags among them"),
    "reference": (linked(first=LinkCount("things", 1)), "references: is "),
    "no reference": (linked(first=None), "references: is "),
    "another reference": (linked(ghost=LinkCount("tags", 0)), "references: is "),
    "no shape": (lambda e: replace(e, shape={}), "shape: is {}; expected the shape of the records"),
    "shape without a field": (
        shaped(lambda s: s["fields"].pop("price")),
        "shape.fields.price: is None; expected the decimal that is declared, at this version",
    ),
    "shape with another field": (
        shaped(lambda s: s["fields"].update(more={"type": "text", "nullable": True})),
        "shape.fields.more: is {'type': 'text', 'nullable': True}; expected no such field",
    ),
    "type": (
        shaped(lambda s: s["fields"]["slug"].update(type="integer")),
        "shape.fields.slug.type: is 'integer'; expected 'string', as the catalog declares",
    ),
    "type of what is owned": (
        shaped(lambda s: s["fields"]["parts"]["fields"]["place"].update(type="text")),
        "shape.fields.parts.fields.place.type: is 'text'; expected 'integer'",
    ),
    "nullable": (
        shaped(lambda s: s["fields"]["colour"].update(nullable=True)),
        "shape.fields.colour: is {'type': 'enum', 'names': ['RED', 'BLUE'], 'nullable': True}",
    ),
    "more digits": (
        shaped(lambda s: s["fields"]["price"].update(precision=20)), "shape.fields.price: is {",
    ),
    "another name of an enum": (
        shaped(lambda s: s["fields"]["colour"].update(names=["RED", "PINK"])),
        "shape.fields.colour: is {",
    ),
    "target": (
        lambda e: shaped(lambda s: s["fields"]["first"].update(entity="things"))(
            linked(first=LinkCount("things", 1))(e)
        ),
        "shape.fields.first.entity: is 'things'; expected 'tags'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_an_entry_that_contradicts_itself_or_the_catalog(
    lie: str, path: tuple[Catalog, Path]
) -> None:
    """Of a bundle at the catalog's own version, whatever it says is so."""
    change, text = LIES[lie]
    rewritten(path[1], entry=lambda e: change(e) if e.entity_type == "things" else e)
    found = refusal(path)
    assert found.startswith("manifest.json, files[1].")
    assert text in found


EDGES: dict[str, tuple[dict[str, Any], str]] = {
    "deferred of none": ({"deferred": (Deferred("ghosts", "x", "tags", "update"),)}, "deferred[0]"),
    "deferred field": ({"deferred": (Deferred("things", "x", "tags", "update"),)}, "deferred[0]"),
    "deferred target": ({"deferred": (Deferred("things", "first", "x", "insert"),)}, "deferred[0]"),
    "external and whole": ({"external": (External("things", "first", "tags", 1),)}, "isn't partial"),
    "external target": (
        {"partial": True, "external": (External("things", "first", "things", 1),)},
        "external[0].references: is 'things'; expected 'tags'",
    ),
    "external count": (
        {"partial": True, "external": (External("things", "first", "tags", 5),)},
        "external[0].count: is 5; expected at most 1",
    ),
    "external field": (
        {"partial": True, "external": (External("things", "x", "tags", 1),)}, "external[0].field",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", EDGES)
def test_edges_that_are_none(lie: str, path: tuple[Catalog, Path]) -> None:
    """Deferred and external edges are references of the bundle's entities."""
    changes, text = EDGES[lie]
    rewritten(path[1], **changes)
    assert text in refusal(path)


@pytest.mark.parametrize("type_", ["", None, [], 5])
def test_a_type_without_a_name_makes_no_shape(type_: Any) -> None:
    """What an upgrade names in its errors is there to be named."""
    assert is_shape({"fields": {"a": {"type": "string"}}, "key": ["a"]})
    assert not is_shape({"fields": {"a": {"type": type_}}, "key": ["a"]})


def test_a_manifest_of_very_many_files_is_refused_at_once() -> None:
    """A list of files that nobody has is not gone through."""
    text = sealed({"version": "1.0", "files": [{}] * (MAX_FILES + 1)})
    with pytest.raises(BundleError) as caught:
        Manifest.from_bytes(text)
    assert str(caught.value) == (
        "manifest.json, files: lists 10,001 files; at most 10,000 are read. "
        "Export again, or use an undamaged copy."
    )
