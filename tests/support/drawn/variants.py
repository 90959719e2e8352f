"""Further ways in which a bundle goes round, some of them drawn for each application."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading import LadingError, Manifest, export_document, import_document
from lading.values.scalars import Json
from support.backends import Backend
from support.drawn.running import World, reason_of
from support.raw import Dump
from support.rewriting import entity_bytes, rewritten

Variant = Callable[[World, sa.Engine, Dump, Path], None]
MOST = 2


def vary(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """Try some of the variants, and a move to each other engine."""
    for variant in world.rng.sample(VARIANTS, MOST):
        world.stage = variant.__name__
        variant(world, source, before, first)
    for away in world.away:
        if away.dialect in world.app.engines:
            world.stage = f"moved to {away.name}"
            moved(world, before, first, away)


def shuffled(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """The order of records doesn't matter."""

    def mixed(_name: str, records: list[Any]) -> list[Any]:
        world.rng.shuffle(records)
        return records

    path = rewritten(Path(shutil.copytree(first, world.path())), mixed)
    target = world.fresh()
    world.load(target, path)
    world.same_cells(before, target)
    world.same_bytes(first, world.export(target))


def zipped(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """A ZIP file carries the same."""
    target = world.fresh()
    world.load(target, world.export(source, world.path(".zip")))
    world.same_cells(before, target)


def with_ids(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """Ids for people who debug are ignored."""
    target = world.fresh()
    world.load(target, world.export(source, include_ids=True))
    world.same_cells(before, target)
    world.same_bytes(first, world.export(target))


def as_document(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """A document carries the same, through JSON text as well."""
    target = world.fresh()
    with world.guarded("as a document"), _quiet():
        document = json.loads(json.dumps(export_document(source, catalog=world.made.catalog)))
        import_document(target, document, catalog=world.made.catalog)
    world.same_cells(before, target)
    world.same_bytes(first, world.export(target))


def closed(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """Some records with all that they refer to fit an empty database, and come out again."""
    entities = world.made.catalog.use()
    name = world.rng.choice(list(entities.roots))
    rows = entities[name]
    column = world.rng.choice(list(rows.identity))
    with source.connect() as connection:
        held = list(connection.execute(sa.select(column)).scalars())
    some = world.rng.sample(held, len(held) // 2)
    path = world.export(source, where={name: column.in_(some)}, closure=True)
    target = world.fresh()
    world.load(target, path)
    again = world.export(target, where={name: sa.true()}, closure=True)
    if any(schema.dump_only for schema in world.app.schemas):
        return  # what is only written doesn't come back
    one, two = (_with_records(world.restored(entity_bytes(bundle))) for bundle in (path, again))
    world.hold(one == two, f"a closure over {name} came out otherwise")


def partial(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """Some entities alone find everything there where it came from."""
    names = list(world.made.catalog.use().roots)
    chosen = world.rng.sample(names, world.rng.randint(1, len(names)))
    path = world.export(source, only=chosen)
    report = world.load(source, path)
    world.hold(not report.imported and not report.differing, f"only {chosen}: {report}")
    world.same_cells(before, source)


def damaged(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """One field of the wrong type is refused, and every table stays as it was."""
    unhurt = _unhurt(world)

    def damage(record: dict[str, Any]) -> bool:
        names = [name for name in record if name not in unhurt]
        if names:
            record[world.rng.choice(names)] = [{"neither": "nor"}]
        return bool(names)

    _refuse_edited(world, first, damage)


def dangling(world: World, source: sa.Engine, before: Dump, first: Path) -> None:
    """A reference that leads nowhere is refused, and every table stays as it was."""
    written = {
        name: {reference.written: reference for reference in rows.references}
        for name, rows in world.made.catalog.use().roots.items()
    }

    def damage(record: dict[str, Any], entity: str) -> bool:
        held = [name for name in written[entity] if isinstance(record.get(name), dict)]
        if not held:
            return False
        inner = record[world.rng.choice(held)]
        while isinstance(next(iter(inner.values())), dict):
            inner = next(iter(inner.values()))
        inner[next(iter(inner))] = "zz-not-there"
        return True

    _refuse_edited(world, first, damage)


def moved(world: World, before: Dump, first: Path, away: Backend) -> None:
    """To another engine and back: equal bytes and cells, or a refusal that says where."""
    between = world.fresh(away)
    try:
        world.load(between, first)
    except LadingError as error:
        world.moves.append(f"refused by {away.name}: {reason_of(error)}")
        return
    world.moves.append(f"to {away.name} and back")
    second = world.export(between)
    world.same_bytes(first, second)
    target = world.fresh()
    world.load(target, second)
    world.same_bytes(first, world.export(target))
    world.same_cells(before, target)


def _refuse_edited(world: World, first: Path, damage: Callable[..., bool]) -> None:
    """Edit one record; the import must refuse it (``load`` holds the tables against before)."""
    entries = Manifest.from_bytes((first / "manifest.json").read_bytes()).files
    done: list[str] = []

    def edit(name: str, records: list[Any]) -> list[Any]:
        places = list(range(len(records)))
        world.rng.shuffle(places)
        for place in places:
            two = damage.__code__.co_argcount == 2
            if not done and (damage(records[place], name) if two else damage(records[place])):
                done.append(f"{name} {place + 1}")
        return records

    if any(entry.record_count for entry in entries):
        path = rewritten(Path(shutil.copytree(first, world.path())), edit)
        if done:
            try:
                world.load(world.fresh(), path)
            except LadingError:
                return
            raise world.broken(f"took a damaged record: {done[0]}")


def _unhurt(world: World) -> set[str]:
    """Fields that take anything: JSON, and what an import leaves aside (computed, only written)."""
    return {
        value.written
        for rows in world.made.catalog.use().all_rows()
        for value in rows.values
        if not value.writable or isinstance(value.kind, Json)
    }


def _quiet() -> Any:
    import warnings

    return warnings.catch_warnings(action="ignore")


VARIANTS: list[Variant] = [
    shuffled, zipped, with_ids, as_document, closed, partial, damaged, dangling,
]  # fmt: skip


def _with_records(files: dict[str, bytes]) -> list[bytes]:
    """Return the files that hold something; an entity that nothing refers to may be left out."""
    bodies = [data.partition(b'"records":[') for data in files.values()]
    return [b"".join(parts) for parts in bodies if b"{" in (parts[2] if parts[1] else parts[0])]
