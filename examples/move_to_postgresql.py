"""Moves a bakery from SQLite to PostgreSQL, and compares the checksums of both.

Takes the URL of an empty PostgreSQL database.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "schemas"))

from bakery import Base, bakery, fill
from lading import export_all, import_all

warnings.filterwarnings("ignore", category=sa.exc.SAWarning, message="Dialect sqlite")


def main(url: str) -> None:
    """Fill a SQLite bakery, move it, and compare."""
    sqlite, postgresql = sa.create_engine("sqlite://"), sa.create_engine(url)
    for engine in (sqlite, postgresql):
        Base.metadata.create_all(engine)
    with Session(sqlite) as session, session.begin():
        fill(session)
    with TemporaryDirectory(prefix="lading-move-") as name:
        folder = Path(name)
        before = export_all(sqlite, folder / "before.zip", catalog=bakery)
        print(import_all(postgresql, folder / "before.zip", catalog=bakery))
        after = export_all(postgresql, folder / "after.zip", catalog=bakery)
    sqlite.dispose()
    postgresql.dispose()
    for old, new in zip(before.files, after.files, strict=True):
        verdict = "equal" if old.sha256 == new.sha256 else "DIFFERENT"
        print(f"{verdict}  {old.sha256}  {old.filename}")
    if before.content_sha256 != after.content_sha256:
        raise SystemExit("the two exports differ")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: move_to_postgresql.py postgresql+psycopg://user@host/database")
    main(sys.argv[1])
