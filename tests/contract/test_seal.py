"""``seal``: a bundle that was edited by hand is whole again, or refused as it is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import zipfile
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, relationship

from lading import (
    BundleError,
    Catalog,
    ImportFailed,
    Owned,
    export_all,
    import_all,
    seal,
    verify,
)
from lading.bundle import BundleReader
from support.aged import pantry
from support.backends import SQLiteMemory
from support.declaring import new_base, schema_for
from support.packing import packed
from support.rewriting import entity_bytes
from support.shop import shop
from support.world import World, key, number, slug, to
from support.zoo import WORLDS

#: What touches files, as Python's audit hooks call it.
STEPS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"}
TAGS = b'[{"slug":"dry"},{"slug":"new"}]'


def edit(path: Path, name: str, *edits: tuple[bytes, bytes]) -> Path:
    """Replace texts of one file, of a folder or of an archive that is packed anew."""
    folder = path
    if path.is_file():
        folder = path.with_suffix("")
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    data = (folder / name).read_bytes()
    for old, new in edits:
        assert old in data
        data = data.replace(old, new, 1)
    (folder / name).write_bytes(data)
    if path.is_file():
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)
        shutil.rmtree(folder)
    return path


def contents(path: Path) -> dict[str, Any]:
    """Return the bytes of every file, and their times."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


@pytest.mark.parametrize("name", ["b", "b.zip"])
@pytest.mark.parametrize("by_catalog", [False, True])
def test_an_edit_is_sealed_in_canonical_form(tmp_path: Path, name: str, by_catalog: bool) -> None:
    """Prices get their scale, lists and records their order, counts and checksums are anew."""
    world = shop(4)
    path = packed(world, tmp_path / name)
    edit(
        path,
        "04_products.json",
        (b'"price":"0.50"', b'"price": "4.5"'),
        (b'"slug":"p0002"', b'"slug":"p0009"'),
        (TAGS, b'[{"slug":"new"},{"slug":"dry"}]'),
        (TAGS, b"[]"),
        (b'"data":{"a":[4],"b":null}', b'"data":{"b":2,"a":[4]}'),
    )
    sealed = seal(path, catalog=world.catalog if by_catalog else None)
    assert sealed
    assert verify(path, catalog=world.catalog).errors == []
    assert [
        (f.entity, f.records_before, f.records, f.rewritten, f.moved) for f in sealed.files
    ] == [("products", 4, 4, 2, 1)]
    assert str(sealed).endswith(
        "04_products.json: 4 records, 2 rewritten in canonical form, 1 put in key order"
    )
    with BundleReader(path) as reader:
        assert sealed.manifest == reader.manifest
        assert reader.manifest["products"].references["tags"].count == 6
    with SQLiteMemory().database(world.metadata) as engine:
        import_all(engine, path, catalog=world.catalog)
        again = export_all(engine, tmp_path / "again", catalog=world.catalog)
    assert again.content_sha256 == sealed.manifest.content_sha256
    assert b'"slug":"p0001","price":"4.50"' in (tmp_path / "again/04_products.json").read_bytes()


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_whole_stays_as_it_is(tmp_path: Path, name: str) -> None:
    """Whatever features it uses: nothing is written."""
    world = WORLDS[name]()
    path = packed(world, tmp_path / "b")
    before = contents(path)
    sealed = seal(path, catalog=world.catalog)
    assert not sealed
    assert "whole already; nothing was written" in str(sealed)
    assert contents(path) == before


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("by_catalog", [False, True])
def test_a_reformatted_bundle_gets_its_bytes_back(
    tmp_path: Path, name: str, by_catalog: bool
) -> None:
    """Pretty-printed and upside down, as an editor and a person may leave it."""
    world = WORLDS[name]()
    path = packed(world, tmp_path / "b")
    before = entity_bytes(path)
    for file in path.glob("[0-9]*.json"):
        body = json.loads(file.read_bytes())
        body["records"].reverse()
        file.write_text(json.dumps(body, indent=2, ensure_ascii=False))
    with BundleReader(path) as reader:
        files = reader.manifest.files
    is_told = not any(entry.shape.get("custom") for entry in files)
    if not is_told and not by_catalog:
        with pytest.raises(ImportFailed, match="Pass its catalog="):
            seal(path)
        return
    sealed = seal(path, catalog=world.catalog if by_catalog else None)
    assert [file.filename for file in sealed.files] == sorted(before)
    assert entity_bytes(path) == before
    assert verify(path, catalog=world.catalog).errors == []


