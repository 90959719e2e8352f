"""What ``--json`` prints, as structs: `lading schema --output-of COMMAND` publishes each."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from lading.bundle.manifest import External, Manifest
from lading.cli.exit_codes import Result
from lading.drawing.entity_graph import EdgeForm
from lading.planning.plan import ImportPlan
from lading.report import Alteration, Counts, Finding, ImportReport, Problem
from lading.sealer import SealedFile

Written = TypeVar("Written", bound="BundleResult")


class FileResult(Result, frozen=True):
    """An entity file of a bundle."""

    entity: str
    filename: str
    records: int
    bytes: int
    version: int
    sha256: str


class BundleResult(Result, frozen=True, kw_only=True):
    """A bundle that was written; ``left_out`` gives the reason for each table and column.

    ``external`` counts the references of a partial bundle that lead to records outside of it.
    """

    path: str
    catalog: str
    content_sha256: str
    partial: bool
    external: tuple[External, ...]
    unchanged: bool
    records: int
    files: tuple[FileResult, ...]
    left_out: dict[str, str | None]


class ExportResult(BundleResult, frozen=True, kw_only=True):
    """A bundle of a database; ``checks`` name what was verified after it was written."""

    checks: tuple[str, ...]


class DocumentResult(Result, frozen=True):
    """A document that was written; ``entities`` maps each to its number of records."""

    path: str
    records: int
    entities: dict[str, int]


class SealResult(Result, frozen=True):
    """What a seal did; ``files`` are those that it changed or found changed."""

    path: str
    written: bool
    content_sha256: str
    files: tuple[SealedFile, ...]


class LockResult(Result, frozen=True):
    """What a lock holds now: ``sealed`` are the entities of seal ``number``.

    ``unread`` says that goldens were given, and not read, for there was nothing to seal.
    """

    path: str
    number: int
    sealed: tuple[str, ...]
    changed: bool
    unread: bool


class CheckResult(Result, frozen=True):
    """What differs from a lock."""

    path: str
    findings: tuple[Finding, ...]


class InitResult(Result, frozen=True, kw_only=True):
    """What a run of init wrote, what it would change in lines that are there, and what it proved.

    ``records`` is how many went through a scratch database and back, null without a database;
    ``problems`` are those that can't be exported or came back otherwise, and ``unproved`` says what
    a scratch database can't show, and why.
    """

    path: str
    written: tuple[str, ...]
    added: tuple[str, ...]
    changes: tuple[str, ...]
    remarks: tuple[str, ...]
    entities: int
    records: int | None
    problems: tuple[Problem, ...]
    unproved: tuple[str, ...]


class ImportResult(Result, frozen=True):
    """What became of an import, or would: ``message`` says why nothing was written.

    ``problems`` and ``differences`` hold the first thousand, ``more_...`` is how many there were
    beyond.
    """

    outcome: Literal["committed", "not committed"]
    message: str
    entities: dict[str, Counts]
    problems: tuple[Problem, ...]
    more_problems: int
    differences: tuple[Problem, ...]
    more_differences: int
    altered: tuple[Alteration, ...]


class InspectedEntity(Result, frozen=True):
    """An entity that a database or a bundle holds.

    ``reason`` says why ``key`` is its natural key, and ``decisions`` what was decided about its
    fields; without a catalog ``reason`` and ``guarded`` are null.  ``references`` maps dotted
    paths to entities.
    """

    entity: str
    records: int
    version: int
    key: tuple[str, ...]
    reason: str | None
    guarded: bool | None
    candidates: tuple[tuple[str, ...], ...]
    decisions: dict[str, str]
    references: dict[str, str]
    owned: tuple[str, ...]


class InspectResult(Result, frozen=True):
    """What a database or a bundle holds; entities stand in import order.

    ``external`` counts the references of a partial bundle that lead to records outside of it.
    """

    source: str
    catalog: str
    records: int
    partial: bool
    external: tuple[External, ...]
    entities: tuple[InspectedEntity, ...]
    left_out: dict[str, str | None]


class DrawnNode(Result, frozen=True):
    """An entity of a graph; without ``order`` it is only referred to, and not in the bundle."""

    entity: str
    order: int | None
    layer: int
    key: tuple[str, ...]
    records: int | None
    owned: tuple[str, ...]
    links: tuple[str, ...]


class DrawnEdge(Result, frozen=True):
    """The references of one form from an entity to another."""

    source: str
    target: str
    fields: tuple[str, ...]
    form: EdgeForm
    deferred: bool


class GraphResult(Result, frozen=True):
    """An entity graph; entities stand in import order."""

    title: str
    entities: tuple[DrawnNode, ...]
    references: tuple[DrawnEdge, ...]


def import_result(
    outcome: ImportReport | ImportPlan, committed: bool, message: str
) -> ImportResult:
    """Return what is said of an import, or of one that wasn't carried out."""
    report = outcome if isinstance(outcome, ImportReport) else None
    return ImportResult(
        outcome="committed" if committed else "not committed",
        message=message,
        entities=outcome.entities,
        problems=tuple(outcome.problems),
        more_problems=outcome.more_problems,
        differences=tuple(report.differences) if report else (),
        more_differences=report.more_differences if report else 0,
        altered=tuple(report.altered) if report else (),
    )


def bundle_result(manifest: Manifest, result: type[Written], **more: Any) -> Written:
    """Return what is said of a bundle that was written.

    Args:
        manifest: The bundle's.
        result: The struct to fill.
        more: The fields that it has beside those of ``BundleResult``.
    """
    files = file_results(manifest)
    return result(
        path=str(manifest.path),
        catalog=manifest.catalog,
        content_sha256=manifest.content_sha256,
        partial=manifest.partial,
        external=manifest.external,
        unchanged=manifest.unchanged,
        records=sum(file.records for file in files),
        files=files,
        left_out=dict(manifest.left_out),
        **more,
    )


def file_results(manifest: Manifest) -> tuple[FileResult, ...]:
    """Return what is said of a bundle's files."""
    return tuple(
        FileResult(
            entry.entity_type,
            entry.filename,
            entry.record_count,
            entry.bytes,
            entry.schema_version,
            entry.sha256,
        )
        for entry in manifest.files
    )
