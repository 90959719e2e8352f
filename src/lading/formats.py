"""JSON Schemas of files of a fixed form: manifests, entity files, locks, plans and evidence.

Those of a manifest, a lock and evidence come from the structs that the files are read into.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lading.bundle.manifest import ManifestFields
from lading.bundle.shape_format import ShapeFormat
from lading.bundle.validation import Digest, Name, Number
from lading.json_schemas.records import DIALECT
from lading.locking.lock_file import LOCK_VERSION, Lock
from lading.options import check_mapping, check_number, check_text
from lading.planning.file_format import ChangeLine, PlanHeader, SealedSummary
from lading.verifying.verification import EvidenceFormat

Schema = dict[str, Any]


def manifest_schema() -> Schema:
    """Describe a bundle's ``manifest.json``.

    Returns:
        The JSON Schema.
    """
    body = _of_struct("The manifest of a bundle", ManifestFields)
    body["properties"]["manifest_sha256"] = msgspec.json.schema(Digest)
    body["required"].append("manifest_sha256")
    return body


def plan_schema() -> Schema:
    """Describe each line of a plan's file: header, change or summary.

    Returns:
        The JSON Schema.
    """
    structs = (PlanHeader, ChangeLine, SealedSummary)
    definitions = _definitions(*structs)
    header = definitions[PlanHeader.__name__]
    header["required"] = list(header["properties"])
    return {
        "$schema": DIALECT,
        "title": "A line of an import plan or a diff",
        "oneOf": [{"$ref": f"#/$defs/{struct.__name__}"} for struct in structs],
        "$defs": definitions,
    }


def lock_schema() -> Schema:
    """Describe a lock, ``lading.lock.json``.

    Returns:
        The JSON Schema.
    """
    body = _of_struct("A lock of a catalog's shapes", Lock)
    body["properties"] = {"version": {"const": LOCK_VERSION}, **body["properties"]}
    body["required"].insert(0, "version")
    return body


def verification_schema() -> Schema:
    """Describe the evidence that ``Verification.write`` leaves.

    Returns:
        The JSON Schema.
    """
    return _of_struct("What a verification of a bundle found", EvidenceFormat)


def entity_file_schema(
    entity: str | None = None, version: int | None = None, record: Schema | None = None
) -> Schema:
    """Describe an entity file: any, or one with records of a schema.

    Args:
        entity: The entity's name; by default any.
        version: The version of its records; by default any.
        record: What ``json_schema`` returns for the entity; by default any object.

    Returns:
        The JSON Schema.

    Raises:
        ArgumentError: An argument is of another type.
    """
    check_text("entity", entity)
    check_number("version", version)
    if record is not None:
        check_mapping("record", record, "the JSON Schema of a record")
    inner = dict(record or {"type": "object"})
    inner.pop("$schema", None)
    definitions = inner.pop("$defs", None)
    members = {
        "entity_type": msgspec.json.schema(Name) if entity is None else {"const": entity},
        "schema_version": msgspec.json.schema(Number) if version is None else {"const": version},
        "records": {"type": "array", "items": inner},
    }
    return {
        "$schema": DIALECT,
        "title": f"The file of {entity or 'an entity'}",
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
        **({} if definitions is None else {"$defs": definitions}),
    }


def _of_struct(title: str, struct: type[msgspec.Struct]) -> Schema:
    """Return the schema of a file that is read into a struct, whose shapes are as shapes are."""
    types = (struct, ShapeFormat)
    definitions = _definitions(*types)
    body = {**definitions.pop(struct.__name__), "title": title}
    return {"$schema": DIALECT, **body, "$defs": definitions}


def _definitions(*structs: type[msgspec.Struct]) -> Schema:
    _, definitions = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        definition.pop("description", None)  # a docstring, for readers of the source
    return definitions