@pytest.mark.parametrize("by_catalog", [False, True])
def test_keys_that_lead_through_one_that_recurs_get_their_bytes_back(
    tmp_path: Path, by_catalog: bool
) -> None:
    """However deep the recursive key stands in a reference; ``verify`` finds its text as well."""
    base, catalog = new_base(), Catalog("posts")

    class Topic(base):  # type: ignore[misc, valid-type]
        __tablename__ = "topics"
        id = key()
        above_id = to("topics.id", null=True)
        name = slug()
        above = relationship("Topic", remote_side=id)

    class Post(base):  # type: ignore[misc, valid-type]
        __tablename__ = "posts"
        id = key()
        topic_id = to("topics.id")
        topic = relationship(Topic)
        place = number()

    class Vote(base):  # type: ignore[misc, valid-type]
        __tablename__ = "votes"
        id = key()
        slug = slug()
        post_id = to("posts.id")
        post = relationship(Post)

    schema_for(Topic, catalog, natural_key=("above", "name"))
    schema_for(Post, catalog, natural_key=("topic", "place"))
    schema_for(Vote, catalog)
    with SQLiteMemory().database(base.metadata) as engine, Session(engine) as session:
        topic = Topic(name="b", above=Topic(name="a"))
        session.add(Vote(slug="v", post=Post(topic=topic, place=1)))
        session.flush()
        export_all(session, tmp_path / "b", catalog=catalog)
    before = contents(tmp_path / "b")["03_votes.json"][0]
    above = b'{"above":null,"name":"a"}'
    edit(tmp_path / "b", "03_votes.json", (above, b'{ "name":"\\u0061","above":null}'))
    codes = {problem.code for problem in verify(tmp_path / "b", catalog=catalog).problems}
    assert "not-canonical" in codes
    assert seal(tmp_path / "b", catalog=catalog if by_catalog else None)
    assert contents(tmp_path / "b")["03_votes.json"][0] == before


def test_records_come_and_go(tmp_path: Path) -> None:
    """Their number is told, before and after."""
    path = packed(shop(3), tmp_path / "b")
    file = path / "04_products.json"
    head, one, _, three, *rest = file.read_text().split("\n")
    more = one.replace("p0001", "p0000")
    file.write_text("\n".join([head, one, f"{more},", three, *rest]))
    with pytest.raises(ImportFailed, match="trailing characters"):
        seal(path)
    file.write_text("\n".join([head, one, more, three, *rest]))
    (told,) = seal(path).files
    assert (told.records_before, told.records, told.moved) == (3, 3, 1)
    file.write_text("\n".join([head, *file.read_text().split("\n")[2:]]))
    (told,) = seal(path).files
    assert (told.records_before, told.records) == (3, 2)
    assert str(told) == "04_products.json: 3 records became 2"
    assert verify(path)


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_what_is_not_mendable_is_refused(tmp_path: Path, name: str) -> None:
    """With every such fault by its place, and the bundle as it was."""
    path = packed(shop(4), tmp_path / name)
    edit(
        path,
        "04_products.json",
        (b'"price":"0.50"', b'"price":"cheap"'),
        (b'"p0002"', b'"p0003"'),
        (b'"supplier":{"slug":"mill"}', b'"supplier":{"slug":"bakery"}'),
        (b'"p0004","price"', b'"p0004", "price"'),
    )
    before = contents(path)
    with pytest.raises(ImportFailed) as caught:
        seal(path)
    assert [(p.record, p.field) for p in caught.value.report.problems] == [
        (1, "price"), (3, None), (2, "supplier"),
    ]  # fmt: skip
    assert contents(path) == before
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_more_than_may_be_read_is_no_edit(tmp_path: Path, name: str) -> None:
    """What a limit leaves unread can be compared with nothing."""
    path = packed(shop(4), tmp_path / name)
    before = contents(path)
    check = verify(path, max_bytes=200)
    assert {problem.code for problem in check.problems} == {"too-large", "file-unread"}
    with pytest.raises(ImportFailed, match="that may still be read"):
        seal(path, max_bytes=200)
    assert contents(path) == before


def test_files_too_many_and_too_few_are_refused(tmp_path: Path) -> None:
    """They were no edit of records."""
    path = packed(shop(2), tmp_path / "b")
    (path / "more.txt").write_text("x")
    (path / "03_tags.json").unlink()
    with pytest.raises(ImportFailed) as caught:
        seal(path)
    texts = "\n".join(map(str, caught.value.report.problems))
    assert "doesn't list: 'more.txt'" in texts
    assert "03_tags.json: is missing from the bundle" in texts


