"""Golden records: made, upgraded in memory, and held against what a catalog declares."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import marshmallow as ma

from lading.bundle import with_bundle
from lading.catalog import Catalog
from lading.errors import BundleError, DeclarationError, LadingError, TargetError
from lading.importing.bundle_payload import BundlePayload
from lading.importing.document_payload import DocumentPayload
from lading.locking.samples import sample_records
from lading.mapping.fields import schema_of
from lading.messages import Message
from lading.model.entities import RESERVED_NAMES, Entities
from lading.model.ordering import key_order
from lading.model.rowsets import Children, RowSet, Value
from lading.records.marshmallow_path import canonical_record, dumped, needs_marshmallow
from lading.report import BREAKING, NEEDS_CHANGE, Finding, Problem
from lading.scratch.sort import CHUNK
from lading.values.json_text import json_text, parse_json, plain_json_text

#: What to do where the record is to blame.
UNREAL = "If no real record looks like this one, waive the finding."
Records = dict[str, list[Any]]


def upgraded(
    catalog: Catalog, document: Mapping[str, Any], shapes: Mapping[str, Any] | None = None
) -> tuple[Records, list[Problem]]:
    """Return a document's records in their newest form, and what can't be upgraded.

    ``shapes`` are those that it was sealed with, if it was.  Raises ``LadingError`` for a
    document that no changes lead on from.
    """
    return _read(catalog, DocumentPayload(document, shapes))


def golden_records(catalog: Catalog, goldens: Any) -> Records:
    """Return the records of a document or a bundle, in their newest form.

    Raises ``BundleError`` for records that don't load, ``LadingError`` for the payload.
    """
    if isinstance(goldens, str | os.PathLike):
        records, problems = with_bundle(
            goldens, lambda reader: _read(catalog, BundlePayload(reader))
        )
    else:
        records, problems = upgraded(catalog, goldens)
    for problem in problems:
        raise BundleError(
            problem.text, "Correct the record.", file=problem.file, record=problem.record
        )
    for name, number, text in faults(catalog.use(), records):
        raise BundleError(
            Message("golden-unreadable", f"can't be loaded: {text}"),
            "Correct the record.",
            entity=name,
            record=number,
        )
    return records


def _read(
    catalog: Catalog, payload: BundlePayload | DocumentPayload
) -> tuple[Records, list[Problem]]:
    with closing(payload):
        payload.check(catalog)
        problems: list[Problem] = []
        records = {
            name: [
                parse_json(line)
                for block in payload.blocks(name, CHUNK, problems.append)
                for line in block.records
            ]
            for name in payload.names
        }
        return records, payload.located(problems)


def golden_document(
    catalog: Catalog, former: Records, more: Records | None, dropped: set[str]
) -> dict[str, Any]:
    """Return the document of a new seal: former records, and records with new keys.

    Args:
        catalog: The catalog that is sealed.
        former: The last seal's records, upgraded.
        more: Records to add; without them, entities that have no record get generated ones.
        dropped: The entities whose former records may be left out where they don't load.

    Raises:
        DeclarationError: No record can be generated for an entity.
    """
    entities = catalog.use()
    standing = {name: list(former.get(name, ())) for name in entities.roots}
    bad = {(name, number) for name, number, _ in faults(entities, standing) if name in dropped}
    for name in dropped & standing.keys():
        standing[name] = [
            record for n, record in enumerate(standing[name], 1) if (name, n) not in bad
        ]
    additions = _made_up(entities, standing) if more is None else more
    records = {
        name: _joined(entities[name], standing[name], additions.get(name, [])) for name in standing
    }
    versions = {name: rows.version for name, rows in entities.roots.items()}
    return {"schema_versions": versions, **records}


def _joined(rows: RowSet, former: list[Any], more: list[Any]) -> list[Any]:
    """Add the records of new keys, in key order."""
    schema = schema_of(rows)

    def key(record: Any) -> bytes:
        try:
            return _key_text(rows, canonical_record(rows, schema.load(record)))
        except Exception:  # it doesn't load, or hooks may raise anything
            return json_text([record.get(name) for name in rows.key_names])

    known = {key(record) for record in former}
    joined = [*former, *(record for record in more if key(record) not in known)]
    try:
        return sorted(joined, key=lambda record: key_order(rows.key, record))
    except Exception:  # hooks may write a key in any form
        return joined


def _key_text(rows: RowSet, record: Any) -> bytes:
    """Return a record's key as text, which equal keys share in canonical form alone."""
    return json_text([record[part.written] for part in rows.key])


