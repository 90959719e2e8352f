"""Bundles that are looked through twice: nobody may write to them meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from lading.bundle.survey import BundleSurvey
from lading.errors import BundleError
from support.small_bundle import write_small


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    """What was found at first would be said of other records."""
    write_small(tmp_path / "b", b'{"slug":"x"}', b'{"slug":"y"}')
    with BundleSurvey(tmp_path / "b") as survey:
        assert survey.manifest is not None
        (entry,) = survey.manifest.files
        faults: list[object] = []
        for _ in range(2):
            (block,) = survey.examined(entry, 7, faults.append)
            assert next(iter(survey.blocks(entry, 7))).records == block.records
        assert faults == []
        file = tmp_path / "b" / entry.filename
        file.write_bytes(file.read_bytes().replace(b"x", b"z"))
        with pytest.raises(BundleError, match="was changed while it was read") as caught:
            list(survey.blocks(entry, 7))
    assert caught.value.file == entry.filename
