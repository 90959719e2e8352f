"""Hostile JSON text in entity files and documents: refused by record, in bounded time and memory.

Tests are numbered as in the list of hostile inputs.  Each record is told to both ways in, a
bundle's file and a document where that can hold it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from lading import Catalog, EntitySchema, export_all, import_all, import_document, verify
from lading.bundle.manifest import Manifest
from lading.bundle.manifest_seal import sealed
from lading.errors import ImportFailed, LadingError, TargetError
from lading.values.json_text import DEEPEST_VALUE, parse_json
from support.growth import is_linear


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)


links = sa.Table(
    "links",
    Base.metadata,
    sa.Column("thing", sa.ForeignKey("things.id"), primary_key=True),
    sa.Column("tag", sa.ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)


class Thing(Base):
    __tablename__ = "things"
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    size: Mapped[int]
    price: Mapped[Any] = mapped_column(sa.Numeric(8, 2))
    data: Mapped[Any] = mapped_column(sa.JSON)
    tags: Mapped[list[Tag]] = relationship(secondary=links)


class Place(Base):
    __tablename__ = "places"
    name: Mapped[str] = mapped_column(sa.String(40))
    above_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"))
    above: Mapped[Place | None] = relationship(remote_side="Place.id")
    __table_args__ = (sa.UniqueConstraint("above_id", "name"),)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Declare the catalog."""
    made = Catalog("c")

    class Own(EntitySchema):
        class Meta:
            catalog = made

    class TagSchema(Own):
        class Meta:
            model = Tag

    class ThingSchema(Own):
        class Meta:
            model = Thing

    class PlaceSchema(Own):
        class Meta:
            model = Place
            natural_key = ("above", "name")

    return made


@pytest.fixture
def engine() -> sa.Engine:
    """Make an empty database."""
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    return engine


@pytest.fixture
def bundle(catalog: Catalog, engine: sa.Engine, tmp_path: Path) -> Callable[[bytes], Path]:
    """Write a bundle whose one file of things has the given text, with every checksum right."""

    def write(text: bytes, count: int = 1) -> Path:
        path = tmp_path / "b"
        export_all(engine, path, catalog=catalog)
        manifest = json.loads((path / "manifest.json").read_text())
        entry = next(item for item in manifest["files"] if item["entity_type"] == "things")
        (path / entry["filename"]).write_bytes(text)
        entry |= {"sha256": sha256(text).hexdigest(), "bytes": len(text), "record_count": count}
        lines = [f"{item['sha256']}  {item['filename']}\n" for item in manifest["files"]]
        (path / "SHA256SUMS").write_text("".join(lines))
        sums = sorted(f"{item['entity_type']}\0{item['sha256']}\n" for item in manifest["files"])
        manifest["content_sha256"] = sha256("".join(sums).encode()).hexdigest()
        (path / "manifest.json").write_bytes(sealed(manifest))
        return path

    return write


HEAD = b'{"entity_type":"things","schema_version":1,"records":[\n'
RECORD = b'{"slug":"a","size":1,"price":"1.00","data":{},"tags":[]}'


def with_value(name: str, text: bytes) -> bytes:
    """Return a record's text with another value."""
    fields = {"slug": b'"a"', "size": b"1", "price": b'"1.00"', "data": b"{}", "tags": b"[]"}
    fields[name] = text
    return (
        b"{" + b",".join(b'"%b":%b' % (key.encode(), item) for key, item in fields.items()) + b"}"
    )


def refusal(path: Path, engine: sa.Engine, catalog: Catalog) -> str:
    """Import a bundle, which must be refused with nothing written; return the text."""
    with pytest.raises(LadingError) as caught:
        import_all(engine, path, catalog=catalog)
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from things")).scalar() == 0
    assert not verify(path)
    assert not verify(path, catalog=catalog)
    return str(caught.value)