def test_an_edited_manifest_is_sealed(tmp_path: Path) -> None:
    """What it says of the application is a person's to say."""
    path = packed(shop(2), tmp_path / "b")
    edit(path, "manifest.json", (b'"source": null', b'"source": "shop 2"'))
    (path / "SHA256SUMS").unlink()
    sealed = seal(path)
    assert (sealed.manifest.source, sealed.files) == ("shop 2", ())
    assert str(sealed).endswith("every entity file is as it was")
    assert verify(path)


def test_an_older_bundle_stays_one(tmp_path: Path) -> None:
    """It is sealed at its own version, and held against the catalog's."""
    path = packed(pantry(1), tmp_path / "b")
    edit(path, "03_products.json", (b'"weight":2', b'"weight": 3'))
    sealed = seal(path, catalog=pantry(2).catalog)
    assert sealed.manifest["products"].schema_version == 1
    assert verify(path, catalog=pantry(2).catalog)


def test_a_partial_bundle_counts_what_leads_out(tmp_path: Path) -> None:
    """Links to entities that it doesn't hold may come and go."""
    path = packed(shop(3), tmp_path / "b", only=["products", "tags"])
    supplier = b'"supplier":{"slug":"mill"}'
    edit(path, "02_products.json", (b',"maker":{"slug":"mill"}', b',"maker":null'))
    assert supplier in (path / "02_products.json").read_bytes()
    counts = {edge.field: edge.count for edge in seal(path).manifest.external}
    assert counts == {"supplier": 3, "aisle": 2, "parts.maker": 2}
    assert verify(path)


@pytest.mark.parametrize("has_catalog", [True, False])
def test_a_reference_that_no_longer_leads_out_is_not_listed(
    tmp_path: Path, has_catalog: bool
) -> None:
    """Whether the catalog or the bundle's shapes say where references lead."""
    path = packed(world := shop(2), tmp_path / "b", only=["products", "tags"])
    file = path / "02_products.json"
    aisle = b'"aisle":{"above":{"above":null,"name":"food"},"name":"bread"}'
    edit(path, file.name, (aisle, b'"aisle":null'))
    sealed = seal(path, catalog=world.catalog if has_catalog else None)
    assert {edge.field for edge in sealed.manifest.external} == {"supplier", "parts.maker"}
    assert verify(path, catalog=world.catalog)


def test_ids_are_not_for_editing(tmp_path: Path) -> None:
    """An import ignores them, so no edit is sealed in such a bundle."""
    path = packed(shop(2), tmp_path / "b", include_ids=True)
    assert not seal(path)
    edit(path, "04_products.json", (b'"0.50"', b'"0.75"'))
    with pytest.raises(ImportFailed, match="carries surrogate ids"):
        seal(path)


def test_a_path_without_a_bundle_is_refused(tmp_path: Path) -> None:
    """As by everybody who reads one."""
    with pytest.raises(BundleError, match="there is no such file or folder"):
        seal(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportFailed, match=r"has no manifest\.json"):
        seal(tmp_path / "empty")


def killed_at(step: int, path: Path) -> bool:
    """Seal in a process that is killed before its so manieth step on files; tell whether it was."""
    child = os.fork()
    if not child:
        left = step

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event in STEPS and str(path.parent) in "".join(map(str, arguments)):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        seal(path)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_a_kill_leaves_the_old_or_the_new(tmp_path: Path, name: str) -> None:
    """Whatever the moment: the edited bundle, which can be sealed again, or the sealed one."""
    (tmp_path / "from").mkdir()
    source = packed(shop(2), tmp_path / "from" / name)
    edit(source, "04_products.json", (b'"0.50"', b'"0.75"'))
    copy: Any = shutil.copytree if source.is_dir() else shutil.copy
    outcomes = []
    for step in range(1_000):
        folder = tmp_path / str(step)
        folder.mkdir()
        target = Path(copy(source, folder / name))
        was_killed = killed_at(step, target)
        outcomes.append(bool(verify(target)))
        assert outcomes[-1] or was_killed
        assert bool(seal(target)) is not outcomes[-1]
        assert verify(target)
        assert [file.name for file in folder.iterdir() if outcomes[-1] is False] in ([], [name])
        if not was_killed:
            break
    assert outcomes == sorted(outcomes)
    assert len(outcomes) > 5


