"""The bakery's lock, goldens and JSON Schemas: what lies beside its schemas is current."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator

from bakery import Base, bakery
from bakery.jsonfiles import json_files
from bakery.releases import RELEASES, TODAY
from lading import Catalog, check, export_document, import_document, json_schema
from support.aged_bakery import OLDER, bundle_at, catalog_at
from support.backends import SQLiteMemory
from support.bakery_lock import FOLDER, LOCK, write_lock
from support.earlier import earlier

GOLDENS = {
    label: json.loads((FOLDER / f"goldens/{number}.json").read_bytes())
    for number, label in enumerate(RELEASES, 1)
}


def bakery_with(table: str, *columns: sa.Column[Any]) -> Catalog:
    """Return today's bakery with columns that nobody counted a version up for."""
    tables = {table: {column.name: column for column in columns}}
    return earlier(bakery, Base.metadata, RELEASES[TODAY], tables, {}).catalog


def test_nothing_drifted() -> None:
    """The schemas are what was sealed, all changes lead there, and so does a faithful copy."""
    found = check(bakery, FOLDER / LOCK)
    assert not found, "\n\n".join(map(str, found))
    assert check(bakery_with("recipes"), FOLDER / LOCK) == []


@pytest.mark.parametrize("table", ["recipes", "products", "production_runs", "events"])
def test_a_column_without_a_version_is_found(table: str) -> None:
    """Whether the entity has changes already or none, with the change that it needs."""
    edited = bakery_with(table, sa.Column("colour", sa.String(20), nullable=False))
    found = check(edited, FOLDER / LOCK)
    assert {finding.path.split(".")[0] for finding in found} == {table}
    assert {finding.rule for finding in found} == {"VERSION_NOT_COUNTED_UP", "FIELD_ADDED"}
    assert any(f'Add("{table}", "colour"' in str(finding) for finding in found)


def test_the_lock_is_what_the_releases_sealed(tmp_path: Path) -> None:
    """Sealing all of them again, each by its own declarations, gives the same bytes.

    If it doesn't: ``make generated``, and look at the difference before it is committed.
    """
    write_lock(tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.json")}
    kept = [FOLDER / LOCK, *(FOLDER / "goldens").iterdir()]
    assert {path.relative_to(FOLDER): path.read_bytes() for path in kept} == made


def telling_of(document: dict[str, Any], entity: str) -> set[tuple[str, str]]:
    """Yield what records show: fields with a value, and null ones, at both levels."""
    shown = set()
    for record in document[entity]:
        for name, value in record.items():
            shown.add((name, "null" if value is None else "value" if value else "empty"))
            for item in value if isinstance(value, list) else ():
                shown |= {(f"{name}.{key}", "null") for key in item if item[key] is None}
    return shown


@pytest.mark.parametrize("label", RELEASES)
def test_goldens_tell_much(label: str) -> None:
    """Every entity has records, with owned rows and without, and nulls and values of one field."""
    document = GOLDENS[label]
    assert document["schema_versions"] == RELEASES[label]
    assert all(document[name] for name in RELEASES[label])
    for entity in ("production_runs", "recipes", "ingredients", "inventory_items", "purchases"):
        shown = telling_of(document, entity)
        assert {name for name, what in shown if what == "null"}
    event = "event" if label == TODAY else "event_name"
    runs = telling_of(document, "production_runs")
    assert {(event, "null"), (event, "value"), ("consumptions", "value")} <= runs
    if label != "1.0":
        assert {("losses", "value"), ("losses", "empty")} <= runs


def loaded(label: str) -> dict[str, set[str]]:
    """Load a release's golden records into an empty database; return what today writes of them."""
    with SQLiteMemory().database(Base.metadata) as engine:
        import_document(engine, GOLDENS[label], catalog=bakery)
        made = export_document(engine, catalog=bakery)
    return {name: {json.dumps(record) for record in made[name]} for name in RELEASES[TODAY]}


def test_goldens_become_goldens() -> None:
    """Each release's, with all links, are found among those of the next one."""
    found = {label: loaded(label) for label in RELEASES}
    for older, newer in pairwise(found.values()):
        for name, records in older.items():
            assert records
            assert records <= newer[name]


# JSON Schemas


def test_json_schemas_are_current() -> None:
    """Each file is there and says what the schemas say today, and there is no other."""
    files = json_files()
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, "run `make generated`"
    assert {path for one in {path.parent for path in files} for path in one.iterdir()} == {*files}


def schema_at(name: str, folder: Path = FOLDER) -> Draft202012Validator:
    """Return the validator of a JSON Schema as it is kept."""
    schema = json.loads((folder / "json" / f"{name}.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_a_season_is_as_its_json_schemas_say(tmp_path: Path) -> None:
    """Manifest, files and every record, by a validator that isn't ours; and the lock as well."""
    path = bundle_at(TODAY, tmp_path / "season")
    manifest = json.loads((path / "manifest.json").read_bytes())
    schema_at("manifest", FOLDER.parent).validate(manifest)
    assert len(manifest["files"]) == len(RELEASES[TODAY])
    for entry in manifest["files"]:
        whole = json.loads((path / entry["filename"]).read_bytes())
        schema_at("entity_file", FOLDER.parent).validate(whole)
        records = schema_at(entry["entity_type"])
        for record in whole["records"]:
            records.validate(record)
            assert not records.is_valid({**record, "colour": "red"})
    schema_at("lock", FOLDER.parent).validate(json.loads((FOLDER / LOCK).read_bytes()))


@pytest.mark.parametrize("label", OLDER)
def test_goldens_are_as_the_schemas_of_their_release_say(label: str) -> None:
    """By the lock, today's catalog knows how records of former versions were written."""
    older = [name for name, n in RELEASES[label].items() if n != RELEASES[TODAY][name]]
    assert older
    for name in older:
        version = RELEASES[label][name]
        schema = json_schema(bakery, name, version, lock=FOLDER / LOCK)
        assert schema == json_schema(catalog_at(label), name)
        for record in GOLDENS[label][name]:
            Draft202012Validator(schema).validate(record)
