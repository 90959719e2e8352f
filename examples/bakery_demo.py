"""A bakery's season, exported, verified, restored into an empty database, and exported again.

With a database URL as its argument, the season is restored there (into tables that
must not exist yet, and are dropped at the end); without one, into a SQLite file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "schemas"))

from bakery import Base, bakery, fill
from bakery.releases import TODAY
from lading import LadingError, export_all, export_document, import_all, import_document

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"

# SQLite keeps decimals as doubles; lading refuses any that this would change.
warnings.filterwarnings("ignore", category=sa.exc.SAWarning, message="Dialect sqlite")


def main(url: str | None = None) -> None:
    """Run the whole demonstration, and exit with an error if anything isn't as it should be."""
    with TemporaryDirectory(prefix="lading-demo-") as name:
        folder = Path(name)
        source = sa.create_engine(f"sqlite:///{folder / 'season.db'}")
        target = sa.create_engine(url or f"sqlite:///{folder / 'restored.db'}")
        refuse_used(target)
        try:
            show(source, target, folder)
        finally:
            Base.metadata.drop_all(target)
            source.dispose()
            target.dispose()


def show(source: sa.Engine, target: sa.Engine, folder: Path) -> None:
    """Tell the story, step by step."""
    step("A bakery's season")
    Base.metadata.create_all(source)
    with Session(source) as session, session.begin():
        fill(session)
    print(f"{rows_in(source):,} rows in {len(Base.metadata.tables)} tables")

    step("Exported")
    first = timed(lambda: export_all(source, folder / "bundle", catalog=bakery))
    print(first.table())

    step(f"Verified, and restored into an empty {target.dialect.name} database")
    Base.metadata.create_all(target)
    report = timed(lambda: import_all(target, folder / "bundle", catalog=bakery))
    print(f"{report.headline()}: {report.total}")

    step("Exported again: the very same bytes")
    second = timed(lambda: export_all(target, folder / "again", catalog=bakery))
    compare(folder / "bundle", folder / "again")
    print(f"first   {first.content_sha256}\nsecond  {second.content_sha256}")
    if rows_in(source) != rows_in(target):
        raise SystemExit("the databases don't hold the same number of rows")

    step("What release 1.0 wrote, read today")
    print(older(folder))

    step("Three broken copies")
    for title, broken in (
        ("one letter changed", edited),
        ("one file removed", removed),
        ("one reference misspelt", misspelt),
    ):
        print(f"{title}:")
        try:
            broken(source, target, folder)
        except LadingError as error:
            print(f"  {type(error).__name__}: {error}\n")
        else:
            raise SystemExit("it was accepted")


def refuse_used(target: sa.Engine) -> None:
    """Leave a database alone that has tables of these names already."""
    taken = set(sa.inspect(target).get_table_names()) & set(Base.metadata.tables)
    if taken:
        raise SystemExit(f"{target.url} has tables already: {', '.join(sorted(taken))}")


def rows_in(engine: sa.Engine) -> int:
    """Count the rows of all tables."""
    with engine.connect() as connection:
        return sum(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.tables.values()
        )


def compare(first: Path, second: Path) -> None:
    """Compare two bundles' entity files, byte by byte."""
    names = sorted(path.name for path in first.iterdir() if path.name != "manifest.json")
    for name in names:
        if (first / name).read_bytes() != (second / name).read_bytes():
            raise SystemExit(f"{name} differs")
    print(f"{len(names)} files compared, byte by byte: equal")


def older(folder: Path) -> str:
    """Load the records of the bakery's first release, which know nothing of what came since."""
    golden = json.loads((SCHEMAS / "bakery" / "goldens" / "1.json").read_bytes())
    engine = sa.create_engine(f"sqlite:///{folder / 'older.db'}")
    Base.metadata.create_all(engine)
    report = import_document(engine, golden, catalog=bakery)
    engine.dispose()
    before, now = golden["schema_versions"], bakery.releases[TODAY]
    moved = [
        f"{name} {before.get(name, '-')} to {now[name]}"
        for name in now
        if now[name] != before.get(name)
    ]
    return f"{report.headline()}: {report.total}\n{', '.join(moved)}"


def edited(source: sa.Engine, target: sa.Engine, folder: Path) -> None:  # noqa: ARG001
    """Change one letter of one file."""
    copy = Path(shutil.copytree(folder / "bundle", folder / "edited"))
    file = next(copy.glob("*_recipes.json"))
    file.write_bytes(file.read_bytes().replace(b"shortbread", b"shortbreed", 1))
    import_all(target, copy, catalog=bakery)


def removed(source: sa.Engine, target: sa.Engine, folder: Path) -> None:  # noqa: ARG001
    """Remove one file."""
    copy = Path(shutil.copytree(folder / "bundle", folder / "removed"))
    next(copy.glob("*_suppliers.json")).unlink()
    import_all(target, copy, catalog=bakery)


def misspelt(source: sa.Engine, target: sa.Engine, folder: Path) -> None:  # noqa: ARG001
    """Refer to a recipe that doesn't exist, from a new production run."""
    document = export_document(source, catalog=bakery, only=["production_runs"])
    run: dict[str, Any] = document["production_runs"][0]
    run["uuid"] = "0" + hashlib.sha256(b"a new run").hexdigest()[:7] + run["uuid"][8:]
    run["recipe"] = {"slug": run["recipe"]["slug"][:-1]}
    import_document(target, document, catalog=bakery)


def step(title: str) -> None:
    """Print a heading."""
    print(f"\n== {title}")


def timed(work: Callable[[], Any]) -> Any:
    """Do some work, and print how long it took."""
    start = time.perf_counter()
    result = work()
    print(f"({time.perf_counter() - start:.2f} s)")
    return result


if __name__ == "__main__":
    main(*sys.argv[1:2])
