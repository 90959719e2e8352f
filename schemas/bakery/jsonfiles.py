"""Writes the JSON Schemas of the bakery's records, and of the files that are around them.

``python -m bakery.jsonfiles`` brings them up to date, with this folder's parent on the path;
a test says when that is needed.
"""

import json
from pathlib import Path
from typing import Any

from lading import import_order, json_schema
from lading.formats import (
    entity_file_schema,
    lock_schema,
    manifest_schema,
    plan_schema,
    verification_schema,
)

from .catalog import bakery

HERE = Path(__file__).parent


def json_files() -> dict[Path, str]:
    """Return what each file must hold: records of every entity as they are today, and formats."""
    schemas = {HERE / "json" / name: json_schema(bakery, name) for name in import_order(bakery)}
    formats = HERE.parent / "json"
    schemas[formats / "manifest"] = manifest_schema()
    schemas[formats / "entity_file"] = entity_file_schema()
    schemas[formats / "lock"] = lock_schema()
    schemas[formats / "plan_line"] = plan_schema()
    schemas[formats / "verification"] = verification_schema()
    return {path.with_suffix(".schema.json"): _text(schema) for path, schema in schemas.items()}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write them all, and remove those of entities that there are no more."""
    files = json_files()
    for folder in {path.parent for path in files}:
        folder.mkdir(exist_ok=True)
        for path in set(folder.glob("*.schema.json")) - files.keys():
            path.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
