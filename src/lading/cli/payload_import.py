"""One import of a command line: its payload, its options, and what the target holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.cli.documents import as_file, is_document, read_document
from lading.cli.options import taken_by
from lading.cli.progress import progress_shown
from lading.importer import import_all, import_document
from lading.planning.plan import ImportPlan
from lading.report import ImportReport

Mode = str | Mapping[str, str]


class Import:
    """A bundle or a document on its way into a database.

    ``mode`` is what ``--on-conflict`` says, else what the expected plan was made with, else
    ``None``.  ``keeps_good`` tells whether good records are loaded without the bad ones.
    """

    def __init__(
        self, engine: sa.Engine, payload: str, catalog: Catalog, options: Mapping[str, Any]
    ) -> None:
        self.catalog = catalog
        options = dict(options)
        expect = options.pop("expect")
        if expect is not None:
            with as_file(expect) as path:
                expect = ImportPlan.read(path)
        self.expected: ImportPlan | None = expect
        self.mode: Mode | None = options.pop("on_conflict")
        if self.mode is None and expect is not None:
            self.mode = mode_of(expect)
        run: Any = partial(import_all, engine, payload)
        if is_document(payload):
            run = partial(import_document, engine, read_document(payload))
            options = taken_by(import_document, options, "a document")
        self.keeps_good = options.get("on_error") == "continue"
        self._run = partial(run, catalog=catalog, **options)

    @property
    def is_decided(self) -> bool:
        """Whether it is settled for every entity what happens to records that differ."""
        if self.expected is not None or isinstance(self.mode, str):
            return True
        return self.mode is not None and "*" in self.mode

    @property
    def whole_mode(self) -> Mode:
        """The mode of each entity; those that nobody decides on are updated."""
        if self.is_decided and self.mode is not None:
            return self.mode
        return {"*": "update", **self.mode} if isinstance(self.mode, Mapping) else "update"

    def undecided(self, plan: ImportPlan) -> bool:
        """Tell whether records differ of entities that nobody decides on."""
        decided = self.mode if isinstance(self.mode, Mapping) else {}
        return not self.is_decided and any(
            counts.updated for name, counts in plan.entities.items() if name not in decided
        )

    @property
    def may_delete(self) -> bool:
        """Whether it may delete records that nobody has looked at in a plan."""
        modes = self.mode.values() if isinstance(self.mode, Mapping) else [self.mode]
        return "mirror" in modes and self.expected is None

    def plan(self, mode: Mode) -> ImportPlan:
        """Return what it would do."""
        with progress_shown() as progress:
            plan: ImportPlan = self._run(on_conflict=mode, dry_run=True, progress=progress)
        return plan

    def load(self, mode: Mode, plan: ImportPlan | None = None) -> ImportReport:
        """Carry it out, exactly as a plan says if there is one."""
        expected = self.expected if plan is None else plan
        with progress_shown() as progress:
            report: ImportReport = self._run(on_conflict=mode, expect=expected, progress=progress)
        return report


def mode_of(plan: ImportPlan) -> dict[str, str]:
    """Return the modes that make such a plan: entities that are deleted from are mirrored."""
    return {
        name: "mirror" if counts.deleted else "skip" if counts.skipped else "update"
        for name, counts in plan.entities.items()
    }


def is_empty(engine: sa.Engine, catalog: Catalog) -> bool:
    """Tell whether a database has no row of a catalog's entities."""
    with engine.connect() as connection:
        for rows in catalog.use().roots.values():
            try:
                first = sa.select(sa.literal(1)).select_from(rows.table).limit(1)
                if connection.execute(first).first() is not None:
                    return False
            except sa.exc.SQLAlchemyError:
                return False  # the import says what is wrong
    return True
