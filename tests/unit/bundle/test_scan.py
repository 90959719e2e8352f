"""Cutting records out of entity files: every layout, every fault, any pieces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.bundle import file_format as layout
from lading.bundle import lines, scan
from lading.bundle.file_format import header
from lading.bundle.lines import runs
from lading.bundle.manifest import FileEntry
from lading.bundle.stores.limits import PIECE
from lading.errors import BundleError, LadingError

Entry = Callable[..., FileEntry]
HEAD = b'{"entity_type":"a","schema_version":1,"records":[\n'


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces."""
    return (data[n : n + size] for n in range(0, len(data), size))


def records(data: bytes, entry: Entry, size: int = 16) -> list[bytes]:
    """Read all records of an entity file that comes in pieces."""
    return [record for run in runs(pieces(data, size), entry(data, 0)) for record in run]


def test_header_is_exact() -> None:
    """The first line is the format's, with names in UTF-8."""
    assert header("a", 1) == HEAD
    assert header('größe"', 12) == (
        '{"entity_type":"größe\\"","schema_version":12,"records":[\n'.encode()
    )


LAYOUTS = [
    HEAD + b'{"n":1},\n{"n":"}]"}\n]}\n',
    HEAD + b'{"n":1},\n{"n":"}]"}\n]}',
    HEAD + b'{"n":1},{"n":"}]"}]}',
    HEAD + b'{"n":1},\n\n  {"n":"}]"}\n]\n}\n\n',
    HEAD + b'{"n"\n:1},\n{"n":"}]"}\n]}\n',
    b'{"entity_type":"a","schema_version":1,"records":[{"n":1},{"n":"}]"}]}',
    b'{"records":[{"n":1},{"n":"}]"}],"schema_version":1,"entity_type":"a"}',
    b'{"schema_version":1,"records":[{"n":1},{"n":"}]"}],"entity_type":"a"}',
    b'\r\n{ "records" : [\t{"n":1} , {"n":"}]"} ] , "schema_version":1 , "entity_type":"\\u0061"} ',
    json.dumps(
        {"entity_type": "a", "schema_version": 1, "records": [{"n": 1}, {"n": "}]"}]}, indent=4
    ).encode(),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("data", LAYOUTS)
def test_every_layout_reads_alike(data: bytes, size: int, entry: Entry) -> None:
    """Layout, order of fields and bounds of pieces don't matter."""
    assert list(map(json.loads, records(data, entry, size))) == [{"n": 1}, {"n": "}]"}]


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"]}\n",
        HEAD + b" ]} ",
        b'{"records":[],"schema_version":1,"entity_type":"a"}',
        b'{"records" : [ ] ,"schema_version":1,"entity_type":"a"}',
    ],
)
def test_no_records(data: bytes, entry: Entry) -> None:
    """An empty list of records is one, however it is written."""
    assert records(data, entry) == []


@pytest.mark.parametrize("size", [1, 50, 1000])
def test_a_line_broken_by_hand_is_no_record(size: int, entry: Entry) -> None:
    """Objects on lines of their own inside a record aren't taken for records."""
    body = b'{"l":[{"x":1},\n{"x":2},\n{"x":3}]},\n{"l":[]},{"l":[{}]}\n]}\n'
    found = records(HEAD + body, entry, size)
    assert found == [b'{"l":[{"x":1},\n{"x":2},\n{"x":3}]}', b'{"l":[]}', b'{"l":[{}]}']


