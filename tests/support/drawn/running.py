"""Holds one drawn application against the rules, from its declaration to the last restore.

Whatever catalog is accepted moves with equal bytes and equal stored cells; whatever isn't is
a ``DeclarationError`` with a remedy, or, for its data, a located error before anything is
written.  Everything else is ``Broken``.
"""

from __future__ import annotations

import json
import random
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import marshmallow as ma
import sqlalchemy as sa

from lading import (
    DeclarationError,
    ImportFailed,
    LadingError,
    LeftOutWarning,
    Manifest,
    export_all,
    import_all,
    import_order,
    verify,
)
from support.backends import Backend
from support.drawn.drawing import draw
from support.drawn.filling import filled, prepared
from support.drawn.rows import draw_rows
from support.drawn.schemas import FIELDS
from support.drawn.source import Declared, declared, source_of
from support.drawn.spec import App
from support.drawn.tally import ACCEPTED, ELSEWHERE, REFUSED, UNDECLARABLE, Outcome
from support.raw import Dump, raw_values
from support.rewriting import entity_bytes

REMEDY = re.compile(
    r"\b(write|declare|give|make|add|name|remove|use|leave|keep|map|own|change|write|say|"
    r"expected|there are|the entities are|its fields are|the options are)\b",
    re.IGNORECASE,
)


class Broken(AssertionError):
    """A rule is broken; the text says which, of what application, and how to see it again."""


