"""The proof that written declarations restore what a database holds: a round trip."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.errors import LadingError, LeftOutWarning, RoundedWarning
from lading.exporter import export_all
from lading.fresh_databases.factories import EngineFactory
from lading.fresh_databases.scratch_database import ScratchDatabase
from lading.messages import listed
from lading.report import Problem
from lading.verifying.findings import Findings
from lading.verifying.restoring import restored


def round_trip(
    bind: sa.Engine | sa.Connection,
    catalog: Catalog,
    *,
    has_own_models: bool,
    scratch: EngineFactory | None = None,
) -> tuple[int, list[Problem]]:
    """Export a database, import that into a scratch database, and compare what that exports.

    Args:
        bind: An engine or connection of the database.
        catalog: The declarations.
        has_own_models: Whether the models are the application's own, with SQL of many engines.
        scratch: Makes the scratch database; by default it is SQLite in a file.

    Returns:
        How many records there are, and what can't be exported or comes back otherwise.
    """
    findings = Findings()
    records = 0
    with tempfile.TemporaryDirectory(prefix="lading-init-") as name:
        folder = Path(name)
        bundle = folder / "bundle"
        is_foreign = has_own_models or bind.dialect.name != "sqlite"
        file: Any = ScratchDatabase(folder / "scratch.db", is_foreign=is_foreign)
        try:
            with warnings.catch_warnings():
                # The modules themselves say what they leave out.
                for category in (LeftOutWarning, RoundedWarning):
                    warnings.simplefilter("ignore", category)
                manifest = export_all(bind, bundle, catalog=catalog)
            records = sum(entry.record_count for entry in manifest.files)
            make = scratch or file
            restored(bundle, bundle, catalog, make, folder, max_bytes=None, findings=findings)
        except LadingError as error:  # the database's rows may refer to nothing
            findings.add_error(error, catalog.name)
    return records, list(findings.problems)


def unproved(
    bind: sa.Engine | sa.Connection, catalog: Catalog, *, is_same_engine: bool = False
) -> list[str]:
    """Say what such a round trip can't show of a database.

    Args:
        bind: An engine or connection of the database.
        catalog: The declarations.
        is_same_engine: Whether the scratch database was made on a server.
    """
    texts = []
    left_out = [place for place, reason in catalog.coverage().items() if reason is not None]
    if left_out:
        names = listed(left_out, separator=", ")
        why = "it, for the reason" if len(left_out) == 1 else "them, for the reasons"
        texts.append(f"{names}: no bundle carries {why} in leaves_out")
    if is_same_engine:
        texts.append("triggers: the scratch database has what models say, and these say none")
    elif bind.dialect.name != "sqlite":
        texts.append(
            f"CHECK constraints and triggers of {bind.dialect.name}: the scratch database is "
            "SQLite, without them"
        )
    return texts
