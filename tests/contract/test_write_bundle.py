"""``write_bundle``: a document as the bundle that an export would have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from lading import (
    ArgumentError,
    BundleError,
    ImportFailed,
    VersionError,
    export_all,
    export_document,
    verify,
    write_bundle,
)
from support.aged import pantry
from support.backends import SQLiteMemory
from support.packing import packed
from support.rewriting import entity_bytes
from support.shop import shop
from support.zoo import WORLDS


@pytest.mark.parametrize("name", WORLDS)
def test_it_is_what_an_export_writes(tmp_path: Path, name: str) -> None:
    """Byte for byte, with the same manifest but for where it comes from."""
    world = WORLDS[name]()
    with SQLiteMemory().database() as engine:
        expected = export_all(world.filled(engine), tmp_path / "b", catalog=world.catalog)
        document = export_document(engine, catalog=world.catalog)
    manifest = write_bundle(document, tmp_path / "made", catalog=world.catalog)
    assert entity_bytes(tmp_path / "made") == entity_bytes(tmp_path / "b")
    assert manifest.files == expected.files
    assert manifest.left_out.items() <= expected.left_out.items()
    assert not manifest.partial
    assert verify(tmp_path / "made", catalog=world.catalog).errors == []


def test_an_older_document_is_upgraded(tmp_path: Path) -> None:
    """As an import upgrades it."""
    old, new = pantry(1), pantry(2)
    with SQLiteMemory().database() as engine:
        document = export_document(old.filled(engine), catalog=old.catalog)
    write_bundle(document, tmp_path / "made.zip", catalog=new.catalog)
    write_bundle(document, tmp_path / "made", catalog=new.catalog)
    assert entity_bytes(tmp_path / "made") == entity_bytes(packed(new, tmp_path / "b"))
    assert verify(tmp_path / "made.zip", catalog=new.catalog)


def test_records_in_any_order_and_form_are_written_in_one(tmp_path: Path) -> None:
    """The form of an export; the date and the source are the document's."""
    tags = [{"slug": "b"}, {"slug": "a"}]
    document = {"tags": tags, "exported_at": "2025-01-31T12:00:00Z", "source": "hand"}
    manifest = write_bundle(document, tmp_path / "b", catalog=shop().catalog)
    assert manifest.partial
    assert (manifest.source, manifest.export_date.year) == ("hand", 2025)
    assert (tmp_path / "b/01_tags.json").read_text().splitlines()[1:3] == [
        '{"slug":"a"},',
        '{"slug":"b"}',
    ]
    assert tags == [{"slug": "b"}, {"slug": "a"}]
    again = write_bundle(document, tmp_path / "b", catalog=shop().catalog, overwrite="changed")
    assert again.unchanged


def test_a_document_of_some_entities_is_partial(tmp_path: Path) -> None:
    """What leads to the others is counted, as an export counts it."""
    world = shop(3)
    with SQLiteMemory().database() as engine:
        only = ["products", "tags"]
        expected = export_all(
            world.filled(engine), tmp_path / "b", catalog=world.catalog, only=only
        )
        document = export_document(engine, catalog=world.catalog, only=only)
    manifest = write_bundle(document, tmp_path / "made", catalog=world.catalog)
    assert manifest.external == expected.external
    assert manifest.files == expected.files


def test_every_problem_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    """Values, keys of two records, and references that lead nowhere."""
    world = shop(3)
    with SQLiteMemory().database() as engine:
        document = export_document(world.filled(engine), catalog=world.catalog)
    document["products"][0]["price"] = 1.5
    document["products"][1]["supplier"] = {"slug": "nobody"}
    document["products"][2]["parts"][0]["maker"] = {"slug": "nobody"}
    document["tags"].append({"slug": "dry"})
    with pytest.raises(ImportFailed) as caught:
        write_bundle(document, tmp_path / "b", catalog=world.catalog)
    problems = [(p.file, p.record, p.field) for p in caught.value.report.problems]
    assert sorted(problems, key=str) == [
        ("products", 1, "price"),
        ("products", 2, "supplier"),
        ("products", 3, "parts.maker"),
        ("tags", 3, None),
    ]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    catalog = shop().catalog
    for document, error in (
        ([], ArgumentError),
        ({}, BundleError),
        ({"tags": 5}, BundleError),
        ({"cats": []}, BundleError),
        ({"tags": [], "schema_versions": {"tags": 9}}, VersionError),
    ):
        with pytest.raises(error):
            write_bundle(document, tmp_path / "b", catalog=catalog)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
