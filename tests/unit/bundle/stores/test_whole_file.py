"""One file that takes another's place whole, or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lading.bundle.stores.whole_file import whole_file


def test_a_file_takes_the_place_of_another_at_the_end(tmp_path: Path) -> None:
    """If the block fails, the old one stays."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(KeyError), whole_file(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_bytes() == b"old"
    with whole_file(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """As a device is: whoever writes to /dev/null keeps it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with whole_file(path) as file:
        file.write(b"text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)
