"""Hostile files and folders: what isn't plain, isn't whole, or was converted on the way.

Tests are numbered as in the list of hostile inputs.
"""

from __future__ import annotations

import copy
import enum
import json
import os
import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from lading import (
    Catalog,
    EntitySchema,
    Owned,
    check,
    export_all,
    import_all,
    lock,
)
from lading.bundle import BundleReader
from lading.errors import BundleError, LadingError
from lading.locking.lock_file import _digest
from support.small_bundle import examine, write_small

OLD = b'{"slug":"old"}'


def plant_link(file: Path) -> None:
    """Put a link to a copy in a file's place."""
    copy = file.parent.parent / "copy"
    file.rename(copy)
    file.symlink_to(copy)


def plant_pipe(file: Path) -> None:
    """Put a pipe, from which nobody writes, in a file's place."""
    file.unlink()
    os.mkfifo(file)


def plant_folder(file: Path) -> None:
    """Put a folder in a file's place."""
    file.unlink()
    file.mkdir()


def plant_socket(file: Path) -> None:
    """Put a socket in a file's place."""
    file.unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(file))


@pytest.mark.parametrize("plant", [plant_link, plant_pipe, plant_folder, plant_socket])
@pytest.mark.parametrize("name", ["01_a.json", "manifest.json", "SHA256SUMS"])
def test_16_special_files_are_refused(
    plant: Callable[[Path], None], name: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Links, pipes, folders and sockets are never read, and nothing waits for them."""
    monkeypatch.chdir(tmp_path)
    path = Path("b")
    write_small(path, OLD)
    plant(path / name)
    with pytest.raises(BundleError) as caught:
        examine(path)
    assert str(caught.value) == f"{name}: is not a plain file. Put the file itself in its place."


def test_16_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own reason is given, with the file's name."""
    path = tmp_path / "b"
    write_small(path, OLD)
    real = os.open

    def refusing(file: Any, *args: Any, **named: Any) -> int:
        if file == "01_a.json":
            raise PermissionError(13, "Permission denied")
        return real(file, *args, **named)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(BundleError, match=r"^01_a\.json: can't be read: Permission denied"):
        examine(path)


def test_16_a_file_that_changes_while_it_is_read_is_found(tmp_path: Path) -> None:
    """What was read is compared with the checksum, not what stands there later or before."""
    path = tmp_path / "b"
    write_small(path, OLD)
    with BundleReader(path) as reader:
        reader.verify()
        (path / "01_a.json").write_bytes((path / "01_a.json").read_bytes().replace(b"old", b"odd"))
        with pytest.raises(BundleError, match="checksum differs"):
            list(reader.blocks(reader.manifest["a"], 5))


@pytest.mark.parametrize("name", ["01_A.json", "Manifest.json"])
def test_04_names_that_are_the_same_to_some_file_systems_are_told(
    tmp_path: Path, name: str
) -> None:
    """A folder with two such names can't be copied whole, and says which they are."""
    path = tmp_path / "b"
    write_small(path, OLD)
    (path / name).write_text("x")
    with pytest.raises(BundleError) as caught:
        examine(path)
    assert f"'{name}' (to some file systems the same as '{name.lower()}')" in str(caught.value)


# Line endings


@pytest.mark.parametrize("name", ["01_a.json", "manifest.json", "SHA256SUMS"])
def test_converted_line_endings_are_told_as_such(tmp_path: Path, name: str) -> None:
    """A file that git's autocrlf has converted isn't called damaged."""
    path = tmp_path / "b"
    write_small(path, OLD, b'{"slug":"' + b"x" * 300_000 + b'"}')
    file = path / name
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(BundleError) as caught:
        examine(path)
    assert str(caught.value) == (
        f"{name}: has CRLF line endings, which something converted (git does with core.autocrlf). "
        "Check it out again with '* -text' in the .gitattributes of its folder."
    )


def test_a_converted_file_with_other_edits_is_damaged(tmp_path: Path) -> None:
    """Line endings alone are no excuse for other bytes."""
    path = tmp_path / "b"
    write_small(path, OLD)
    data = (path / "01_a.json").read_bytes()
    (path / "01_a.json").write_bytes(data.replace(b"\n", b"\r\n").replace(b"old", b"odd"))
    with pytest.raises(BundleError, match="is longer than the"):
        examine(path)


# Locks


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


labels = sa.Table(
    "labels",
    Base.metadata,
    sa.Column("item", sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("tag", sa.ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"
    slug: Mapped[str] = mapped_column(sa.String(20), unique=True)


class Item(Base):
    __tablename__ = "items"
    slug: Mapped[str] = mapped_column(sa.String(20), unique=True)
    colour: Mapped[Colour]
    price: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2), default=Decimal("1.50"))
    first_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tags.id"))
    first: Mapped[Tag | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=labels)
    parts: Mapped[list[Part]] = relationship(order_by="Part.place")


class Part(Base):
    __tablename__ = "parts"
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("items.id"))
    place: Mapped[int]
    __table_args__ = (sa.UniqueConstraint("item_id", "place"),)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Give a catalog with shapes of most forms."""
    base = Catalog("c")

    class Own(EntitySchema):
        class Meta:
            catalog = base

    class TagSchema(Own):
        class Meta:
            model = Tag

    class PartSchema(Own):
        class Meta:
            model = Part

    class ItemSchema(Own):
        class Meta:
            model = Item

        parts = Owned(PartSchema)

    return base


@pytest.fixture
def locked(catalog: Catalog, tmp_path: Path) -> Path:
    """Lock the catalog."""
    lock(catalog, tmp_path / "lading.lock.json")
    return tmp_path / "lading.lock.json"


@pytest.mark.parametrize("name", ["lading.lock.json", "goldens/1.json"])
@pytest.mark.parametrize("plant", [plant_pipe, plant_folder, plant_socket])
def test_16_a_lock_or_golden_that_is_no_plain_file_is_refused(
    locked: Path, catalog: Catalog, name: str, plant: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Nothing waits for a pipe in the place of a lock or of golden records."""
    monkeypatch.chdir(locked.parent)
    plant(Path(name))
    for action in (check, lock):
        with pytest.raises(BundleError, match=f"^{name}: is not a plain file"):
            action(catalog, "lading.lock.json")


def test_no_lock_is_written_into_a_bundle(tmp_path: Path, catalog: Catalog) -> None:
    """A lock, or its goldens, in a bundle's folder would make that unreadable."""
    write_small(tmp_path / "b", OLD)
    with pytest.raises(BundleError, match=r"lading\.lock\.json: is inside of the bundle"):
        lock(catalog, tmp_path / "b" / "lading.lock.json")
    assert examine(tmp_path / "b") == [OLD]


def test_a_lock_may_be_a_link(locked: Path, catalog: Catalog) -> None:
    """A lock that is kept elsewhere is read through its link."""
    elsewhere = locked.rename(locked.with_name("elsewhere.json"))
    locked.symlink_to(elsewhere)
    assert check(catalog, locked) == []


@pytest.mark.parametrize("part", ["lading.lock.json", "goldens/1.json"])
def test_converted_line_endings_of_a_lock(locked: Path, catalog: Catalog, part: str) -> None:
    """A lock's own line endings mean nothing; those of its goldens are told."""
    file = locked.parent / part
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    if file == locked:
        assert check(catalog, locked) == []
        return
    with pytest.raises(BundleError, match=r"^goldens/1\.json: has CRLF line endings"):
        check(catalog, locked)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place within a JSON value: what holds it, and its key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def resealed(path: Path, content: Any) -> None:
    """Write a lock with the right checksum of its one seal."""
    seal = content["seals"][0]
    seal["sha256"] = _digest("c", "", seal)
    path.write_text(json.dumps(content, indent=2))


WRONG = [None, True, 5, "x", [], {}, [None], [{}], {"a": None}, [["a"]]]


def test_malformed_shapes_under_a_right_seal(locked: Path, catalog: Catalog) -> None:
    """Whatever a sealed shape holds, it is compared or refused; nothing else is raised."""
    good = json.loads(locked.read_text())
    count, refused = 0, list[str]()
    for place in range(len(list(places(good["seals"][0]["shapes"])))):
        for wrong in [*WRONG, ...]:
            content = copy.deepcopy(good)
            holder, key = list(places(content["seals"][0]["shapes"]))[place]
            if wrong is ...:
                del holder[key]
            else:
                holder[key] = wrong
            resealed(locked, content)
            count += 1
            try:
                check(catalog, locked)
            except LadingError as error:
                refused.append(str(error))
    assert count > 700
    assert len(refused) > count / 2
    assert not [text for text in refused if "lading.lock.json" not in text]


def test_a_malformed_shape_is_named(locked: Path, catalog: Catalog) -> None:
    """The place, what stands there and what should."""
    content = json.loads(locked.read_text())
    content["seals"][0]["shapes"]["items"]["fields"]["slug"]["type"] = []
    resealed(locked, content)
    with pytest.raises(BundleError) as caught:
        check(catalog, locked)
    assert str(caught.value) == (
        "lading.lock.json, seals[0].shapes.items.fields.slug.type: is []; expected a name, without "
        "NUL. Restore the file from version control."
    )


# Replaced meanwhile


def filled(*slugs: str) -> sa.Engine:
    """Fill a database with tags, and one item for the last of them."""
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        tags = [Tag(slug=slug) for slug in slugs]
        item = Item(slug=slugs[-1], colour=Colour.RED, first=tags[-1]) if slugs else None
        session.add_all([*tags, *([item] if item else [])])
    return engine


@pytest.mark.parametrize("times", [1, 9])
def test_an_import_of_a_bundle_that_is_replaced_begins_again_once(
    catalog: Catalog, tmp_path: Path, times: int
) -> None:
    """It reads the old bundle or the new one, never parts of both."""
    export_all(filled("old"), tmp_path / "b", catalog=catalog)
    replaced = 0

    def replace(_: Any) -> None:
        nonlocal replaced
        replaced += 1
        if replaced <= times:
            export_all(filled("new"), tmp_path / "b", catalog=catalog, overwrite=True)

    target = sa.create_engine("sqlite://")
    Base.metadata.create_all(target)
    if times == 1:
        import_all(target, tmp_path / "b", catalog=catalog, progress=replace)
    else:
        with pytest.raises(BundleError, match="was replaced or removed while it was read"):
            import_all(target, tmp_path / "b", catalog=catalog, progress=replace)
    with target.connect() as connection:
        found = connection.execute(sa.text("select slug from tags")).scalars().all()
    assert found == (["new"] if times == 1 else [])
