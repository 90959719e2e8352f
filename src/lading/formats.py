"""JSON Schemas of the files whose form is fixed: a manifest, an entity file, and a lock.

The members are those of the frozen values that the files are read into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lading.bundle.manifest import (
    DEFERRALS,
    FEATURES,
    FORMAT_VERSION,
    Deferred,
    External,
    FileEntry,
    Links,
    Manifest,
)
from lading.bundle.validation import DIGEST, INSTANT, LARGEST
from lading.filenames import LONGEST_NAME
from lading.json_schemas.records import DIALECT
from lading.locking.lock_file import LOCK_VERSION, Golden, Lock, Seal, Waiver

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]*$"}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": LARGEST}
NUMBER: Schema = {**COUNT, "minimum": 1}
SHA256: Schema = {"type": "string", "pattern": f"^{DIGEST.pattern}$"}
MOMENT: Schema = {"type": "string", "pattern": f"^{INSTANT.pattern}$"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _by_name(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _object(members: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": dict(members),
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def _of(kind: Any, members: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of a frozen value, in the order of its members."""
    order = [item.name for item in fields(kind) if item.name in members]
    return _object({name: members[name] for name in order}, optional=optional)


_FIELD: Schema = {
    "type": "object",
    "properties": {
        "type": NAME,
        "nullable": {"type": "boolean"},
        "fields": {"$ref": "#/$defs/fields"},
    },
    "required": ["type"],
}
_SHAPE: Schema = {
    "type": "object",
    "properties": {"fields": {"$ref": "#/$defs/fields"}, "key": _list(NAME)},
    "required": ["fields", "key"],
}
_DEFINITIONS: Schema = {
    "shape": _SHAPE,
    "fields": _by_name({"$ref": "#/$defs/field"}),
    "field": _FIELD,
}
_TO_SHAPE: Schema = {"$ref": "#/$defs/shape"}

_EDGE: dict[str, Schema] = {"entity": NAME, "field": NAME, "references": NAME}
_FILE: dict[str, Schema] = {
    "filename": {**NAME, "maxLength": LONGEST_NAME},
    "entity_type": NAME,
    "record_count": COUNT,
    "sha256": SHA256,
    "bytes": COUNT,
    "dependencies": _list(NAME),
    "import_order": NUMBER,
    "schema_version": NUMBER,
    "natural_key": _list(NAME),
    "references": _by_name(_of(Links, {"entity": NAME, "count": COUNT})),
    "shape": _TO_SHAPE,
}
_MANIFEST: dict[str, Schema] = {
    "version": {"const": FORMAT_VERSION},
    "export_date": MOMENT,
    "source": MAYBE_TEXT,
    "catalog": TEXT,
    "lading_version": TEXT,
    "requires": _list({"enum": sorted(FEATURES)} if FEATURES else {"not": {}}),
    "partial": {"type": "boolean"},
    "left_out": _by_name(MAYBE_TEXT),
    "external": _list(_of(External, {**_EDGE, "count": COUNT})),
    "snapshot": TEXT,
    "files": _list(_of(FileEntry, _FILE)),
    "deferred": _list(_of(Deferred, {**_EDGE, "by": {"enum": list(DEFERRALS)}})),
    "content_sha256": SHA256,
}
# Absent where they are empty.
_MANIFEST_OPTIONAL: dict[str, Schema] = {
    "brought_back": _by_name(NUMBER),
    "rounded": _by_name(NUMBER),
}
_WAIVER: dict[str, Schema] = {"rule": TEXT, "path": TEXT, "reason": TEXT}
_SEAL: dict[str, Schema] = {
    "number": NUMBER,
    "versions": _by_name(NUMBER),
    "shapes": _by_name(_TO_SHAPE),
    "golden": _of(Golden, {"file": NAME, "sha256": SHA256}),
    "waived": _list(_of(Waiver, _WAIVER)),
    "sha256": SHA256,
}
_LOCK: dict[str, Schema] = {
    "catalog": TEXT,
    "seals": {**_list(_of(Seal, _SEAL)), "minItems": 1},
    "waivers": _list(_object(_WAIVER, optional=("reason",))),
}


def manifest_schema() -> Schema:
    """Return the JSON Schema of a bundle's ``manifest.json``."""
    members = {**_MANIFEST, **_MANIFEST_OPTIONAL}
    body = _of(Manifest, members, optional=tuple(_MANIFEST_OPTIONAL))
    body["properties"]["manifest_sha256"] = SHA256
    body["required"].append("manifest_sha256")
    return _titled("The manifest of a bundle", body)


def lock_schema() -> Schema:
    """Return the JSON Schema of a lock, ``lading.lock.json``."""
    body = _of(Lock, _LOCK)
    body["properties"] = {"version": {"const": LOCK_VERSION}, **body["properties"]}
    body["required"].insert(0, "version")
    return _titled("A lock of a catalog's shapes", body)


def entity_file_schema(
    entity: str | None = None, version: int | None = None, record: Schema | None = None
) -> Schema:
    """Return the JSON Schema of an entity file: of any, or of one with records of a schema.

    ``record`` is what ``json_schema`` returns for the entity.
    """
    inner = dict(record or {"type": "object"})
    inner.pop("$schema", None)
    definitions = inner.pop("$defs", None)
    body = _object(
        {
            "entity_type": NAME if entity is None else {"const": entity},
            "schema_version": NUMBER if version is None else {"const": version},
            "records": _list(inner),
        }
    )
    made = {"$schema": DIALECT, "title": f"The file of {entity or 'an entity'}", **body}
    return made if definitions is None else {**made, "$defs": definitions}


def _titled(title: str, body: Schema) -> Schema:
    return {"$schema": DIALECT, "title": title, **body, "$defs": _DEFINITIONS}
