"""Schema-driven export and import for SQLAlchemy applications.

Declare each entity once, as an :class:`EntitySchema` over its model; then
:func:`export_all` writes a portable, checksummed bundle and :func:`import_all`
restores it into any database.
"""

from lading.bundle.manifest import Manifest
from lading.bundler import write_bundle
from lading.catalog import Catalog, default_catalog, import_order
from lading.changes.change import Change, change
from lading.changes.steps.fields import Add, Convert, Drop, Each, Move, Rename
from lading.changes.steps.merge import Merge
from lading.changes.steps.rekey import Rekey
from lading.changes.steps.split import Split
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
from lading.json_schema import json_schema
from lading.lock import Locked, check, lock
from lading.mapping.fields import Owned, Ref
from lading.planning.plan import Diff, ImportPlan
from lading.planning.record_change import RecordChange
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
