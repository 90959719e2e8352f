"""How many statements an export and an import run: so many a chunk, and none a row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import relationship

from lading import Catalog, Owned, export_all, import_all
from lading.scratch.sort import CHUNK
from support.backends import ON_SQLITE, Backend
from support.declaring import new_base, schema_for
from support.statements import statements
from support.zoo import World, key, number, slug, text, to


def depot(rows: int, *, kinds: int = 50) -> World:
    """Items with a reference, a self reference, a composite key, owned lines and tags."""
    base, catalog = new_base(), Catalog("depot")
    links = sa.Table(
        "item_tags",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Kind(base):  # type: ignore[misc, valid-type]
        __tablename__ = "kinds"
        __table_args__ = (sa.UniqueConstraint("name", "grade"),)
        id = key()
        name = text(20)
        grade = number()

    class Tag(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tags"
        id = key()
        slug = slug()

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = key()
        slug = slug()
        kind_id = to("kinds.id")
        parent_id = to("items.id", null=True)
        price = sa.orm.mapped_column(sa.Numeric(10, 2), nullable=False)
        kind = relationship(Kind)
        parent = relationship("Item", remote_side=id)
        lines = relationship("Line", order_by="Line.position")
        tags = relationship(Tag, secondary=links)

    class Line(base):  # type: ignore[misc, valid-type]
        __tablename__ = "lines"
        id = key()
        item_id = to("items.id")
        position = number()
        kind_id = to("kinds.id", null=True)
        kind = relationship(Kind)

    lines = schema_for(Line, catalog)
    schema_for(Kind, catalog)
    schema_for(Tag, catalog)
    schema_for(Item, catalog, {"lines": Owned(lines)})

    def fill(session: Any) -> None:
        made: list[tuple[Any, list[dict[str, Any]]]] = [
            (Kind, [{"id": n, "name": f"k{n % 7}", "grade": n} for n in range(1, kinds + 1)]),
            (Tag, [{"id": n, "slug": f"t{n}"} for n in range(1, 21)]),
            (
                Item,
                [
                    {
                        "id": n,
                        "slug": f"i{n * 7919 % 100_003:06}",
                        "kind_id": n % kinds + 1,
                        "parent_id": n // 2 or None,
                        "price": n,
                    }
                    for n in range(1, rows + 1)
                ],
            ),
            (
                Line,
                [
                    {"item_id": n, "position": p, "kind_id": n % kinds + 1 if p else None}
                    for n in range(1, rows + 1)
                    for p in (0, 1)
                ],
            ),
            (links, [{"item_id": n, "tag_id": n % 20 + 1} for n in range(1, rows + 1)]),
        ]
        for table, items in made:  # by Core: the ORM runs a statement for each run of equal nulls
            session.execute(sa.insert(getattr(table, "__table__", table)), items)

    return World(base, catalog, SimpleNamespace(Item=Item, Line=Line, Tag=Tag, Kind=Kind), fill)


Counted = Callable[..., tuple[list[str], list[str], list[str]]]


@pytest.fixture
def counted(backend: Backend, tmp_path: Path) -> Counted:
    """Return what counts the statements of an export, an import and an import again."""

    def run(rows: int, **options: Any) -> tuple[list[str], list[str], list[str]]:
        world = depot(rows, **options)
        bundle = tmp_path / str(rows)
        with backend.database() as source, backend.database(world.metadata) as target:
            world.filled(source)
            with statements(source) as exporting:
                export_all(source, bundle, catalog=world.catalog)
            with statements(target) as importing:
                import_all(target, bundle, catalog=world.catalog)
            with statements(target) as skipping:
                report = import_all(target, bundle, catalog=world.catalog)
            assert (report.skipped, report.differing) == (rows + 20 + options.get("kinds", 50), 0)
            with target.connect() as connection:
                lines = connection.scalar(sa.select(sa.func.count()).select_from(world.models.Line))
            assert lines == 2 * rows
        return exporting, importing, skipping

    return run


def test_statements_do_not_depend_on_rows(counted: Counted) -> None:
    """Two hundred records and eighteen hundred, both within one chunk, cost the same."""
    few, many = counted(200), counted(1_800)
    assert [len(part) for part in few] == [len(part) for part in many]
    exporting, importing, _ = many
    assert len(exporting) <= 21
    assert len(importing) <= 60


@ON_SQLITE
def test_each_chunk_costs_as_much_as_the_last(counted: Counted) -> None:
    """Beyond one chunk the growth per chunk is fixed, and small."""
    two, three, four = counted(2 * CHUNK), counted(3 * CHUNK), counted(4 * CHUNK)
    for name, first, second, third, most in (
        ("export", two[0], three[0], four[0], 3),
        ("import", two[1], three[1], four[1], 14),
        ("import again", two[2], three[2], four[2], 6),
    ):
        step = len(second) - len(first)
        assert 0 < step <= most, name
        assert len(third) - len(second) <= step + 2, name


def test_large_targets_are_resolved_by_the_chunk(counted: Counted) -> None:
    """References to a table too large to be read whole cost one query a chunk."""
    small, large = counted(1_800, kinds=50), counted(1_800 + 1, kinds=6_000)
    assert len(large[0]) - len(small[0]) <= 4
    assert len(large[1]) - len(small[1]) <= 20


CHANGES: dict[str, dict[str, Any]] = {
    "mirror": {"on_conflict": "mirror"},
    "dry run": {"on_conflict": "mirror", "dry_run": True},
}


def test_a_dry_run_costs_the_same_statements_for_any_rows(backend: Backend, tmp_path: Path) -> None:
    """Records, owned rows and links that differ, new ones, and as many that go."""
    way = CHANGES["dry run"]
    counts = [_changing(backend, tmp_path, rows, way) for rows in (200, 1_800)]
    assert counts[0] == counts[1]


@ON_SQLITE
@pytest.mark.parametrize("way", CHANGES)
def test_each_chunk_of_changes_costs_few_statements(
    backend: Backend, tmp_path: Path, way: str
) -> None:
    """Beyond one chunk, where a mirror writes all that an update does."""
    two, three = (_changing(backend, tmp_path, n * CHUNK, CHANGES[way]) for n in (2, 3))
    assert 0 < three - two <= 60


def _changing(backend: Backend, folder: Path, rows: int, options: dict[str, Any]) -> int:
    """Count the statements that bring a database back in which so many records were changed."""
    world, bundle = depot(rows), folder / str(rows)
    models = world.models
    with backend.database() as engine:
        world.filled(engine)
        if not bundle.exists():
            export_all(engine, bundle, catalog=world.catalog)
        with engine.begin() as connection:
            item, line = models.Item, models.Line
            connection.execute(sa.update(item).values(price=item.price + 1))
            connection.execute(sa.update(item).values(parent_id=None).where(item.id % 3 == 0))
            connection.execute(sa.delete(line).where(line.item_id % 4 == 0, line.position == 1))
            moved = sa.update(line).values(position=7).where(line.position == 0)
            connection.execute(moved.where(line.item_id % 5 == 0))
            links = world.metadata.tables["item_tags"]
            connection.execute(sa.delete(links).where(links.c.item_id % 6 == 0))
            gone = sa.update(item).values(slug=sa.literal("x") + item.slug)
            connection.execute(gone.where(item.id > rows - rows // 5, item.id % 7 == 0))
            if connection.dialect.name == "postgresql":  # rows were made with their ids
                for name in ("items", "lines"):
                    connection.exec_driver_sql(f"SELECT setval('{name}_id_seq', 1000000)")
        with statements(engine) as run:
            outcome = import_all(engine, bundle, catalog=world.catalog, **options)
        assert outcome.total.updated > rows // 2
        assert outcome.total.inserted > rows // 50
        return len(run)
