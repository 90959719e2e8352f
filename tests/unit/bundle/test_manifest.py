"""The manifest's values, its canonical text, and everything that reading refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lading.bundle.manifest import (
    Deferred,
    External,
    FileEntry,
    LinkCount,
    Manifest,
    content_digest,
)
from lading.bundle.manifest_seal import sealed
from lading.errors import BundleError, ChecksumError, LadingError, VersionError
from lading.filenames import name_fault

TAIL = "Export again, or use an undamaged copy."


def entry(n: int, entity: str, *needs: str, digest: str = "ab" * 32) -> FileEntry:
    """Make a file's entry, with a link to each of its needs."""
    return FileEntry(
        filename=f"{n:02}_{entity}.json",
        entity_type=entity,
        record_count=2,
        sha256=digest,
        bytes=1200,
        dependencies=needs,
        import_order=n,
        schema_version=1,
        natural_key=("slug",),
        references={need: LinkCount(need, 2) for need in needs},
        shape={"fields": ["slug"]},
    )


def manifest(*files: FileEntry, **changes: Any) -> Manifest:
    """Make a manifest of some entries, by default of two."""
    files = files or (entry(1, "suppliers"), entry(2, "purchases", "suppliers"))
    made = Manifest(
        version="1.0",
        export_date=datetime(2025, 1, 31, 12, 0, tzinfo=UTC),
        source="bakery 3.1",
        catalog="bakery",
        lading_version="0.1.0",
        requires=(),
        partial=False,
        left_out={"sessions": "short-lived", "tags": None},
        external=(External("purchases", "buyer", "people", 3),),
        snapshot="repeatable read",
        files=files,
        deferred=(Deferred("suppliers", "favourite", "purchases", "update"),),
        content_sha256=content_digest(files),
    )
    return replace(made, **changes)


Change = Callable[[dict[str, Any]], object]


def edited(change: Change) -> bytes:
    """Return a manifest's text with a change, and a right checksum of its own."""
    body = json.loads(manifest().to_bytes())
    change(body)
    return sealed(body)


def at(*path: Any, value: Any) -> Change:
    """Return a change that sets one value."""

    def change(body: dict[str, Any]) -> None:
        inner: Any = body
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def test_text_reads_back_equal() -> None:
    """Reading what was written gives the same manifest."""
    assert Manifest.from_bytes(manifest().to_bytes()) == manifest()


def test_text_is_pinned() -> None:
    """The text of a small manifest is exactly this."""
    small = manifest(
        replace(entry(1, "a"), shape={}), external=(), deferred=(), left_out={}, source=None
    )
    assert small.to_bytes().decode() == (
        """{
  "version": "1.0",
  "export_date": "2025-01-31T12:00:00Z",
  "source": null,
  "catalog": "bakery",
  "lading_version": "0.1.0",
  "requires": [],
  "partial": false,
  "left_out": {},
  "external": [],
  "snapshot": "repeatable read",
  "files": [
    {
      "filename": "01_a.json",
      "entity_type": "a",
      "record_count": 2,
      "sha256": "abababababababababababababababababababababababababababababababab",
      "bytes": 1200,
      "dependencies": [],
      "import_order": 1,
      "schema_version": 1,
      "natural_key": [
        "slug"
      ],
      "references": {},
      "shape": {}
    }
  ],
  "deferred": [],
  "content_sha256": "94733822b2ffa72cf67c0381c97ae157ec4a646fd6d711d71532290d53791499",
  "manifest_sha256": "cb57e49785f9347fcec99af075a1b32764c893631ee1531728f36bde24cd9ed1"
}
"""
    )


def test_path_is_neither_compared_nor_written() -> None:
    """Where a manifest lies is no part of what it says."""
    here = manifest(path=Path("here"))
    assert here == manifest()
    assert here.to_bytes() == manifest().to_bytes()


