"""A small bundle and its parts, for every test of the bundle package."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lading.bundle.manifest import FileEntry, Manifest
from support.small_bundle import entry_of, write_small


@pytest.fixture(scope="session")
def entry() -> Callable[..., FileEntry]:
    """Give the function that makes an entry of bytes."""
    return entry_of


@pytest.fixture(scope="session")
def written() -> Callable[..., Manifest]:
    """Give the function that writes a bundle of one entity file."""
    return write_small