def test_an_order_that_only_the_catalog_tells_needs_it(tmp_path: Path) -> None:
    """A key that leads through an owned row isn't told by the shapes alone."""
    base, catalog = new_base(), Catalog("notes")

    class Line(base):
        __tablename__ = "lines"
        __table_args__ = (sa.UniqueConstraint("order_id", "place"),)
        id = key()
        order_id = to("orders.id")
        place = number()

    class Order(base):
        __tablename__ = "orders"
        id = key()
        slug = slug()
        lines = relationship(Line)

    class Note(base):
        __tablename__ = "notes"
        id = key()
        line_id = to("lines.id", unique=True)
        line = relationship(Line)

    schema_for(Order, catalog, {"lines": Owned(schema_for(Line, catalog))})
    schema_for(Note, catalog, natural_key="line")

    def fill(session: Session) -> None:
        lines = [Line(place=place) for place in (1, 2, 10)]
        session.add(Order(slug="o", lines=lines))
        session.add_all(Note(line=line) for line in lines)

    path = packed(World(base, catalog, None, fill), tmp_path / "b")  # type: ignore[arg-type]
    before = entity_bytes(path)
    file = next(path.glob("*_notes.json"))
    head, one, two, *rest = file.read_text().split("\n")
    file.write_text("\n".join([head, two, one, *rest]))
    with pytest.raises(ImportFailed, match="has a key whose order only its catalog tells"):
        seal(path)
    assert seal(path, catalog=catalog)
    assert entity_bytes(path) == before


@pytest.mark.parametrize("edited", ["tags", "notes", "places"])
def test_references_that_only_the_catalog_follows_need_it(tmp_path: Path, edited: str) -> None:
    """Neither what a hook's records refer to, nor what refers to them, is edited without it."""
    base, catalog = new_base(), Catalog("notes")

    class Tag(base):
        __tablename__ = "tags"
        id = key()
        slug = slug()

    class Note(base):
        __tablename__ = "notes"
        id = key()
        slug = slug()
        tag_id = to("tags.id")
        tag = relationship(Tag)

    class Place(base):
        __tablename__ = "places"
        id = key()
        slug = slug()
        note_id = to("notes.id")
        note = relationship(Note)

    def fill(session: Session) -> None:
        note = Note(slug="n", tag=Tag(slug="t"))
        session.add(Place(slug="p", note=note))

    schema_for(Tag, catalog)
    schema_for(Note, catalog, {"slug": ma.fields.String(required=True)})
    schema_for(Place, catalog)
    path = packed(World(base, catalog, None, fill), tmp_path / "b")  # type: ignore[arg-type]
    file = next(path.glob(f"*_{edited}.json"))
    named = "n" if edited == "places" else edited[0]
    file.write_text(file.read_text().replace(f'"slug":"{named}"', '"slug":"other"'))
    before = entity_bytes(path)
    with pytest.raises(ImportFailed, match="Pass its catalog="):
        seal(path)
    assert entity_bytes(path) == before
    with pytest.raises(ImportFailed, match="leads nowhere"):
        seal(path, catalog=catalog)


@pytest.mark.parametrize("way", ["asc", "desc"])
def test_a_list_keeps_the_order_that_its_rows_say(tmp_path: Path, way: str) -> None:
    """The manifest says what lists are ordered by, and which way."""
    base, catalog = new_base(), Catalog("notes")

    class Line(base):
        __tablename__ = "lines"
        id = key()
        order_id = to("orders.id")
        place = number()

    class Order(base):
        __tablename__ = "orders"
        id = key()
        slug = slug()
        lines = relationship(Line, order_by=getattr(Line.place, way)())

    def fill(session: Session) -> None:
        session.add(Order(slug="o", lines=[Line(place=place) for place in (1, 2, 10)]))

    schema_for(Order, catalog, {"lines": Owned(schema_for(Line, catalog))})
    world = World(base, catalog, None, fill)  # type: ignore[arg-type]
    path = packed(world, tmp_path / "b")
    edit(path, "01_orders.json", (b'"place":2}', b'"place":20}'))
    assert not verify(path)
    assert "1 rewritten in canonical form" in str(seal(path))
    assert verify(path, catalog=catalog, restore=True)
    places = [1, 10, 20] if way == "asc" else [20, 10, 1]
    (record,) = json.loads((path / "01_orders.json").read_text())["records"]
    assert [line["place"] for line in record["lines"]] == places
