"""Schema-driven export and import for SQLAlchemy applications.

Declare each entity once, as an :class:`EntitySchema` over its model; then
:func:`export_all` writes a portable, checksummed bundle and :func:`import_all`
restores it into any database.

Each name is imported when it is first used: what exports and imports need takes several times as
long as what an application declares with, and most of its processes never use it.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lading.bundle.manifest import Manifest
    from lading.bundler import write_bundle
    from lading.catalog import Catalog, default_catalog, import_order
    from lading.changes.change import Change, change
    from lading.changes.steps.fields import Add, Convert, Drop, Each, Move, Rename
    from lading.changes.steps.merge_entities import Merge
    from lading.changes.steps.rekey import Rekey
    from lading.changes.steps.split_entity import Split
    from lading.differ import diff
    from lading.errors import (
        AlteredWarning,
        ArgumentError,
        BundleError,
        ChecksumError,
        ClosureWarning,
        DeclarationError,
        ImportFailed,
        LadingError,
        LeftOutWarning,
        OutcomeUnknown,
        PlanChanged,
        RoundedWarning,
        TargetError,
        VersionError,
    )
    from lading.exporter import export_all, export_document
    from lading.importer import import_all, import_document
    from lading.locker import Locked, check, lock
    from lading.mapping.engine_types import EngineType
    from lading.mapping.fields import Owned, Ref
    from lading.planning.plan import Diff, ImportPlan
    from lading.planning.record_change import Cascade, RecordChange
    from lading.record_schemas import json_schema
    from lading.report import Finding, ImportReport, Problem, Progress
    from lading.schema import EntitySchema
    from lading.sealer import Sealed, seal
    from lading.upgrader import upgrade
    from lading.verifier import verify
    from lading.verifying.verification import Verification
    from lading.version import __version__

__all__ = [
    "Add",
    "AlteredWarning",
    "ArgumentError",
    "BundleError",
    "Cascade",
    "Catalog",
    "Change",
    "ChecksumError",
    "ClosureWarning",
    "Convert",
    "DeclarationError",
    "Diff",
    "Drop",
    "Each",
    "EngineType",
    "EntitySchema",
    "Finding",
    "ImportFailed",
    "ImportPlan",
    "ImportReport",
    "LadingError",
    "LeftOutWarning",
    "Locked",
    "Manifest",
    "Merge",
    "Move",
    "OutcomeUnknown",
    "Owned",
    "PlanChanged",
    "Problem",
    "Progress",
    "RecordChange",
    "Ref",
    "Rekey",
    "Rename",
    "RoundedWarning",
    "Sealed",
    "Split",
    "TargetError",
    "Verification",
    "VersionError",
    "__version__",
    "change",
    "check",
    "default_catalog",
    "diff",
    "export_all",
    "export_document",
    "import_all",
    "import_document",
    "import_order",
    "json_schema",
    "lock",
    "seal",
    "upgrade",
    "verify",
    "write_bundle",
]

#: Which module each public name comes from.
_MODULES = {
    "Add": "lading.changes.steps.fields",
    "AlteredWarning": "lading.errors",
    "ArgumentError": "lading.errors",
    "BundleError": "lading.errors",
    "Cascade": "lading.planning.record_change",
    "Catalog": "lading.catalog",
    "Change": "lading.changes.change",
    "ChecksumError": "lading.errors",
    "ClosureWarning": "lading.errors",
    "Convert": "lading.changes.steps.fields",
    "DeclarationError": "lading.errors",
    "Diff": "lading.planning.plan",
    "Drop": "lading.changes.steps.fields",
    "Each": "lading.changes.steps.fields",
    "EngineType": "lading.mapping.engine_types",
    "EntitySchema": "lading.schema",
    "Finding": "lading.report",
    "ImportFailed": "lading.errors",
    "ImportPlan": "lading.planning.plan",
    "ImportReport": "lading.report",
    "LadingError": "lading.errors",
    "LeftOutWarning": "lading.errors",
    "Locked": "lading.locker",
    "Manifest": "lading.bundle.manifest",
    "Merge": "lading.changes.steps.merge_entities",
    "Move": "lading.changes.steps.fields",
    "OutcomeUnknown": "lading.errors",
    "Owned": "lading.mapping.fields",
    "PlanChanged": "lading.errors",
    "Problem": "lading.report",
    "Progress": "lading.report",
    "RecordChange": "lading.planning.record_change",
    "Ref": "lading.mapping.fields",
    "Rekey": "lading.changes.steps.rekey",
    "Rename": "lading.changes.steps.fields",
    "RoundedWarning": "lading.errors",
    "Sealed": "lading.sealer",
    "Split": "lading.changes.steps.split_entity",
    "TargetError": "lading.errors",
    "Verification": "lading.verifying.verification",
    "VersionError": "lading.errors",
    "__version__": "lading.version",
    "change": "lading.changes.change",
    "check": "lading.locker",
    "default_catalog": "lading.catalog",
    "diff": "lading.differ",
    "export_all": "lading.exporter",
    "export_document": "lading.exporter",
    "import_all": "lading.importer",
    "import_document": "lading.importer",
    "import_order": "lading.catalog",
    "json_schema": "lading.record_schemas",
    "lock": "lading.locker",
    "seal": "lading.sealer",
    "upgrade": "lading.upgrader",
    "verify": "lading.verifier",
    "write_bundle": "lading.bundler",
}

if not TYPE_CHECKING:  # a type checker would take any name for one that there is

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(_MODULES[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES})