def test_lines_are_not_scanned(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layout that lading writes goes by the fast way alone."""
    monkeypatch.setattr(lines, "records_onward", None)
    monkeypatch.setattr(lines, "document", None)
    body = b",\n".join(b'{"n":%d}' % n for n in range(100))
    assert len(records(HEAD + body + b"\n]}\n", entry)) == 100
    assert records(HEAD + b"]}\n", entry) == []


FAULTS = [
    (b"", "byte 0: expected '{', found the end of the file"),
    (b"[]", "byte 0: expected '{', found '['"),
    (b"\xef\xbb\xbf{}", "byte 0: it begins with a byte order mark; save it as UTF-8 without one"),
    (b"{}", "byte 1: expected a field's name, found '}'"),
    (b'{"x":1}', "byte 4: 'x' isn't a field of an entity file"),
    (b'{"entity_type":"a","entity_type":"a"}', "byte 32: the field 'entity_type' is there twice"),
    (b'{"entity_type":"a"}', "byte 19: the document has no 'records', 'schema_version'"),
    (b'{"records":{}}', "byte 11: expected '[', found '{'"),
    (b'{"records":[1]}', "byte 12: expected a record, found '1'"),
    (b'{"records":[,]}', "byte 12: expected a record, found ','"),
    (b'{"records":[{},]}', "byte 15: expected a record, found ']'"),
    (b'{"records":[{}{}]}', "byte 14: expected ',' or ']', found '{'"),
    (b'{"records":[{]}]}', "byte 12: brackets don't match"),
    (b'{"records":[{"a":01}]}', "byte 20: the record that ends here is not JSON"),
    (b'{"records":[{"a', "byte 12: the file ends in the middle of a value"),
    (b'{"records":[{"a":"\\', "byte 12: the file ends in the middle of a value"),
    (b'{"records":[{}', "byte 14: expected ',' or ']', found the end of the file"),
    (HEAD + b"{}\n]}\n{}", "byte 56: something follows the document: '{'"),
    (HEAD + b'{}\n],"records":[]}\n', "byte 64: the field 'records' is there twice"),
    (HEAD + b"{},\n]}\n", "byte 54: expected a record, found ']'"),
    (HEAD + b"{}\n", "byte 53: expected ',' or ']', found the end of the file"),
    (HEAD, "byte 50: expected a record, found the end of the file"),
    (HEAD + b"5\n]}\n", "byte 50: expected a record, found '5'"),
]


@pytest.mark.parametrize(("data", "text"), FAULTS)
@pytest.mark.parametrize("size", [1, 1000])
def test_malformed_files_are_located(data: bytes, text: str, size: int, entry: Entry) -> None:
    """The error names the file and the byte."""
    with pytest.raises(BundleError) as caught:
        records(data, entry, size)
    assert str(caught.value).startswith("01_a.json")
    assert f": is malformed near {text}" in str(caught.value)
    assert str(caught.value).endswith("Correct it, or export again.")


def test_errors_count_records_from_the_start(entry: Entry) -> None:
    """The record's number counts those that went the fast way."""
    body = b",\n".join(b'{"n":%d}' % n for n in range(9)) + b',\n{"n":01}\n]}\n'
    with pytest.raises(BundleError) as caught:
        records(HEAD + body, entry)
    assert caught.value.record == 10
    assert str(caught.value).startswith("01_a.json record 10: is malformed near byte 139")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'"b"', "'b'"),
        (b"1", "1"),
        (b"null", "None"),
    ],
)
def test_another_entity_type(value: bytes, shown: str, entry: Entry) -> None:
    """The file's own entity must be the manifest's."""
    with pytest.raises(BundleError) as caught:
        records(b'{"entity_type":' + value + b',"schema_version":1,"records":[]}', entry)
    assert str(caught.value).startswith(
        f"01_a.json, entity_type: is {shown}, and the manifest says 'a'."
    )


@pytest.mark.parametrize("value", [b"2", b"1.0", b"true", b'"1"', b"10000000000000000000000000"])
def test_another_schema_version(value: bytes, entry: Entry) -> None:
    """The file's own version must be the manifest's, type included."""
    with pytest.raises(BundleError, match=r"01_a.json, schema_version: is .*the manifest says 1"):
        records(b'{"schema_version":' + value + b',"records":[],"entity_type":"a"}', entry)


@pytest.mark.parametrize("value", [b"[1]", b"{}", b"", b"x", b'"\xff"', b"9" * 5000, b'"\\x"'])
def test_a_header_that_is_no_scalar(value: bytes, entry: Entry) -> None:
    """A header's value that isn't a string or number is a fault of the layout."""
    with pytest.raises(BundleError, match=r"expected a string or a number, found |longer than"):
        records(b'{"entity_type":' + value + b',"records":[]}', entry)