VALUES = {
    "31-the-last-key-twice": (b'{"slug":"a",' + RECORD[1:], "key 'slug' stands twice"),
    "31-a-key-in-json-twice": (with_value("data", b'{"a":1,"a":2}'), "key 'a' stands twice"),
    "32-NaN": (with_value("data", b"NaN"), "JSON"),
    "32-Infinity": (with_value("data", b"[Infinity]"), "JSON"),
    "32-1e400": (with_value("data", b"1e400"), "1e400 has more digits than a double holds"),
    "32-1e400-in-a-number": (with_value("size", b"1e400"), "1e400 has more digits than a double holds"),
    "33-2^64": (with_value("size", b"18446744073709551616"), "size"),
    "33-5000-digits": (with_value("size", b"9" * 5000), "JSON"),
    "33-5000-digits-in-json": (with_value("data", b"9" * 5000), "JSON"),
    "33-a-fraction": (with_value("size", b"1.5"), "size"),
    "34-a-decimal-as-a-float": (with_value("price", b"1.1"), "price"),
    "35-half-a-surrogate": (with_value("slug", b'"\\ud800"'), "the record that ends here is not JSON"),
    "35-half-a-surrogate-in-json": (with_value("data", b'["\\udfff"]'), "the record that ends here is not JSON"),
    "36-invalid-utf-8": (
        with_value("slug", b'"caf\xe9"'), "its text isn't UTF-8: byte 0xe9 follows '{\"slug\":\"caf'",
    ),
    "36-overlong-utf-8": (with_value("data", b'"\xc0\xaf"'), "its text isn't UTF-8: byte 0xc0"),
    "40-an-unknown-field": (RECORD[:-1] + b',"more":1}', "more"),
    "40-a-missing-field": (RECORD.replace(b'"size":1,', b""), "size"),
    "40-null": (with_value("size", b"null"), "size"),
    "41-keys-equal-after-nfc": (
        '{"é":1,"é":1,'.encode() + RECORD[1:], "é",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_records_that_mean_something_else_to_others(
    case: str, bundle: Any, engine: sa.Engine, catalog: Catalog
) -> None:
    """The record is named, and nothing is written (31 to 36, 40, 41)."""
    record, text = VALUES[case]
    found = refusal(bundle(HEAD + record + b"\n]}\n"), engine, catalog)
    assert "_things.json record 1" in found
    assert text in found


FILES = {
    "36-a-byte-order-mark": (b"\xef\xbb\xbf" + HEAD + RECORD + b"\n]}\n", "byte order mark"),
    "36-utf-16": ((HEAD + RECORD + b"\n]}\n").decode().encode("utf-16"), "byte order mark"),
    "38-empty": (b"", "found the end of the file"),
    "38-truncated": (HEAD + RECORD[:-3], "the file ends in the middle of a value"),
    "38-a-second-document": (HEAD + RECORD + b"\n]}\n{}", "something follows the document"),
    "38-a-list": (b"[" + RECORD + b"]", "expected '{', found '['"),
    "38-a-record-that-is-a-number": (HEAD + b"5\n]}\n", "expected a record, found '5'"),
    "39-a-giant-number": (HEAD[:-14] + b"9" * 300_000, "a number is longer than 1000 characters"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_are_no_entity_file(
    case: str, bundle: Any, engine: sa.Engine, catalog: Catalog
) -> None:
    """The file and the byte are named, and nothing is written (36, 38, 39)."""
    text, expected = FILES[case]
    found = refusal(bundle(text, count=min(1, len(text))), engine, catalog)
    assert "_things.json" in found
    assert expected in found


@pytest.mark.parametrize(("field", "column"), [("slug", "slug"), ("data", "data")])
def test_36_text_of_a_database_that_is_no_utf_8_is_named(
    field: str, column: str, engine: sa.Engine, catalog: Catalog, tmp_path: Path
) -> None:
    """SQLite keeps whatever bytes an application took for text; the row and field are told."""
    import_document(engine, thing({}), catalog=catalog)
    with engine.begin() as connection:
        connection.execute(sa.text(f"update things set {column} = cast(x'22636166e922' as text)"))
    with pytest.raises(TargetError) as caught:
        export_all(engine, tmp_path / "b", catalog=catalog)
    assert str(caught.value) == (
        f"things, {field}: the row with id 1 holds text that isn't UTF-8: b'\"caf\\xe9\"'. Correct it "
        f"there, in things.{column}: where it is Latin-1, by its decoded text; or declare the column "
        "as bytes."
    )
    assert list(tmp_path.iterdir()) == []


# Depth


def nested(depth: int) -> Any:
    """Return a JSON value of so many levels."""
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def far_down(frames: int, work: Callable[[], Any]) -> Any:
    """Do some work below so many frames of a caller's own."""
    return work() if not frames else far_down(frames - 1, work)


def thing(data: Any) -> dict[str, Any]:
    """Return a document of one thing."""
    record = {"slug": "a", "size": 1, "price": "1.00", "data": data, "tags": []}
    return {"schema_versions": {"things": 1}, "things": [record]}


@pytest.mark.parametrize("frames", [0, 600])
def test_37_json_nests_as_deep_whatever_the_stack(
    frames: int, engine: sa.Engine, catalog: Catalog, tmp_path: Path
) -> None:
    """What the one process writes, every other reads, and the limit is the same for all."""
    deepest = thing(nested(DEEPEST_VALUE))
    far_down(frames, lambda: import_document(engine, deepest, catalog=catalog))
    far_down(600 - frames, lambda: export_all(engine, tmp_path / "b", catalog=catalog))
    with engine.begin() as connection:
        connection.execute(sa.text("delete from things"))
    report = far_down(frames, lambda: import_all(engine, tmp_path / "b", catalog=catalog))
    assert report.inserted == 1
    with pytest.raises(ImportFailed, match=r"record 1, data.*more than 500 levels deep"):
        deeper = thing(nested(DEEPEST_VALUE + 1))
        far_down(frames, lambda: import_document(engine, deeper, catalog=catalog))
    with engine.begin() as connection:
        text = json.dumps(nested(DEEPEST_VALUE + 1))
        connection.execute(sa.text("update things set data = :text"), {"text": text})
    with pytest.raises(LadingError, match="more than 500 levels deep"):
        far_down(frames, lambda: export_all(engine, tmp_path / "c", catalog=catalog))


def test_37_keys_that_recur_nest_as_deep_whatever_the_stack(
    engine: sa.Engine, catalog: Catalog, tmp_path: Path
) -> None:
    """A key of 500 levels is read below 600 frames of a caller's own."""
    with engine.begin() as connection:
        places = Base.metadata.tables["places"]
        rows = [{"id": n, "name": "x", "above_id": n - 1 or None} for n in range(1, 501)]
        connection.execute(places.insert(), rows)
    far_down(600, lambda: export_all(engine, tmp_path / "b", catalog=catalog))
    with engine.begin() as connection:
        connection.execute(sa.text("delete from places"))
    report = far_down(600, lambda: import_all(engine, tmp_path / "b", catalog=catalog))
    assert report.inserted == 500


def test_37_errors_about_deep_keys_need_no_stack(
    engine: sa.Engine, catalog: Catalog, tmp_path: Path
) -> None:
    """A missing parent and a twin, hundreds of levels deep, below 600 frames."""
    key: Any = None
    for _ in range(400):
        key = {"above": key, "name": "x"}
    twins = [dict(key), dict(key)]
    document = {"schema_versions": {"places": 1}, "places": twins}
    with pytest.raises(ImportFailed) as caught:
        far_down(600, lambda: import_document(engine, document, catalog=catalog))
    assert "places record 2: has the natural key of record 1" in str(caught.value)
    document["places"] = twins[:1]
    with pytest.raises(ImportFailed, match="places record 1, above: places: no record has"):
        far_down(600, lambda: import_document(engine, document, catalog=catalog))


@pytest.mark.parametrize("open_", [b"[", b'{"a":'])
def test_37_a_hundred_thousand_levels_are_refused(
    open_: bytes, bundle: Any, engine: sa.Engine, catalog: Catalog
) -> None:
    """In a file they are refused by record; in a document as well, even in a circle."""
    close = b"]" if open_ == b"[" else b"}"
    deep = with_value("data", open_ * 100_000 + b"1" + close * 100_000)
    found = refusal(bundle(HEAD + deep + b"\n]}\n"), engine, catalog)
    assert "record 1: is malformed near byte" in found
    assert "nested more than 600 deep" in found
    circle: list[Any] = []
    circle.append(circle)
    for data in (nested(100_000), circle):
        with pytest.raises(LadingError, match=r"record 1: .*nested more than 600 levels deep"):
            import_document(engine, thing(data), catalog=catalog)


# Time and memory


def refusing(read: Callable[[Any], Any], given: Any) -> Callable[[], Any]:
    """Return work that refuses what it is given."""

    def work() -> None:
        with pytest.raises((LadingError, ValueError)):
            read(given)

    return work


@pytest.mark.parametrize("read", [parse_json, Manifest.from_bytes])
def test_31_many_keys_with_one_twice_take_linear_time(read: Callable[[Any], Any]) -> None:
    """A record or a manifest, the last key of which is there twice."""

    def prepare(size: int) -> Callable[[], Any]:
        text = "{" + ",".join(f'"{n}":1' for n in range(size)) + f',"{size - 1}":1}}'
        return refusing(read, text.encode())

    assert is_linear(prepare, 10_000)


def test_39_many_links_with_one_twice_take_linear_time(engine: sa.Engine, catalog: Catalog) -> None:
    """A list of links, the last of which is there twice."""

    def prepare(size: int) -> Callable[[], Any]:
        tags = [{"slug": str(n)} for n in range(size)]
        record = thing({})["things"][0] | {"tags": [*tags, tags[-1]]}
        versions = {"things": 1, "tags": 1}
        document = {"schema_versions": versions, "tags": tags, "things": [record]}
        return refusing(lambda given: import_document(engine, given, catalog=catalog), document)

    assert is_linear(prepare, 1_000)


def test_39_problems_are_kept_up_to_a_bound(engine: sa.Engine, catalog: Catalog) -> None:
    """All are counted, the first thousand are kept."""
    bad = {"slug": 1}
    document = {"schema_versions": {"tags": 1}, "tags": [bad] * 3000}
    with pytest.raises(
        ImportFailed, match=r"3,000 problems:(\n.*){5}\n  and 2995 more\.$"
    ) as caught:
        import_document(engine, document, catalog=catalog)
    report = caught.value.report
    assert (len(report.problems), report.problem_count, report.failed) == (1000, 3000, 3000)
    report = import_document(engine, document, catalog=catalog, on_error="continue")
    assert "and 2995 more" in str(report)


def test_39_a_giant_record_is_refused(
    bundle: Any, engine: sa.Engine, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is read up to a bound."""
    monkeypatch.setattr("lading.bundle.lines.MAX_RECORD", 100_000)
    monkeypatch.setattr("lading.bundle.scan.MAX_RECORD", 100_000)
    giant = with_value("data", b'"' + b"x" * 2_000_000 + b'"')
    assert "a record is longer than 100000 bytes" in refusal(
        bundle(HEAD + giant + b"\n]}\n"), engine, catalog
    )
