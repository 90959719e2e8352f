"""An export with ``overwrite="changed"``: an equal bundle stays, and any other is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from lading import ArgumentError, BundleError, Manifest, export_all
from lading.bundle import BundleReader
from support import worlds
from support.backends import Backend
from support.worlds import World


@pytest.fixture(scope="module")
def world() -> World:
    """Declare an application with every type of value."""
    return worlds.types()


@pytest.fixture
def filled(world: World, sqlite_memory: Backend) -> Iterator[sa.Engine]:
    """A database with its rows."""
    with sqlite_memory.database() as engine:
        yield world.filled(engine)


@pytest.fixture(params=["bundle", "bundle.zip"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder and a ZIP file."""
    return tmp_path / str(request.param)


def state(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return the inode, time and bytes of each file of a bundle."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {
        file.name: (file.stat().st_ino, file.stat().st_mtime_ns, file.read_bytes())
        for file in files
    }


def export(engine: sa.Engine, path: Path, world: World, **options: Any) -> Manifest:
    """Export with ``overwrite="changed"``."""
    return export_all(engine, path, catalog=world.catalog, overwrite="changed", **options)


def test_equal_records_leave_the_bundle_as_it_is(
    world: World, filled: sa.Engine, path: Path
) -> None:
    """Every file stays the same one, and the manifest returned is the old one's and says so."""
    first = export(filled, path, world)
    assert not first.unchanged
    before = state(path)
    second = export(filled, path, world, source="another release")
    assert second.unchanged
    assert str(second).endswith(", unchanged")
    assert (second, second.path) == (first, path)
    assert state(path) == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def delete_one(engine: sa.Engine, world: World, path: Path) -> None:
    """Change the records."""
    with Session(engine) as session, session.begin():
        session.delete(session.scalars(sa.select(world.Thing)).first())


def damage(engine: sa.Engine, world: World, path: Path) -> None:
    """Change a file of the bundle, and not the records."""
    file = path if path.is_file() else path / "01_things.json"
    data = file.read_bytes()
    file.write_bytes(data[:-3] + b" " + data[-3:])


@pytest.mark.parametrize("change", [delete_one, damage])
def test_any_other_bundle_is_replaced(
    world: World, filled: sa.Engine, path: Path, change: Callable[..., None]
) -> None:
    """One of other records, and one that isn't whole any more."""
    export(filled, path, world)
    change(filled, world, path)
    if path.is_file() and change is damage:
        path.unlink()  # a broken archive isn't known as a bundle, and is never replaced
    assert not export(filled, path, world).unchanged
    with BundleReader(path) as reader:
        reader.verify()


def test_a_bundle_of_fewer_entities_is_another(
    world: World, filled: sa.Engine, tmp_path: Path
) -> None:
    """The same bytes mean something else where a filter may have left records out."""
    path = tmp_path / "b"
    export(filled, path, world)
    where = {"things": world.Thing.code != ""}
    assert not export(filled, path, world, where=where).unchanged


def test_what_is_no_bundle_is_refused(world: World, filled: sa.Engine, tmp_path: Path) -> None:
    """As with overwrite=True; and other words than "changed" are wrong arguments."""
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "mine").write_text("x")
    with pytest.raises(BundleError, match="is there already and is not a bundle"):
        export(filled, tmp_path / "f", world)
    with pytest.raises(
        ArgumentError, match="overwrite='always'; expected True, False or 'changed'"
    ):
        export_all(filled, tmp_path / "b", catalog=world.catalog, overwrite="always")