class World:
    """A drawn application that runs, on a backend of its own."""

    def __init__(self, seed: int, home: Backend, folder: Path, *away: Backend) -> None:
        self.seed = seed
        self.home = home
        self.away = away
        self.folder = folder
        self.rng = random.Random(f"run {seed}")
        self.app: App = draw(seed)
        self.made: Declared = declared(self.app)
        self.stage = "declaring"
        self.opened: list[tuple[Backend, sa.Engine]] = []
        self.bundles = 0
        #: What became of moves to other engines.
        self.moves: list[str] = []

    def close(self) -> None:
        """Drop its databases, mappers and schemas."""
        self.drop()
        self.made.names["Base"].registry.dispose()
        for catalog in (self.made.catalog, self.made.second):
            for schema in catalog.schemas if catalog else ():
                ma.class_registry._registry.pop(schema.__name__, None)
                ma.class_registry._registry.pop(f"{schema.__module__}.{schema.__name__}", None)

    def drop(self) -> None:
        """Drop its databases."""
        while self.opened:
            backend, engine = self.opened.pop()
            backend.drop(engine)

    # Tools of the rules

    def broken(self, text: str) -> Broken:
        """Return the error of a broken rule."""
        return Broken(
            f"seed {self.seed} on {self.home.name}, {self.stage}: {text}\n"
            f"again, from tests/: python -m support.drawn {self.seed} {self.home.name}"
        )

    def hold(self, rule: object, text: str) -> None:
        """Raise ``Broken`` unless a rule holds."""
        if not rule:
            raise self.broken(text)

    @contextmanager
    def guarded(self, stage: str) -> Iterator[None]:
        """Let lading's own errors through; any other exception breaks a rule."""
        self.stage = stage
        try:
            yield
        except (LadingError, Broken):
            raise
        except Exception as error:
            raise self.broken(f"{type(error).__name__} escaped: {error}") from error

    def fresh(self, backend: Backend | None = None) -> sa.Engine:
        """Return an engine over a new database with all tables."""
        backend = backend or self.home
        engine = prepared(backend, self.made.metadata, self.app.databases)
        self.opened.append((backend, engine))
        return engine

    def path(self, suffix: str = "") -> Path:
        """Return a path for a new bundle."""
        self.bundles += 1
        return self.folder / f"{self.seed}-{self.home.name}-{self.bundles}{suffix}"

    def export(self, engine: sa.Engine, path: Path | None = None, **options: Any) -> Path:
        """Export, and check that what is left out is said."""
        path = path or self.path()
        with self.guarded("exporting"), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                manifest = export_all(engine, path, catalog=self.made.catalog, **options)
            except LadingError as error:
                self._refused(error, path.exists)
                raise
        if not options:
            self._left_out(manifest, caught)
        return path

    def _left_out(self, manifest: Manifest, caught: list[warnings.WarningMessage]) -> None:
        left = self.made.catalog.coverage()
        self.hold(manifest.left_out == left, "the manifest leaves out other than coverage() says")
        said = [str(item.message) for item in caught if item.category is LeftOutWarning]
        self.hold(bool(said) == bool(left), f"left out {sorted(left)}, and the warning was {said}")
        self.hold(len(caught) == len(said), f"warnings: {[str(item.message) for item in caught]}")

    def load(self, engine: sa.Engine, path: Path, **options: Any) -> Any:
        """Import; what is refused must leave everything as it was."""
        before = self.every_cell(engine)
        with self.guarded("importing"):
            try:
                return import_all(engine, path, catalog=self.made.catalog, **options)
            except LadingError as error:
                self._refused(error, lambda: self.every_cell(engine) != before)
                raise

    def _refused(self, error: LadingError, changed: Callable[[], bool]) -> None:
        """A refusal is located, and nothing was written."""
        if isinstance(error, ImportFailed):
            for problem in error.report.problems:
                self.hold(problem.file and problem.message, f"a problem without a place: {problem}")
        else:
            where = error.entity or error.file or error.field
            self.hold(where, f"an error without a place: {type(error).__name__}: {error}")
        self.hold(not changed(), f"something was written although it was refused: {error}")

    # What databases hold

    @property
    def unseen(self) -> set[str]:
        """What no import restores, by its own saying: left out, or only written."""
        shown = {
            f"{schema.table.fullname}.{column.name}"
            for schema in self.app.schemas
            for column in schema.dump_only
        }
        left = shown | set(self.made.catalog.coverage())
        computed = {
            f"{table.fullname}.{column.name}"
            for table in self.app.tables
            for column in table.columns
            if column.filled == "computed"
        }
        # What is computed from a column that isn't restored is another value.
        tables = {name.rpartition(".")[0] for name in left}
        return left | {name for name in computed if name.rpartition(".")[0] in tables}

    def cells(self, engine: sa.Engine) -> Dump:
        """Return what is carried of a database, without made-up ids."""
        keep = {
            schema.table.fullname
            for schema in self.app.schemas
            if self.app.keeps_ids or schema.table.surrogate in schema.key
        }
        return raw_values(engine, self.made.metadata, keep=keep, without=self.unseen)

    def every_cell(self, engine: sa.Engine) -> Dump:
        """Return all of a database, ids included."""
        return raw_values(engine, self.made.metadata, keep=self.made.metadata.tables)

    def same_cells(self, before: Dump, engine: sa.Engine) -> None:
        """Hold a database's cells against those of another."""
        after = self.cells(engine)
        for name, rows in before.items():
            if rows != after[name]:
                lost = [row for row in rows if row not in after[name]][:2]
                new = [row for row in after[name] if row not in rows][:2]
                raise self.broken(f"{name} changed ({len(rows)} rows)\nwas {lost}\nis  {new}")

    def same_bytes(self, one: Path, two: Path) -> None:
        """Hold the entity files of two bundles against each other."""
        if any(schema.dump_only for schema in self.app.schemas):
            return  # what is only written comes back as null, or as the database makes it
        first, second = (self.restored(entity_bytes(path)) for path in (one, two))
        self.hold(first.keys() == second.keys(), f"files {sorted(first)} became {sorted(second)}")
        for name, data in first.items():
            if data != second[name]:
                lines = zip(data.splitlines(), second[name].splitlines(), strict=False)
                pair = next(((a, b) for a, b in lines if a != b), (len(data), len(second[name])))
                raise self.broken(f"{name} differs\nwas {pair[0]!r}\nis  {pair[1]!r}")

    def restored(self, files: dict[str, bytes]) -> dict[str, bytes]:
        """Take out what is computed from columns that aren't restored: that comes out anew."""
        anew = {
            column.attr
            for table in self.app.tables
            for column in table.columns
            if column.filled == "computed" and f"{table.fullname}.{column.name}" in self.unseen
        }

        def without(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: without(item) for name, item in value.items() if name not in anew}
            return [without(item) for item in value] if isinstance(value, list) else value

        if not anew:
            return files
        return {
            name: b"\n".join(
                json.dumps(without(record)).encode() for record in json.loads(data)["records"]
            )
            for name, data in files.items()
        }

    def text(self) -> str:
        """Return the application as Python text."""
        return source_of(self.app)


def run(seed: int, home: Backend, folder: Path, *away: Backend) -> Outcome:
    """Draw the application of a seed, and hold it against the rules on a backend.

    What is accepted moves to the ``away`` backends as well.
    """
    world = World(seed, home, folder, *away)
    try:
        return _run(world)
    except Broken as error:
        raise Broken(f"{error}\n\n{world.text()}") from error.__cause__
    finally:
        world.close()


def _run(world: World) -> Outcome:
    app = world.app
    mistakes = declare(world)
    if mistakes:
        return Outcome(UNDECLARABLE, mistakes, app.features)
    _check_left_out(world)
    if world.home.dialect not in app.engines:
        return Outcome(ELSEWHERE, [], app.features)
    refused: list[str] = []
    for tame in (False, True):
        try:
            records = _round(world, tame=tame)
        except LadingError as error:
            refused.append(reason_of(error))
            world.drop()
            continue
        wild = refused[0] if refused else None
        return Outcome(ACCEPTED, [], app.features, wild, records, world.moves)
    world.stage = "with tame data"
    world.hold(_is_explained(world, refused[-1]), f"refused without need: {refused[-1]}")
    return Outcome(REFUSED, refused[-1:], app.features, refused[0])


