"""Writes the bakery's lock as its releases did: each sealed in its turn, by its own declarations.

``python -m support.bakery_lock`` writes it where it belongs.  The goldens are a few records of
the season that tell most: of each entity, and of each field that may be null, both ways.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bakery
from bakery.releases import RELEASES, TODAY
from lading import ClosureWarning, export_document, lock
from support.aged_bakery import catalog_at, season, season_at

FOLDER = Path(bakery.__file__).parent
LOCK = "lading.lock.json"


def write_lock(folder: Path) -> Path:
    """Seal every release, the oldest first, into an empty folder; return the lock's path."""
    known: dict[str, set[int]] = {}
    before: dict[str, int] = {}
    for label, versions in RELEASES.items():
        changed = [name for name in versions if versions[name] != before.get(name)]
        golden = telling(label, changed, known)
        lock(catalog_at(label), folder / LOCK, goldens=golden)
        before = versions
    return folder / LOCK


def telling(label: str, entities: list[str], known: dict[str, set[int]]) -> dict[str, Any]:
    """Return a document of a few records of these entities, and of what they refer to.

    ``known`` are the rows that earlier releases told of; these are passed over, and the new
    ones are added.
    """
    engine = season(label) if label == TODAY else season_at(label)
    catalog = catalog_at(label)
    whole = export_document(engine, catalog=catalog, include_ids=True)
    classes = {schema.Meta.model.__table__.name: schema.Meta.model for schema in catalog.schemas}
    chosen = {}
    for name in entities:
        seen = known.setdefault(name, set())
        fresh = [record for record in whole[name] if record["id"] not in seen]
        chosen[name] = {record["id"] for record in few(fresh)}
    where = {name: classes[name].id.in_(ids) for name, ids in chosen.items()}
    part: Any = {"catalog": catalog, "only": entities, "where": where, "closure": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClosureWarning)  # that what is chosen needs more is meant
        found = export_document(engine, **part, include_ids=True)
        written = export_document(engine, **part)
    for name in found["schema_versions"]:
        known.setdefault(name, set()).update(record["id"] for record in found[name])
    engine.dispose()
    return written


def few(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as few records as show all that any of them shows, the most telling first."""
    shown = [set(traits(record)) for record in records]
    found, missing = [], set().union(*shown)
    while missing:
        best = max(range(len(records)), key=lambda n: len(shown[n] & missing))
        found.append(records[best])
        missing -= shown[best]
    return found


def traits(record: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield, by field, whether it is null, empty or false, at every level of owned records."""
    for name, value in record.items():
        yield f"{path}{name}", "there" if value else repr(value)
        if isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from traits(item, f"{path}{name}.")


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        write_lock(Path(made))
        shutil.rmtree(FOLDER / "goldens", ignore_errors=True)
        shutil.copytree(made, FOLDER, dirs_exist_ok=True)
