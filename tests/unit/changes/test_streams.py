"""What looks among records on disk: former keys and their newer ones, whatever else stands there."""

from __future__ import annotations

from typing import Any

import pytest

from lading.changes.replay import Flow
from lading.changes.rewriting.lookups import KeyLookup
from lading.changes.rewriting.records import Refused
from lading.changes.run import Piece, without_unknown
from lading.changes.streams import LookupIndex, numbered

LINES = [b'{"slug":"a","code":1}', b"[]", b"{", b'{"slug":"b"}', b'{"slug":"c","code":3}']


class Records:
    """Streams of nothing but these lines."""

    def __init__(self, *lines: bytes) -> None:
        self.lines = list(lines)

    def pieces(self, *_: object) -> Any:
        """Yield them in one piece."""
        yield Piece(1, self.lines)


def index_of(*lines: bytes) -> KeyLookup:
    """Return a lookup of codes by slugs among records."""

    def pair(record: dict[str, Any], _: object) -> Any:
        if "code" not in record:
            return None
        return {"slug": record["slug"]}, {"code": record["code"]}

    lookup = KeyLookup("items", pair)
    streams: Any = Records(*lines)
    LookupIndex(streams, lookup, Flow("items"))
    return lookup


def test_what_is_no_record_has_a_number_all_the_same() -> None:
    """Others are located by theirs."""
    assert [number for number, _ in numbered(iter([Piece(1, LINES)]))] == [1, 4, 5]


def test_a_newer_key_is_found_by_the_former() -> None:
    """A record that lacks either has none, and what several have is not chosen from."""
    lookup = index_of(*LINES)
    assert lookup.find({"slug": "c"}) == {"code": 3}
    assert lookup.find({"slug": "b"}) is None
    assert lookup.find({"slug": "z"}) is None
    twins = index_of(LINES[0], b'{"slug":"a","code":2}')
    with pytest.raises(Refused, match="items: several records have the key"):
        twins.find({"slug": "a"})


def test_ids_written_for_people_are_taken_out() -> None:
    """At every level; what may be a list of records isn't, nor anything of unknown records."""
    inner = {"type": "owned", "fields": {"n": {"type": "integer"}}, "key": []}
    shape = {"fields": {"slug": {"type": "string"}, "parts": inner}, "key": ["slug"]}
    record = {"id": 1, "slug": "a", "more": {"x": 1}, "parts": [{"id": 7, "n": 1}]}
    without_unknown(shape, record)
    assert record == {"slug": "a", "more": {"x": 1}, "parts": [{"n": 1}]}
    record = {"id": 1}
    without_unknown({**shape, "open": True}, record)
    assert record == {"id": 1}
