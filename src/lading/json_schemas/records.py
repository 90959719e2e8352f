"""JSON Schemas (2020-12) of records and documents, from the shapes that describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lading.changes.rewriting.shapes import (
    UNKNOWN,
    Shape,
    Shapes,
    Written,
    is_link,
    is_owned,
    written_by,
)
from lading.json_schemas.value_forms import Schema, nullable, value_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: The hooks of marshmallow's that may write anything.
WRITING = {"pre_dump", "post_dump"}
#: What a document holds beside the lists of records.
_MEMBERS: dict[str, Schema] = {
    "version": {"type": ["string", "null"]},
    "exported_at": {"type": "string"},
    "source": {"type": ["string", "null"]},
}


def record_schema(shapes: Shapes, entity: str, version: int) -> Schema:
    """Return the schema of one record of an entity."""
    work = _Definitions(shapes)
    body = work.record(entity)
    title = f"{entity}, version {version}"
    return {"$schema": DIALECT, "title": title, **body, **work.definitions()}


def document_schema(shapes: Shapes, versions: Mapping[str, int], title: str) -> Schema:
    """Return the schema of a document: an object with a list for each entity."""
    work = _Definitions(shapes)
    lists = {name: {"type": "array", "items": work.record(name)} for name in versions}
    numbers = {name: {"const": number} for name, number in versions.items()}
    versions_schema = {"type": "object", "properties": numbers, "additionalProperties": False}
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": {**_MEMBERS, "schema_versions": versions_schema, **lists},
        "required": ["schema_versions"],
        "additionalProperties": False,
        **work.definitions(),
    }


class _Definitions:
    """Makes schemas, and the definitions of the keys that references are written by."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.keys: dict[str, Schema] = {}

    def definitions(self) -> Schema:
        """Return the definitions that were referred to, if any were."""
        return {"$defs": dict(sorted(self.keys.items()))} if self.keys else {}

    def record(self, path: str) -> Schema:
        """Return the schema of the records that a path leads to."""
        shape = self.shapes.at(path)
        if WRITING & set(shape.get("hooks", ())):
            return {"type": "object"}
        kind = shape.get("discriminator")
        kinds = _known_classes(shape)
        if kind is None or not kinds:
            return self._object(path, shape, shape["fields"])
        return {
            "type": "object",
            "oneOf": [self._of_class(path, shape, str(kind), class_name) for class_name in kinds],
        }

    def _of_class(self, path: str, shape: Shape, kind: str, class_name: Any) -> Schema:
        fields = {
            name: inner
            for name, inner in shape["fields"].items()
            if "classes" not in inner or class_name in inner["classes"]
        }
        schema = self._object(path, shape, fields)
        schema["properties"][kind] = {"const": class_name}
        return schema

    def _object(self, path: str, shape: Shape, fields: Mapping[str, Shape]) -> Schema:
        properties = {name: self._field(f"{path}.{name}", inner) for name, inner in fields.items()}
        properties |= {name: {} for name in shape.get("extra", ())}
        is_vague = not _known_classes(shape)  # nobody knows whose the fields of classes are
        must = [
            name
            for name, inner in fields.items()
            if not (inner.get("computed") or inner.get("optional"))
            and not (is_vague and "classes" in inner)
        ]
        closed = {} if shape.get("open") else {"additionalProperties": False}
        return {"type": "object", "properties": properties, "required": must, **closed}

    def _field(self, path: str, inner: Shape) -> Schema:
        if is_owned(inner):
            return {"type": "array", "items": self.record(path)}
        if is_link(inner):
            return self._link(inner)
        return value_schema(inner)

    # References

    def _link(self, inner: Shape) -> Schema:
        written = written_by(inner)
        if inner.get("flat"):
            parts = list(self.shapes.parts(written).values())
            schema = self._field("", parts[0]) if len(parts) == 1 else {}
        else:
            schema = self._key(written)
        if inner["type"] == "references":
            return {"type": "array", "items": schema}
        return nullable(schema) if inner.get("nullable") else schema

    def _key(self, written: Written) -> Schema:
        """Refer to the definition of a key, which may recur through itself."""
        entity, by = written
        name = f"key of {entity}" if by is None else f"{by} of {entity}"
        if name not in self.keys:
            parts = self.shapes.parts(written)
            if not parts:
                return {}
            self.keys[name] = {}  # so that a key which recurs finds itself
            self.keys[name] = {
                "type": "object",
                "properties": {part: self._field("", inner) for part, inner in parts.items()},
                "required": list(parts),
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{_pointer(name)}"}


def _pointer(name: str) -> str:
    """Return a definition's name as a JSON pointer in a URI has it."""
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="~")


def _known_classes(shape: Shape) -> Any:
    """Return a hierarchy's classes, unless a change gave them other names since."""
    discriminator = shape["fields"].get(shape.get("discriminator"), {})
    return None if discriminator.get("type") == UNKNOWN else shape.get("kinds")
