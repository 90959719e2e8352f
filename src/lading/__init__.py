"""Schema-driven export and import for SQLAlchemy applications.

Declare each entity once, as an :class:`EntitySchema` over its model; then
:func:`export_all` writes a portable, checksummed bundle and :func:`import_all`
restores it into any database.

What an application declares with is imported here; all else when it is first used, for it takes
several times as long, and most processes of an application never use it.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from lading.catalog import Catalog, default_catalog, import_order
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
from lading.mapping.fields import Owned, Ref
from lading.report import Finding, ImportReport, Problem, Progress
from lading.schema import EntitySchema
from lading.version import __version__

if TYPE_CHECKING:
    from lading.bundle.manifest import Manifest
    from lading.bundler import write_bundle
    from lading.changes.change import Change, change
    from lading.changes.steps.fields import Add, Convert, Drop, Each, Move, Rename
    from lading.changes.steps.merge import Merge
    from lading.changes.steps.rekey import Rekey
    from lading.changes.steps.split import Split
    from lading.differ import diff
    from lading.exporter import export_all, export_document
    from lading.importer import import_all, import_document
    from lading.locker import Locked, check, lock
    from lading.planning.plan import Diff, ImportPlan
    from lading.planning.record_change import RecordChange
    from lading.record_schemas import json_schema
    from lading.sealer import Sealed, seal
    from lading.upgrader import upgrade
    from lading.verifier import verify
    from lading.verifying.verification import Verification

__all__ = [
    "Add",
    "AlteredWarning",
    "ArgumentError",
    "BundleError",
    "Catalog",
    "Change",
    "ChecksumError",
    "ClosureWarning",
    "Convert",
    "DeclarationError",
    "Diff",
    "Drop",
    "Each",
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

#: The modules of the names that are imported when they are first used.
_MODULES = {
    "Add": "lading.changes.steps.fields",
    "Change": "lading.changes.change",
    "Convert": "lading.changes.steps.fields",
    "Diff": "lading.planning.plan",
    "Drop": "lading.changes.steps.fields",
    "Each": "lading.changes.steps.fields",
    "ImportPlan": "lading.planning.plan",
    "Locked": "lading.locker",
    "Manifest": "lading.bundle.manifest",
    "Merge": "lading.changes.steps.merge",
    "Move": "lading.changes.steps.fields",
    "RecordChange": "lading.planning.record_change",
    "Rekey": "lading.changes.steps.rekey",
    "Rename": "lading.changes.steps.fields",
    "Sealed": "lading.sealer",
    "Split": "lading.changes.steps.split",
    "Verification": "lading.verifying.verification",
    "change": "lading.changes.change",
    "check": "lading.locker",
    "diff": "lading.differ",
    "export_all": "lading.exporter",
    "export_document": "lading.exporter",
    "import_all": "lading.importer",
    "import_document": "lading.importer",
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
