"""Files and folders of a store: what a file system can't do, and what isn't there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lading.bundle.stores.files import hold, sync_folder
from lading.bundle.stores.occupant import is_bundle_folder
from support.small_bundle import write_small


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_syncs_no_folder_is_none_the_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Network file systems are such; any other objection counts."""

    def refuse(_: int) -> None:
        raise OSError(number, "can't be synchronised")

    monkeypatch.setattr(os, "fsync", refuse)
    sync_folder(tmp_path)
    number = errno.EIO
    with pytest.raises(OSError, match="can't be synchronised"):
        sync_folder(tmp_path)


def test_what_is_gone_is_held_by_nobody(tmp_path: Path) -> None:
    """Another process has removed it meanwhile."""
    assert hold(tmp_path / "gone") is None


def test_a_manifest_without_an_end_makes_no_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is certainly a bundle is ever replaced."""
    write_small(tmp_path / "b", b'{"slug":"x"}')
    assert is_bundle_folder(tmp_path / "b")
    monkeypatch.setattr("lading.bundle.stores.occupant.MAX_MANIFEST", 100)
    assert not is_bundle_folder(tmp_path / "b")
