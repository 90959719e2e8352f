"""Records of which nobody says their fields: plain JSON, and nothing else is asked."""

from __future__ import annotations

import pytest

from lading.verifying.open_decoder import OpenDecoder


@pytest.mark.parametrize(
    "line", [b"{}", b'{"b":1,"a":[1.50,1e-07,12345678901234567890123]}', '{"é":"\\n"}'.encode()]
)
def test_plain_json_is_whole(line: bytes) -> None:
    """In any order of fields, and with numbers in whatever form their kind has."""
    assert OpenDecoder("f").read([line], 1) == ([], [])


def test_what_is_written_otherwise_is_told() -> None:
    """Blanks, and escapes that nothing asks for; and what isn't strict JSON."""
    lines = [b'{"a": 1}', b'{"a":"\\u0041"}', b'{"a":1,"a":2}', b'{"a":1e999}']
    problems, loose = OpenDecoder("f").read(lines, 7)
    assert loose == [7, 8]
    assert [(problem.file, problem.record) for problem in problems] == [("f", 9), ("f", 10)]