def _made_up(entities: Entities, known: Records) -> Records:
    """Return made-up records as an export would write them."""
    canonical = {name: _canonical(entities[name], records) for name, records in known.items()}
    samples = sample_records(entities, canonical)
    mistakes = []
    for name, records in samples.items():
        rows = entities[name]
        if known.get(name):
            samples[name] = []
            continue
        try:
            samples[name] = _written(rows, records)
        except TargetError as error:
            mistakes.append(f"{error}; or give lock(..., goldens=...) records of yours")
    for name, number, text in faults(entities, samples):
        mistakes.append(
            f"{entities[name].schema.__name__}: made-up record {number} isn't accepted ({text}); "
            "give lock(..., goldens=...) records of yours"
        )
    if mistakes:
        raise DeclarationError("goldens-needed", mistakes)
    return samples


def _canonical(rows: RowSet, records: list[Any]) -> list[Any]:
    schema = schema_of(rows)
    return [canonical_record(rows, schema.load(record)) for record in records]


def _written(rows: RowSet, records: list[Any]) -> list[Any]:
    """Pass records through the application's own code, where there is any."""
    if not needs_marshmallow(rows):
        return records
    lines = [plain_json_text(_with_computed(rows, record)) for record in records]
    written = [parse_json(line) for line in dumped(rows, lines)]
    return [_without_computed(rows, record) for record in written]


def _with_computed(rows: RowSet, record: Any) -> Any:
    """Add nulls for what only a database could compute, as a dump asks for them."""
    completed = dict(record)
    for member in rows.members_of(record):
        if isinstance(member, Value) and not member.writable:
            completed[member.written] = None
        elif isinstance(member, Children):
            completed[member.written] = [
                _with_computed(member.rows, child) for child in record[member.written]
            ]
    return completed


def _without_computed(rows: RowSet, record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    computed = {value.written for value in rows.values if not value.writable}
    fields = {name: field for name, field in record.items() if name not in computed}
    for child in rows.children:
        items = fields.get(child.written)
        if isinstance(items, list):
            fields[child.written] = [_without_computed(child.rows, field) for field in items]
    return fields


def faults(entities: Entities, records: Mapping[str, list[Any]]) -> Iterator[tuple[str, int, str]]:
    """Yield each record that its schema doesn't load: entity, number from 1, and why."""
    for name, records_of_entity in records.items():
        if name in RESERVED_NAMES or name not in entities.roots:
            continue
        rows = entities[name]
        schema = schema_of(rows)
        keys: dict[bytes, int] = {}
        for number, record in enumerate(records_of_entity, 1):
            try:
                key = _key_text(rows, canonical_record(rows, schema.load(record)))
                if keys.setdefault(key, number) != number:
                    yield name, number, f"has the natural key of record {keys[key]}"
            except ma.ValidationError as error:
                yield name, number, str(error.messages)
            except Exception as error:  # hooks may raise anything
                yield name, number, repr(error)


# Held against the catalog


def golden_findings(
    catalog: Catalog,
    goldens: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]],
    waived: Mapping[str, set[str]],
) -> Iterator[Finding]:
    """Yield where golden documents, by file and oldest first, no longer become what they must.

    Each comes with the shapes that it was sealed with.  ``waived`` names, by file, the entities
    whose records needn't load any more.
    """
    before: tuple[str, Records, set[str]] | None = None
    for file, (document, shapes) in goldens.items():
        try:
            records, problems = upgraded(catalog, document, shapes)
        except LadingError as error:
            yield _finding("GOLDEN_NOT_UPGRADED", file, NEEDS_CHANGE, f"{file}: {error}")
            before = None
            continue
        passed = waived.get(file, set())
        seen: set[str] = set()
        for problem in problems:
            if problem.file not in passed | seen:
                seen.add(problem.file)
                text = (
                    f"record {problem.record} of {file} can't be upgraded: {problem.message}. "
                    f"{UNREAL}"
                )
                yield _finding("GOLDEN_NOT_UPGRADED", problem.file, NEEDS_CHANGE, text)
        for name, number, text in faults(catalog.use(), records):
            if name not in passed | seen:
                seen.add(name)
                message = f"record {number} of {file}, once upgraded, isn't accepted: {text}"
                message += f". Correct the change. {UNREAL}"
                yield _finding("GOLDEN_NOT_LOADED", name, NEEDS_CHANGE, message)
        if before is not None:
            yield from _drifted(before, (file, records, passed | seen))
        before = (file, records, passed | seen)


def _drifted(
    older: tuple[str, Records, set[str]], newer: tuple[str, Records, set[str]]
) -> Iterator[Finding]:
    """Yield the entities whose older records become something else than was sealed of them."""
    for name, records in older[1].items():
        if name in older[2] | newer[2]:
            continue
        known = {json_text(record) for record in newer[1].get(name, ())}
        for number, record in enumerate(records, 1):
            if json_text(record) not in known:
                text = (
                    f"record {number} of {older[0]} no longer upgrades to a record of {newer[0]}: "
                    "a change was edited after its release; restore its steps, and declare "
                    "another change"
                )
                yield _finding("GOLDEN_DRIFT", name, BREAKING, text, record)
                break


def _finding(rule: str, path: str, severity: str, message: str, after: Any = None) -> Finding:
    return Finding(rule, path, severity, None, after, message)
