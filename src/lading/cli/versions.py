"""What ``lading --version`` says, without importing anything to find it out."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from lading.version import __version__

#: What a report of a bug should name.
PACKAGES = ("SQLAlchemy", "marshmallow", "marshmallow-sqlalchemy", "msgspec", "click")
#: Drivers and extras, of which there may be none.
OPTIONAL = ("psycopg", "psycopg2", "PyMySQL", "rich", "sqlacodegen")


def versions() -> Iterator[tuple[str, str]]:
    """Yield the names and versions of what matters here."""
    yield "lading", __version__
    yield "Python", platform.python_version()
    for package in PACKAGES + OPTIONAL:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
    yield "SQLite", sqlite3.sqlite_version