@pytest.mark.parametrize("head", [HEAD, b'{"records":['])
def test_nesting_is_bounded(head: bytes, entry: Entry) -> None:
    """A record nested without end is refused, with its number."""
    data = head + b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(BundleError, match=r"record 1: .*nested more than 600 deep"):
        records(data, entry, 1000)


@pytest.mark.parametrize("head", [HEAD, b'{"records":['])
def test_a_record_is_bounded(head: bytes, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record without end is refused, having been read up to the bound alone."""
    monkeypatch.setattr(scan, "MAX_RECORD", 1000)
    monkeypatch.setattr(lines, "MAX_RECORD", 1000)
    monkeypatch.setattr(scan, "PIECE", 100)
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield head + b'{"a":"'
        while True:
            taken += 1
            yield b"x" * 100

    with pytest.raises(BundleError, match=r"record 1: .*a record is longer than 1000 bytes"):
        list(runs(endless(), entry(b"", 0)))
    assert taken < 20


def test_blanks_take_no_memory(entry: Entry) -> None:
    """Any amount of white space is skipped piece by piece."""
    window = scan.Window(iter([b" " * 1000] * 1000 + [b"x"]), entry(b"", 0))
    assert window.peek() == b"x"
    assert len(window.text) <= 2000


def test_the_scanner_forgets_what_it_cut(entry: Entry) -> None:
    """Scanning a long list of records keeps some pieces in memory, and no more."""
    record = b'{"text":"' + b"x" * 1000 + b'"}'
    data = b'{"records":[' + b",".join([record] * 3000)
    window = scan.Window(pieces(data, PIECE), entry(b"", 0))
    longest = 0
    with pytest.raises(BundleError, match="the end of the file"):
        for _ in scan.document(window):
            longest = max(longest, len(window.text))
    assert longest <= 3 * PIECE


def test_lines_are_cut_across_pieces(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line's end that falls between two pieces is found as soon as it is whole."""
    monkeypatch.setattr(lines, "MAX_RECORD", 50)
    monkeypatch.setattr(lines, "records_onward", None)
    cut = [HEAD, *[b'{"n":1},', b"\n"] * 40, b'{"n":1}\n]}\n']
    found = list(runs(iter(cut), entry(b"", 0)))
    assert sum(map(len, found)) == 41


def test_limits_are_sane() -> None:
    """A block holds less than the longest record, which holds less than memory."""
    assert PIECE < layout.BLOCK_BYTES < layout.MAX_RECORD


texts = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    drawn=st.lists(st.dictionaries(texts, values, max_size=3), max_size=6),
    order=st.permutations(["entity_type", "schema_version", "records"]),
    style=st.tuples(st.none() | st.integers(0, 3), st.booleans()),
    size=st.integers(1, 40),
)
def test_any_layout_of_any_records(
    drawn: list[dict[str, object]],
    order: list[str],
    style: tuple[int | None, bool],
    size: int,
    entry: Entry,
) -> None:
    """However a document is written and cut into pieces, its records are the same."""
    fields = {"entity_type": "a", "schema_version": 1, "records": drawn}
    indent, ascii_only = style
    text = json.dumps(
        {name: fields[name] for name in order}, indent=indent, ensure_ascii=ascii_only
    )
    assert [json.loads(record) for record in records(text.encode(), entry, size)] == drawn


SEEDS = [data for data, _ in FAULTS] + LAYOUTS


@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=3))),
    size=st.integers(1, 50),
)
def test_any_bytes_give_json_or_a_typed_error(
    seed: bytes, edits: list[tuple[int, bytes]], size: int, entry: Entry
) -> None:
    """Whatever is read, it is valid JSON to the last byte or one of lading's errors."""
    for at, insert in edits:
        seed = seed[:at] + insert + seed[at + 1 :]
    try:
        found = records(seed, entry, size)
    except LadingError:
        return
    whole = json.loads(seed.decode("utf-8", "replace"))
    assert [json.loads(record.decode("utf-8", "replace")) for record in found] == whole["records"]
