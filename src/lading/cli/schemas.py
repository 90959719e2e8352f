"""JSON Schemas of what commands print with ``--json``."""

from __future__ import annotations

from typing import Any

import msgspec

from lading.cli.exit_codes import FailureResult, Result
from lading.cli.results import (
    BundleResult,
    CheckResult,
    DocumentResult,
    ExportResult,
    GraphResult,
    ImportResult,
    InitResult,
    InspectResult,
    LockResult,
    SealResult,
)
from lading.formats import plan_schema, verification_schema
from lading.json_schemas.records import DIALECT

PLAN, VERIFICATION, SCHEMA = "plan", "verification", "schema"
#: What each command prints: one document of one of these structs, or the lines of a file.
OUTPUTS: dict[str, tuple[type[Result] | str, ...]] = {
    "export": (ExportResult, DocumentResult),
    "import": (ImportResult, PLAN),
    "verify": (VERIFICATION,),
    "inspect": (InspectResult,),
    "diff": (PLAN,),
    "graph": (GraphResult,),
    "upgrade": (BundleResult,),
    "seal": (SealResult,),
    "lock": (LockResult,),
    "check": (CheckResult,),
    "init": (InitResult,),
    "schema": (SCHEMA,),
}
_FILES = {PLAN: plan_schema, VERIFICATION: verification_schema}


def output_schema(command: str) -> dict[str, Any]:
    """Return the JSON Schema of each line that a command prints, failures included."""
    forms = [form for form in OUTPUTS[command] if not isinstance(form, str)]
    structs = [*forms, FailureResult]
    references, definitions = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    options = list(references)
    for form in OUTPUTS[command]:
        if form == SCHEMA:
            options.append({"$ref": DIALECT})
        elif isinstance(form, str):
            options.append(_embedded(_FILES[form](), definitions))
    for definition in definitions.values():
        definition.pop("description", None)  # a docstring, for readers of the source
    return {
        "$schema": DIALECT,
        "title": f"A line of lading {command} --json",
        "anyOf": options,
        "$defs": definitions,
    }


def _embedded(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a file's schema without its definitions, which are added to others."""
    definitions |= schema.pop("$defs", {})
    schema.pop("$schema")
    return schema
