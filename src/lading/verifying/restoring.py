"""The proof that a bundle can be restored: loaded into a fresh database, and exported again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SAWarning

from lading.bundle import BundleReader
from lading.catalog import Catalog
from lading.errors import (
    AlteredWarning,
    ImportFailed,
    LadingError,
    LeftOutWarning,
    RoundedWarning,
    TargetError,
)
from lading.exporter import export_all
from lading.fresh_databases.factories import EngineFactory, Lending, computes_columns, database
from lading.fresh_databases.scratch_database import ScratchDatabase, is_foreign
from lading.importer import import_all
from lading.messages import Message, shown
from lading.model.hidden import masked
from lading.model.rowsets import Children, Member, RowSet, Value
from lading.report import Problem
from lading.scratch.sort import CHUNK
from lading.values.json_text import parse_json
from lading.verifying.findings import Findings

#: How many differences of one entity are told.
TOLD = 5
#: What to do about each.
RESTORED = "Correct the type or the schema, so that what it writes is what it reads"
#: Warnings about what the comparison shows, or what a bundle says itself.
_NOISE = (AlteredWarning, LeftOutWarning, RoundedWarning, SAWarning)


def restored(
    path: Path,
    expected: Path,
    catalog: Catalog,
    factory: EngineFactory | None,
    folder: Path,
    *,
    max_bytes: int | None,
    findings: Findings,
) -> None:
    """Load a bundle into a fresh database, export that, and note how it differs.

    Args:
        path: the bundle.
        expected: the bundle that the export should equal, which may be the same.
        catalog: what it is of.
        factory: makes the database; by default it is SQLite in a file.
        folder: an empty folder for the export and the file.
        max_bytes: how many bytes an archive may hold.
        findings: takes the problems.
    """
    make: Any = _reported(factory) or ScratchDatabase(
        folder / "scratch.db", is_foreign=is_foreign(catalog)
    )
    again = folder / "again"
    try:
        with warnings.catch_warnings():
            for category in _NOISE:
                warnings.simplefilter("ignore", category)
            with database(make, catalog, may_be_bare=True) as engine:
                import_all(engine, path, catalog=catalog, max_bytes=max_bytes)
                with BundleReader(expected, max_bytes=max_bytes) as reader:
                    names = [entry.entity_type for entry in reader.manifest.files]
                export_all(engine, again, catalog=catalog, only=names)
        for problem in differences(
            expected, again, catalog, max_bytes=max_bytes, computes=computes_columns(make)
        ):
            findings.add(problem)
    except ImportFailed as error:
        for problem in error.report.problems:
            findings.add(problem)
        findings.problems.more += error.report.more_problems
    except LadingError as error:
        findings.add_error(error, os.fspath(path))


def _reported(factory: EngineFactory | None) -> EngineFactory | None:
    """Return a factory whose own failure is a ``TargetError``."""
    if factory is None or isinstance(factory, Lending):
        return factory
    called: Any = factory

    def make() -> Any:
        try:
            return called()
        except LadingError:
            raise
        except Exception as error:
            raise TargetError(
                Message(
                    "restore-failed",
                    f"the function given as restore= fails: {type(error).__name__}: {error}",
                ),
                "Correct it, or pass restore=True.",
            ) from error

    return make


def differences(
    expected: Path,
    again: Path,
    catalog: Catalog,
    *,
    max_bytes: int | None,
    computes: bool,
) -> Iterator[Problem]:
    """Yield the first differences of each entity's records.

    Args:
        expected: the bundle as it should be.
        again: the bundle that was exported after an import.
        catalog: the catalog of both.
        max_bytes: how many bytes an archive's files may hold.
        computes: whether the database computes what the bundle's did; else that isn't compared.
    """
    entities = catalog.use()
    with BundleReader(expected, max_bytes=max_bytes) as before, BundleReader(again) as after:
        for entry in before.manifest.files:
            new = after.manifest[entry.entity_type]
            if entry.sha256 != new.sha256:
                pairs = zip_longest(_lines(before, entry), _lines(after, new))
                rows = entities[entry.entity_type]
                yield from islice(_of_records(rows, entry.filename, pairs, computes), TOLD)


def _lines(reader: BundleReader, entry: Any) -> Iterator[bytes]:
    for block in reader.blocks(entry, CHUNK):
        yield from block.records


def _of_records(rows: RowSet, file: str, pairs: Iterator[Any], computes: bool) -> Iterator[Problem]:
    """Yield the fields that differ; where a record is another, nothing after it tells more."""
    for number, (line, new_line) in enumerate(pairs, 1):
        if line == new_line:
            continue
        record = None if line is None else masked(rows.members, parse_json(line))
        new = None if new_line is None else masked(rows.members, parse_json(new_line))
        keys = [_key(rows, content) for content in (record, new)]
        if keys[0] != keys[1] or record is None or new is None:
            text = f"comes back from a database as {shown(keys[1])}. {RESTORED}"
            yield Problem.of(Message("restored-otherwise", text), file, number, keys[0])
            return
        if not computes:
            record, new = (_written(rows.members, content) for content in (record, new))
        for name in dict.fromkeys([*record, *new]):
            if record.get(name) != new.get(name):
                text = Message(
                    "restored-otherwise",
                    f"comes back from a database as {shown(new.get(name))}, not as "
                    f"{shown(record.get(name))}. {RESTORED}",
                )
                yield Problem.of(text, file, number, keys[0], name)


def _written(members: Iterable[Member], record: Any) -> Any:
    """Return a record without the values of computed columns, which an import doesn't write."""
    by_name = {member.written: member for member in members}
    result = {}
    for name, value in record.items():
        member = by_name.get(name)
        if isinstance(member, Children) and isinstance(value, list):
            result[name] = [_written(member.rows.members, element) for element in value]
        elif not isinstance(member, Value) or member.writable:
            result[name] = value
    return result


def _key(rows: RowSet, record: Any) -> Any:
    return None if record is None else {name: record.get(name) for name in rows.key_names}