def _is_explained(world: World, reason: str) -> bool:
    """Tell whether an application's declarations explain why even tame data is refused."""
    schemas = world.app.schemas
    if "give the type a python_type, or declare a field" in reason:
        members = [(c, s) for s in schemas for t in s.table.family() for c in t.columns]
        kinds = [(column, schema) for column, schema in members if column.kind in FIELDS]
        return any(column.attr not in schema.fields for column, schema in kinds)
    if "keeps no zone with a time" in reason:
        kinds = {column.kind for s in schemas for t in s.table.family() for column in t.columns}
        return "zoned" in kinds and world.home.dialect != "postgresql"
    if "is partly null" in reason:
        return "overlapping foreign keys" in world.app.features
    if reason.startswith("import: the database refused it"):
        return _cannot_restore(world)
    return False


def reason_of(error: LadingError) -> str:
    """Return what was wrong, without where."""
    if isinstance(error, ImportFailed):
        return f"import: {error.report.problems[0].message}"
    return error.problem


def declare(world: World) -> list[str]:
    """Use the catalog; return the mistakes, each of which says what to do."""
    mistakes: list[str] = []
    for catalog in (world.made.second, world.made.catalog):
        if catalog is None:
            continue
        mistakes = []
        with world.guarded("declaring"):
            try:
                import_order(catalog)
            except DeclarationError as error:
                mistakes = list(error.mistakes)
        names = [schema.__name__ for schema in catalog.schemas]
        for text in mistakes:
            is_said = any(name in text for name in names) or text.startswith(
                ("import order", "natural keys")
            )
            world.hold(is_said and REMEDY.search(text), f"no remedy in {text!r}")
    return mistakes


def _check_left_out(world: World) -> None:
    """What coverage lists has no schema, or was excluded by name."""
    app = world.app
    carried = {table.fullname for schema in app.schemas for table in schema.table.family()}
    links = {link.fullname for link in app.links}
    excluding = {
        table.fullname for s in app.schemas if "exclude" in s.meta for table in s.table.family()
    }
    for name in world.made.catalog.coverage():
        table = name if name in world.made.metadata.tables else name.rpartition(".")[0]
        is_table = name in world.made.metadata.tables
        allowed = table not in carried if is_table else table in excluding
        world.hold(allowed or name in links, f"{name} is left out for no reason")


def _round(world: World, *, tame: bool) -> int:
    """Fill, export, import, export; return how many records went round."""
    from support.drawn.variants import vary

    roll = world.rng.random()
    most = 2_500 if roll < 0.004 else 0 if roll < 0.04 else 30
    rows = draw_rows(world.app, world.home.dialect, tame=tame, most=most)
    source = filled(world.fresh(), world.made.metadata, rows)
    before = world.cells(source)
    first = world.export(source)
    world.hold(world.cells(source) == before, "an export changed its source")
    for catalog in (None, world.made.catalog):
        faults = verify(first, catalog=catalog).errors
        world.hold(not faults, f"verify finds faults in what was exported: {faults[:3]}")
    target = world.fresh()
    try:
        report = world.load(target, first)
    except LadingError as error:
        is_circle = "can't be placed before it" in str(error) and not tame
        may = is_circle or _cannot_restore(world)
        world.hold(may, f"no import takes what was exported: {error}")
        raise
    manifest = Manifest.from_bytes((first / "manifest.json").read_bytes())
    records = sum(entry.record_count for entry in manifest.files)
    world.stage = "after the import"
    world.hold(report.imported == records, f"{report.imported} of {records} were imported")
    world.same_cells(before, target)
    world.same_bytes(first, world.export(target))
    _again(world, target, first)
    if records:
        vary(world, source, before, first)
    return records


def _again(world: World, target: sa.Engine, path: Path) -> None:
    """A second import finds everything there, and changes nothing."""
    before = world.every_cell(target)
    report = world.load(target, path)
    world.stage = "after the second import"
    world.hold(not report.imported and not report.differing, f"imported again: {report}")
    world.hold(world.every_cell(target) == before, "a second import changed something")


def _cannot_restore(world: World) -> bool:
    """A column that isn't restored may be one that the database insists on, or checks."""
    for name in world.unseen:
        table, _, column = name.rpartition(".")
        if table in world.made.metadata.tables and column in world.made.metadata.tables[table].c:
            return True
    return False