def test_dates_are_written_in_utc() -> None:
    """An aware date of another zone is written as the same instant."""
    date = datetime(2025, 1, 31, 14, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    text = manifest(export_date=date).to_bytes()
    assert b'"2025-01-31T12:00:00.000005Z"' in text
    assert Manifest.from_bytes(text).export_date == date


def test_naive_dates_are_refused() -> None:
    """A date without a zone is no instant."""
    with pytest.raises(BundleError, match="is without a time zone; expected UTC"):
        manifest(export_date=datetime(2025, 1, 31)).to_bytes()


@pytest.mark.parametrize("value", ["\ud800", float("nan"), object()])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    """Writing a value without a JSON form is a typed error."""
    with pytest.raises(BundleError, match="can't be written as JSON"):
        manifest(left_out={"x": value}).to_bytes()


def test_content_digest_is_of_the_data_alone() -> None:
    """Order and file names don't count; entities and checksums do."""
    a, b = entry(1, "a"), entry(2, "b")
    moved = replace(a, filename="x.json", import_order=7)
    assert content_digest([a, b]) == content_digest([b, moved])
    assert content_digest([a]) != content_digest([b])
    assert content_digest([a]) != content_digest([replace(a, sha256="cd" * 32)])


def test_entries_are_found_by_entity() -> None:
    """Indexing gives the entity's entry, or a KeyError."""
    assert manifest()["purchases"].import_order == 2
    with pytest.raises(KeyError, match="nothing"):
        manifest()["nothing"]


def test_summary() -> None:
    """The string names place, numbers and digest, and what leads out of a partial bundle."""
    digest = manifest().content_sha256[:12]
    text = f"backup: 2 entities, 4 records, 2,400 bytes, content {digest}, partial"
    text += "\n  3 references lead to records outside of it: purchases 3"
    assert str(manifest(path=Path("backup"), partial=True)) == text
    assert str(manifest(entry(1, "a"))).startswith("bundle: 1 entity, 2 records, 1,200 bytes")


def test_table() -> None:
    """The table is aligned, and ends with totals."""
    digest = manifest().content_sha256[:12]
    assert manifest().table().splitlines() == [
        "order  file               records  bytes  sha256        depends on",
        "    1  01_suppliers.json        2  1,200  abababababab  -",
        "    2  02_purchases.json        2  1,200  abababababab  suppliers",
        f"       total of 2 files         4  2,400  {digest}",
    ]


def loop_without_deferral(body: dict[str, Any]) -> None:
    """Let the first file depend on the second, with no edge deferred."""
    body["deferred"].clear()
    body["files"][0]["dependencies"] = ["purchases"]


FULL_TEXTS: list[tuple[Change, str]] = [
    (
        at("files", 0, "sha256", value=None),
        "manifest.json, files[0].sha256: is None; expected 64 lower-case hexadecimal digits. ",
    ),
    (at("extra", value=1), "manifest.json, extra: is not a field of this format. "),
    (
        lambda body: body["files"][1].pop("bytes"),
        "manifest.json, files[1].bytes: is missing. ",
    ),
    (
        at("files", 1, "import_order", value=1),
        (
            "manifest.json, files[1].import_order: is 1; expected 2: files are listed as they are "
            "imported, 1 to 2. "
        ),
    ),
    (
        loop_without_deferral,
        (
            "manifest.json, files[0].import_order: is 1; expected 'suppliers' to come after "
            "'purchases', which it depends on. "
        ),
    ),
    (
        at("files", 1, "filename", value="01_SUPPLIERS.JSON"),
        (
            "manifest.json, files[1].filename: is '01_SUPPLIERS.JSON'; expected a name that no "
            "other file has, and '01_suppliers.json' is the same. "
        ),
    ),
    (
        at("files", 1, "entity_type", value="suppliers"),
        "manifest.json, files[1].entity_type: is 'suppliers'; expected each entity once. ",
    ),
    (
        at("files", 0, "record_count", value=601),
        (
            "manifest.json, files[0].record_count: is 601; expected at most 600, for a file of "
            "1200 bytes. "
        ),
    ),
    (
        at("files", 0, "filename", value="../x.json"),
        (
            "manifest.json, files[0].filename: is '../x.json'; expected a plain file name, without "
            "a folder, drive, scheme or control character. "
        ),
    ),
    (
        at("export_date", value="2025-01-31T12:00:00"),
        (
            "manifest.json, export_date: is '2025-01-31T12:00:00'; expected an instant in UTC like "
            "'2025-01-31T12:00:00Z'. "
        ),
    ),
    (
        at("deferred", 0, "by", value="luck"),
        "manifest.json, deferred[0].by: is 'luck'; expected 'update' or 'insert'. ",
    ),
    (
        at("files", 0, "bytes", value=-1),
        (
            "manifest.json, files[0].bytes: is -1; expected a whole number from 0 to "
            "9223372036854775807. "
        ),
    ),
    (
        at("version", value="one"),
        "manifest.json, version: is 'one'; expected a format version like '1.0'. ",
    ),
]


@pytest.mark.parametrize(("change", "text"), FULL_TEXTS)
def test_errors_name_field_and_value(change: Change, text: str) -> None:
    """Each fault gives one error that says where, what, and what to do."""
    with pytest.raises(BundleError) as caught:
        Manifest.from_bytes(edited(change))
    assert str(caught.value) == text + TAIL
    assert caught.value.file == "manifest.json"


def test_21_a_required_feature_that_is_unknown() -> None:
    """A bundle that needs more than this version can is refused by name."""
    with pytest.raises(BundleError) as caught:
        Manifest.from_bytes(edited(at("requires", value=["zstd"])))
    assert str(caught.value) == (
        "manifest.json, requires[0]: the bundle needs 'zstd', a feature that this lading "
        "doesn't have. Read it with a newer lading."
    )


def test_20_newer_format() -> None:
    """A newer format is a version error, whatever else it holds."""
    with pytest.raises(VersionError) as caught:
        Manifest.from_bytes(b'{"version": "2.0", "parcels": []}')
    assert (caught.value.found, caught.value.needed) == ("2.0", "1.0")
    assert str(caught.value) == (
        "manifest.json, version: the format is '2.0', and this lading reads '1.0'. "
        "Read it with the lading that wrote it, or with a newer one."
    )


def test_19_own_checksum() -> None:
    """A manifest that was edited is told by its own checksum."""
    with pytest.raises(ChecksumError) as caught:
        Manifest.from_bytes(manifest().to_bytes().replace(b"short-lived", b"forgotten!!"))
    assert caught.value.expected != caught.value.found
    assert str(caught.value) == (
        "manifest.json, manifest_sha256: its checksum differs from its own manifest_sha256 "
        "(edited after export?). " + TAIL
    )


@pytest.mark.parametrize("digest", ["", "abc", "AB" * 32, "md5:" + "a" * 60])
def test_27_own_checksum_is_never_skipped(digest: str) -> None:
    """A checksum that is short, upper-case or of another kind is refused."""
    text = manifest().to_bytes()
    start = text.rindex(b': "') + 3
    with pytest.raises(BundleError) as caught:
        Manifest.from_bytes(text[:start] + digest.encode() + b'"\n}\n')
    assert str(caught.value) == (
        "manifest.json, manifest_sha256: must be the last line, with 64 lower-case hexadecimal "
        "digits. " + TAIL
    )


def test_27_missing_or_null_checksum() -> None:
    """A manifest without its own checksum is refused."""
    body = json.loads(manifest().to_bytes())
    for value in ({**body, "manifest_sha256": None}, {**body, "manifest_sha256": 1}):
        with pytest.raises(BundleError, match="must be the last line"):
            Manifest.from_bytes(json.dumps(value, indent=2).encode() + b"\n")
    del body["manifest_sha256"]
    with pytest.raises(BundleError, match="must be the last line"):
        Manifest.from_bytes(json.dumps(body, indent=2).encode() + b"\n")


NOT_JSON = [
    b"",
    b"{",
    manifest().to_bytes()[:-30],
    b"\xef\xbb\xbf" + manifest().to_bytes(),
    manifest().to_bytes().decode().encode("utf-16"),
    manifest().to_bytes().replace(b"bakery", b"bak\xff\xfe\xfd"),
    manifest().to_bytes() + b"{}",
    b"[" * 100_000,
    b'{"version": ' + b"9" * 5000 + b"}",
    b'{"version": NaN}',
    b'{"version": 1e400}',
    b'{"version": "\\ud800"}',
]


@pytest.mark.parametrize("data", NOT_JSON, ids=range(len(NOT_JSON)))
def test_18_what_is_no_json_is_refused(data: bytes) -> None:
    """Text that is cut, in another encoding, or beyond JSON is one clear error."""
    with pytest.raises(BundleError, match=r"^manifest.json: is not a whole JSON document in UTF-8"):
        Manifest.from_bytes(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"x"'])
def test_18_what_is_no_object_is_refused(data: bytes) -> None:
    """JSON of another type is refused."""
    with pytest.raises(BundleError, match="expected an object"):
        Manifest.from_bytes(data)


def test_what_git_could_not_merge_is_told() -> None:
    """Both sides of a merge write the manifest, so that this is the usual damage."""
    text = manifest().to_bytes().replace(b'  "partial"', b'<<<<<<< HEAD\n  "partial"')
    with pytest.raises(BundleError, match="in it stands a conflict marker of git; keep one side"):
        Manifest.from_bytes(text)


def test_duplicate_keys() -> None:
    """A key that is there twice, at any depth, is refused and named."""
    text = manifest().to_bytes().replace(b'"partial"', b'"catalog": "x",\n  "partial"')
    with pytest.raises(BundleError) as caught:
        Manifest.from_bytes(text)
    assert str(caught.value) == (
        "manifest.json: is not a whole JSON document in UTF-8 (key 'catalog' stands twice in one "
        "object). " + TAIL
    )


BAD_NUMBERS = [-1, 1.0, 1.5, True, "1", None, 2**63, 10**300, [], {}]
NUMBERS = [
    ("files", 0, "record_count"),
    ("files", 0, "bytes"),
    ("files", 0, "import_order"),
    ("files", 0, "schema_version"),
    ("files", 1, "references", "suppliers", "count"),
    ("external", 0, "count"),
]


@pytest.mark.parametrize("value", BAD_NUMBERS)
@pytest.mark.parametrize("path", NUMBERS)
def test_30_numbers_are_whole_and_bounded(path: tuple[Any, ...], value: Any) -> None:
    """A count that is negative, fractional, boolean, huge or no number is refused."""
    with pytest.raises(BundleError, match=f"{path[-1]}: is .*; expected a whole number"):
        Manifest.from_bytes(edited(at(*path, value=value)))


@pytest.mark.parametrize("value", [None, "", "ab" * 31, "AB" * 32, "ab" * 33, 5, "g" * 64])
@pytest.mark.parametrize("path", [("files", 0, "sha256"), ("content_sha256",)])
def test_27_checksums_have_64_digits(path: tuple[Any, ...], value: Any) -> None:
    """A checksum that is null, short, long or of other digits is refused."""
    with pytest.raises(BundleError, match="expected 64 lower-case"):
        Manifest.from_bytes(edited(at(*path, value=value)))


NAMES = [
    "", ".", "..", "../x", "/x", "a/b", "a\\b", "..\\x", "C:\\x", "C:x", "file:x", "x\0y",
    "x\ny", " x", "x ", "http://x/y", "manifest.json", "MANIFEST.JSON", "sha256sums", "x" * 256,
    "é" * 128,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_25_file_names_stay_in_the_folder(name: str) -> None:
    """A name that leaves the folder, or is another file's, is refused."""
    assert name_fault(name)
    with pytest.raises(BundleError, match=r"files\[0\].filename"):
        Manifest.from_bytes(edited(at("files", 0, "filename", value=name)))


@pytest.mark.parametrize("name", ["01_a.json", "01_shop.items.json", "01_größe.json", "..x"])
def test_plain_file_names_pass(name: str) -> None:
    """Dots and letters of any language are fine."""
    assert name_fault(name) is None


def test_24_file_names_equal_after_composition() -> None:
    """Names that some file system takes for one are refused."""

    def change(body: dict[str, Any]) -> None:
        body["files"][0]["filename"] = "caf\u00e9.json"
        body["files"][1]["filename"] = "CAFE\u0301.json"

    with pytest.raises(BundleError, match="a name that no other file has"):
        Manifest.from_bytes(edited(change))


@pytest.mark.parametrize("orders", [(1, 3), (2, 1), (1, 1), (2, 3), (2, 2)])
def test_28_import_order_is_1_to_n(orders: tuple[int, int]) -> None:
    """An order that omits, repeats or shuffles is refused."""

    def change(body: dict[str, Any]) -> None:
        for item, order in zip(body["files"], orders, strict=True):
            item["import_order"] = order

    with pytest.raises(BundleError, match="listed as they are imported"):
        Manifest.from_bytes(edited(change))


def test_dependencies_may_be_deferred_external_or_oneself() -> None:
    """Only a dependency that is in the bundle, later and not deferred breaks the order."""
    needs = ["purchases", "suppliers", "elsewhere"]
    read = Manifest.from_bytes(edited(at("files", 0, "dependencies", value=needs)))
    assert read["suppliers"].dependencies == tuple(needs)


def test_content_digest_is_checked() -> None:
    """A content digest of other files is refused."""
    with pytest.raises(BundleError, match=r"content_sha256: is 'cd.*, of these files"):
        Manifest.from_bytes(edited(at("content_sha256", value="cd" * 32)))


WRONG_TYPES = [
    (("source",), 1),
    (("catalog",), None),
    (("catalog",), []),
    (("lading_version",), 1),
    (("requires",), "none"),
    (("partial",), 0),
    (("partial",), None),
    (("left_out",), []),
    (("left_out", "tags"), 1),
    (("external",), {}),
    (("external", 0), "x"),
    (("external", 0, "entity"), ""),
    (("snapshot",), None),
    (("files",), {}),
    (("files", 0), []),
    (("files", 0, "entity_type"), 1),
    (("files", 0, "entity_type"), "a\0b"),
    (("files", 0, "filename"), None),
    (("files", 0, "dependencies"), "purchases"),
    (("files", 0, "dependencies"), [1]),
    (("files", 0, "natural_key"), None),
    (("files", 0, "references"), []),
    (("files", 1, "references", "suppliers"), 1),
    (("files", 0, "shape"), None),
    (("deferred",), None),
    (("deferred", 0, "by"), ["update"]),
    (("export_date",), 1),
    (("export_date",), "2025-02-30T12:00:00Z"),
    (("export_date",), "2025-01-31T12:00:00+00:00"),
    (("version",), 1),
    (("version",), None),
]


@pytest.mark.parametrize(("path", "value"), WRONG_TYPES)
def test_wrong_types_are_refused(path: tuple[Any, ...], value: Any) -> None:
    """A value of another type is refused, and its field named."""
    with pytest.raises(BundleError) as caught:
        Manifest.from_bytes(edited(at(*path, value=value)))
    assert caught.value.field
    assert caught.value.field.startswith(path[0])


@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_every_flipped_byte_is_found(mask: int) -> None:
    """No byte of a manifest can change unnoticed."""
    text = manifest().to_bytes()
    for n in range(len(text)):
        flipped = bytearray(text)
        flipped[n] ^= mask
        with pytest.raises(LadingError):
            Manifest.from_bytes(bytes(flipped))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    source=st.none() | texts,
    left_out=st.dictionaries(texts, st.none() | texts, max_size=3),
    shape=st.dictionaries(texts, json_values, max_size=3),
    date=st.datetimes(timezones=st.just(UTC)),
)
def test_any_manifest_reads_back(
    source: str | None,
    left_out: dict[str, str | None],
    shape: dict[str, Any],
    date: datetime,
) -> None:
    """Text of every language, any shape and any date survive."""
    files = (replace(entry(1, "a"), shape=shape),)
    made = manifest(*files, source=source, left_out=left_out, export_date=date)
    assert Manifest.from_bytes(made.to_bytes()) == made


@given(st.binary(max_size=200))
def test_any_bytes_give_a_typed_error(data: bytes) -> None:
    """Nothing but lading's errors leaves the reader."""
    with pytest.raises(LadingError):
        Manifest.from_bytes(data)


# All faults at once


def faults_of(changes: dict[str, Any]) -> tuple[Manifest | None, list[str]]:
    """Return what a manifest with other members says, and its faults."""
    body = {**json.loads(manifest().to_bytes()), **changes}
    del body["manifest_sha256"]
    read, faults = Manifest.examine(sealed(body))
    return read, [str(fault) for fault in faults]


def test_every_fault_of_a_manifest_is_told() -> None:
    """What it says is read all the same, where that can be told."""
    read, faults = faults_of({"requires": ["colours", "sounds"]})
    assert read is not None
    assert [fault.split("'")[1] for fault in faults] == ["colours", "sounds"]
    assert faults_of({}) == (read and manifest(), [])


@pytest.mark.parametrize(
    ("changes", "text"),
    [({"version": "2.0"}, "'2.0'"), ({"files": [{}] * 10_001}, "lists 10,001 files")],
)
def test_what_a_manifest_says_can_t_be_told_of_another_format(
    changes: dict[str, Any], text: str
) -> None:
    """Its fields may mean something else; nor is a list read that nobody wrote."""
    read, faults = faults_of(changes)
    assert read is None
    assert len(faults) == 1
    assert text in faults[0]
