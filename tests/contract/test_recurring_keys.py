"""Natural keys that recur through a nullable self reference: how deep, how wide, in what order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    ClosureWarning,
    ImportFailed,
    LadingError,
    Ref,
    TargetError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.importing import resolver as resolve
from lading.importing.recursive_resolver import REMEMBERED
from lading.model.recursive_keys import DEEPEST
from lading.scratch.sort import CHUNK
from support.backends import ON_SQLITE, Backend
from support.declaring import new_base, schema_for
from support.rewriting import entity_bytes, rewritten
from support.statements import statements
from support.world import NASTY, World, key, text, to
from support.zoo_recurring import RECURRING, flat_parts
from support.zoo_tenants import folders

BOTH_ORDERS = pytest.mark.parametrize("order", [("parent", "name"), ("name", "parent")])
Tree = list[tuple[int, int | None, str]]


def forest(
    tree: Tree,
    order: tuple[str, ...] = ("parent", "name"),
    *,
    products: bool = True,
    **attributes: Any,
) -> World:
    """Categories of a tree, given as (id, parent's id, name), and one product in each."""
    base, catalog = new_base(), Catalog("forest")

    class Category(base):  # type: ignore[misc, valid-type]
        __tablename__ = "categories"
        id = key()
        parent_id = to("categories.id", null=True)
        name = text()
        parent = relationship("Category", remote_side=id)

    class Product(base):  # type: ignore[misc, valid-type]
        __tablename__ = "products"
        id = key()
        category_id = to("categories.id")
        category = relationship(Category)

    schema_for(Category, catalog, attributes, natural_key=order)
    schema_for(Product, catalog, natural_key="category")

    def fill(session: Session) -> None:
        if not tree:
            return
        rows = [{"id": n, "parent_id": parent, "name": name} for n, parent, name in tree]
        session.execute(sa.insert(Category.__table__), rows)
        if products:
            session.execute(
                sa.insert(Product.__table__), [{"category_id": row["id"]} for row in rows]
            )

    return World(base, catalog, SimpleNamespace(Category=Category, Product=Product), fill)


def chain(depth: int) -> Tree:
    """One path, root first; ids from 1."""
    return [(n, n - 1 or None, f"n{n * 7 % 11}") for n in range(1, depth + 1)]


def nested(*names: str) -> Any:
    """Return the key of a path of names, root first."""
    found: Any = None
    for name in names:
        found = {"parent": found, "name": name}
    return found


def document(*paths: tuple[str, ...], products: Any = ()) -> dict[str, Any]:
    """Return a document of categories by their paths, and of products by their categories."""
    return {
        "categories": [nested(*path) for path in paths],
        "products": [{"category": nested(*path)} for path in products],
    }


def goes_round(backend: Backend, world: World, folder: Path, shuffle: bool = False) -> None:
    """Export, import and export again; the bytes must be the same."""
    with backend.database() as source, backend.database(world.metadata) as target:
        export_all(world.filled(source), folder / "a", catalog=world.catalog)
        before = entity_bytes(folder / "a")
        if shuffle:
            mix = random.Random(5).sample
            rewritten(folder / "a", lambda _, records: mix(records, len(records)))
        report = import_all(target, folder / "a", catalog=world.catalog)
        assert report.committed
        export_all(target, folder / "b", catalog=world.catalog)
        assert entity_bytes(folder / "b") == before
        again = import_all(target, folder / "a", catalog=world.catalog)
        assert (again.imported, again.differing) == (0, 0)


@pytest.fixture
def failing(backend: Backend) -> Callable[..., list[str]]:
    """Return what imports a document after another, and gives the problems' texts."""

    def run(given: Any, there: Any = None, world: World | None = None) -> list[str]:
        world = world or forest([])
        with backend.database(world.metadata) as engine:
            if there is not None:
                import_document(engine, there, catalog=world.catalog)
            with pytest.raises(ImportFailed) as caught:
                import_document(engine, given, catalog=world.catalog)
        return [str(problem)[:-1] for problem in caught.value.report.problems]

    return run


# The written form, and order


@pytest.mark.parametrize(
    "order,first,last",
    [
        (
            ("parent", "name"),
            '{"parent":null,"name":"food"}',
            '{"category":{"parent":{"parent":{"parent":null,"name":"food"},"name":"bread"},'
            '"name":"rye"}}',
        ),
        (
            ("name", "parent"),
            '{"name":"bread","parent":{"name":"food","parent":null}}',
            '{"category":{"name":"rye","parent":{"name":"bread","parent":{"name":"food",'
            '"parent":null}}}}',
        ),
    ],
)
def test_the_key_is_written_nested_wherever_it_stands(
    engine: sa.Engine, tmp_path: Path, order: tuple[str, ...], first: str, last: str
) -> None:
    """The record's own reference to its parent, and other records' references alike."""
    world = forest([(1, None, "food"), (2, 1, "bread"), (3, 2, "rye")], order)
    export_all(world.filled(engine), tmp_path / "a", catalog=world.catalog)
    categories, products = (
        content.decode().splitlines()[1:-1] for content in entity_bytes(tmp_path / "a").values()
    )
    assert categories[0].rstrip(",") == first
    assert products[-1].rstrip(",") == last


@BOTH_ORDERS
def test_records_sort_by_their_nested_keys(
    backend: Backend, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """Null first, then part by part: what nested tuples compare to, and no other order."""
    names, draw = [*NASTY, "a", "A", "b", "B", "ab", "\U0001f35e", "\uffee"], random.Random(3)
    tree: dict[tuple[int | None, str], int] = {}
    for n in range(1, 200):
        tree.setdefault((draw.choice([None, *tree.values()]), draw.choice(names)), n)
    world = forest([(n, parent, name) for (parent, name), n in tree.items()], order)

    def by_hand(record: Any) -> Any:
        return tuple(
            record[part] if part == "name" else (record[part] is not None, by_hand_or(record[part]))
            for part in order
        )

    def by_hand_or(record: Any) -> Any:
        return () if record is None else by_hand(record)

    with backend.database() as engine:
        found = export_document(world.filled(engine), catalog=world.catalog)
    assert len(found["categories"]) > 100
    for name, part in (("categories", lambda r: r), ("products", lambda r: r["category"])):
        orders = [by_hand(part(record)) for record in found[name]]
        assert orders == sorted(orders)
    goes_round(backend, world, tmp_path, shuffle=True)


# Depth and width


def deep(depth: int) -> Tree:
    """One path with leaves at its end."""
    return [*chain(depth), *((1000 + n, depth - n, f"leaf{n}") for n in range(20))]


@BOTH_ORDERS
@pytest.mark.parametrize("hooked", [False, True], ids=["compiled", "marshmallow"])
@ON_SQLITE
def test_deep_trees_go_round(
    backend: Backend, tmp_path: Path, order: tuple[str, ...], hooked: bool
) -> None:
    """By both ways and in any order."""
    hook = {"copied": ma.pre_load(lambda self, data, **_: dict(data))} if hooked else {}
    goes_round(backend, forest(deep(80), order, **hook), tmp_path, shuffle=True)


def test_the_deepest_tree_goes_round(backend: Backend, tmp_path: Path) -> None:
    """As many levels as there may be."""
    goes_round(backend, forest(deep(DEEPEST - 1), ("name", "parent")), tmp_path, shuffle=True)


@BOTH_ORDERS
@ON_SQLITE
def test_wide_trees_go_round(backend: Backend, tmp_path: Path, order: tuple[str, ...]) -> None:
    """Six thousand children of one parent, which is too many to be read whole."""
    tree: Tree = [(1, None, "root"), *((n, 1, f"n{n}") for n in range(2, 6_002))]
    goes_round(backend, forest(tree, order), tmp_path)


@ON_SQLITE
def test_bushy_trees_go_round_by_the_chunk(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many levels over several chunks, none of it read whole, and more than is remembered."""
    monkeypatch.setattr(resolve, "SMALL", 0)
    monkeypatch.setattr("lading.importing.recursive_resolver.REMEMBERED", 50)
    tree: Tree = [(n, n // 3 or None, f"n{n % 3}") for n in range(1, 2 * CHUNK)]
    goes_round(backend, forest(tree, ("name", "parent")), tmp_path, shuffle=True)


@pytest.mark.parametrize("make", [*RECURRING, folders], ids=lambda make: make.__name__)
def test_every_kind_of_key_is_looked_up_alike(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], World]
) -> None:
    """Targets that aren't read whole give what small ones do, whatever a key consists of."""
    monkeypatch.setattr(resolve, "SMALL", 0)
    goes_round(backend, make(), tmp_path, shuffle=True)


def test_what_is_too_deep_is_no_export(engine: sa.Engine, tmp_path: Path) -> None:
    """No import could read it again, so the row is named and nothing is left behind."""
    world = forest(chain(DEEPEST + 1))
    with pytest.raises(TargetError) as caught:
        export_all(world.filled(engine), tmp_path / "a", catalog=world.catalog)
    assert str(caught.value) == (
        f"categories, parent: the row with name 'n{DEEPEST * 7 % 11}' lies {DEEPEST} levels deep, "
        f"and a key may have at most {DEEPEST - 1}: JSON that nests deeper can't be read. "
        "Make the tree less deep, or declare a natural_key that doesn't recur."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("depth", [DEEPEST, 550])
def test_what_is_too_deep_is_a_problem_of_its_record(
    failing: Callable[..., list[str]], depth: int
) -> None:
    """Deeper than an export would write, though the parser could still read it."""
    assert failing(document(("n",) * (depth + 1))) == [
        f"categories record 1, parent: has more than {DEEPEST - 1} levels. Correct the key, or "
        "shorten the chain"
    ]


@ON_SQLITE
def test_hostile_depth_is_a_located_error(backend: Backend, tmp_path: Path) -> None:
    """A hundred thousand levels end neither the process nor the report."""
    world = forest([(1, None, "a")])
    line = b'{"parent":' * 100_000 + b"null" + b',"name":"x"}' * 100_000
    with backend.database() as engine, backend.database(world.metadata) as target:
        export_all(world.filled(engine), tmp_path / "a", catalog=world.catalog)
        rewritten(
            tmp_path / "a", lambda name, found: [*found, line] if name == "categories" else found
        )
        with pytest.raises(LadingError) as caught:
            import_all(target, tmp_path / "a", catalog=world.catalog)
        assert "01_categories.json record 2" in str(caught.value)
        assert "nested more than 600 deep" in str(caught.value)


@ON_SQLITE
def test_a_deep_tree_loads_from_a_file_that_a_person_formatted(
    backend: Backend, tmp_path: Path
) -> None:
    """The slower way into a file takes keys as deep as the fast one does."""
    world = forest(chain(150), products=False)
    with backend.database() as source, backend.database(world.metadata) as target:
        first = export_all(world.filled(source), tmp_path / "a", catalog=world.catalog)
        rewritten(tmp_path / "a", lambda _, records: records, indent=0)
        import_all(target, tmp_path / "a", catalog=world.catalog)
        second = export_all(target, tmp_path / "b", catalog=world.catalog)
        assert first.content_sha256 == second.content_sha256


def test_keys_that_recur_within_each_other_add_up(engine: sa.Engine, tmp_path: Path) -> None:
    """Each is short enough, and together they would nest too deep."""
    base, catalog = new_base(), Catalog("two")

    class Region(base):  # type: ignore[misc, valid-type]
        __tablename__ = "regions"
        id = key()
        within_id = to("regions.id", null=True)
        name = text()
        within = relationship("Region", remote_side=id)

    class Section(base):  # type: ignore[misc, valid-type]
        __tablename__ = "sections"
        id = key()
        above_id = to("sections.id", null=True)
        region_id = to("regions.id")
        above = relationship("Section", remote_side=id)
        region = relationship(Region)

    schema_for(Region, catalog, natural_key=("within", "name"))
    schema_for(Section, catalog, natural_key=("above", "region"))

    def fill(session: Session) -> None:
        deep = 300
        regions = [{"id": n, "within_id": n - 1 or None, "name": "r"} for n in range(1, deep)]
        sections = [{"id": n, "above_id": n - 1 or None, "region_id": 1} for n in range(2, deep)]
        session.execute(sa.insert(Region), regions)
        session.execute(sa.insert(Section), [{"id": 1, "above_id": None, "region_id": deep - 1}])
        session.execute(sa.insert(Section), sections)

    world = World(base, catalog, SimpleNamespace(Region=Region, Section=Section), fill)
    world.filled(engine)
    with pytest.raises(TargetError, match=r"sections, above: .* lies 500 levels deep"):
        export_all(engine, tmp_path / "a", catalog=catalog)


# Statements


@BOTH_ORDERS
def test_statements_do_not_depend_on_rows(
    backend: Backend, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """Two hundred rows and eighteen hundred of one depth cost the same, out and in and again."""

    def counted(rows: int) -> list[int]:
        tree: Tree = [(n, (n - 1) // (rows // 20) or None, f"n{n}") for n in range(1, rows + 1)]
        world, folder = forest(tree, order), tmp_path / str(rows)
        with backend.database() as source, backend.database(world.metadata) as target:
            world.filled(source)
            with statements(source) as exporting:
                export_all(source, folder, catalog=world.catalog)
            with statements(target) as importing:
                import_all(target, folder, catalog=world.catalog)
            with statements(target) as skipping:
                import_all(target, folder, catalog=world.catalog)
        return [len(exporting), len(importing), len(skipping)]

    assert counted(200) == counted(1_800)


def test_each_level_costs_one_query_a_chunk(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of targets that aren't read whole, levels are asked for once, and never by the row."""
    monkeypatch.setattr(resolve, "SMALL", 0)

    def counted(width: int, depth: int) -> int:
        tree = [
            (row * depth + n + 1, row * depth + n if n else None, f"{row}-{n}")
            for row in range(width)
            for n in range(depth)
        ]
        world, folder = forest(tree), tmp_path / f"{width}-{depth}"
        with backend.database() as source, backend.database(world.metadata) as target:
            export_all(world.filled(source), folder, catalog=world.catalog)
            import_all(target, folder, catalog=world.catalog, only=["categories"])
            with statements(target) as importing:
                import_all(target, folder, catalog=world.catalog, only=["products"])
        return len(importing)

    shallow, deep, wide = counted(10, 5), counted(10, 25), counted(70, 25)
    assert deep - shallow == 20
    assert wide == deep


@ON_SQLITE
def test_levels_that_were_found_cost_nothing_in_the_next_chunk(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunk after chunk below one deep row asks for its own lowest level only."""
    monkeypatch.setattr(resolve, "SMALL", 0)

    def counted(rows: int) -> list[int]:
        depth = 20
        tree: Tree = [*chain(depth), *((100 + n, depth, f"x{n}") for n in range(rows - depth))]
        world, folder = forest(tree, products=False), tmp_path / str(rows)
        with backend.database() as source, backend.database(world.metadata) as target:
            export_all(world.filled(source), folder, catalog=world.catalog)
            with statements(target) as importing:
                import_all(target, folder, catalog=world.catalog)
            with statements(target) as skipping:
                import_all(target, folder, catalog=world.catalog)
        return [len(importing), len(skipping)]

    two, three = counted(2 * CHUNK), counted(3 * CHUNK)
    assert all(more - few < 12 for more, few in zip(three, two, strict=True))


@BOTH_ORDERS
@ON_SQLITE
def test_rows_that_wait_for_their_parents_wait_once(
    backend: Backend, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """However a file is shuffled, its chunks are gone through a second time, in order of depth."""
    depth, rows = 40, 3 * CHUNK
    tree: Tree = [(n, (n - 1) if n % depth != 1 else None, f"n{n}") for n in range(1, rows + 1)]
    world = forest(tree, order, products=False)
    with backend.database() as source, backend.database(world.metadata) as target:
        export_all(world.filled(source), tmp_path / "a", catalog=world.catalog)
        mix = random.Random(5).sample
        rewritten(tmp_path / "a", lambda _, records: mix(records, len(records)))
        with statements(target) as importing:
            import_all(target, tmp_path / "a", catalog=world.catalog)
    assert len(importing) < 110


def test_what_is_remembered_is_more_than_a_chunk_has_levels() -> None:
    """Else each chunk would push out what the next one needs."""
    assert REMEMBERED > CHUNK


# Part of the tree is there already


def test_children_find_parents_that_are_there(engine: sa.Engine) -> None:
    """Skipped records, and ones that only the target has, are parents as good as new ones."""
    world = forest([])
    world.metadata.create_all(engine)
    import_document(engine, document(("a",), ("a", "b")), catalog=world.catalog)
    report = import_document(
        engine,
        document(
            ("a", "b", "c"), ("z", "b"), ("z",), ("a", "b"), products=[("a", "b"), ("z", "b")]
        ),
        catalog=world.catalog,
    )
    assert (report.inserted, report.skipped, report.failed) == (5, 1, 0)
    found = export_document(engine, catalog=world.catalog)
    paths = [("a",), ("z",), ("a", "b"), ("z", "b"), ("a", "b", "c")]
    assert found["categories"] == [nested(*path) for path in paths]


def test_a_missing_parent_is_named_with_the_nearest(failing: Callable[..., list[str]]) -> None:
    """What there is of its path helps to see which level is wrong; what hangs below falls too."""
    given = document(("a",), ("a", "x", "c"), ("a", "x", "c", "d"), products=[("a", "x")])
    missing = "name 'x' and parent.name 'a'"
    below = "name 'c' and parent.name 'x' and parent.parent.name 'a'"
    assert failing(given) == [
        f"categories record 2, parent: categories: no record has {missing}; closest is name 'a' and "
        "parent null. Add the record to categories, or correct the key",
        f"categories record 3, parent: the record with {below} can't be placed before it: what "
        "that one refers to is missing, or refers back to it. Add what is missing, or break the circle",
        f"products record 1, category: categories: no record has {missing}; closest is name 'a' and "
        "parent null. Add the record to categories, or correct the key",
    ]


def test_good_records_are_kept_beside_a_missing_parent(engine: sa.Engine) -> None:
    """With on_error="continue" the branch that hangs in the air fails alone."""
    world = forest([])
    world.metadata.create_all(engine)
    given = document(("z", "y", "x"), ("a", "b"), ("z", "y"), ("a",), products=[("a", "b"), ("z",)])
    report = import_document(engine, given, catalog=world.catalog, on_error="continue")
    assert (report.inserted, report.failed) == (3, 3)
    found = export_document(engine, catalog=world.catalog)
    assert found["categories"] == [nested("a"), nested("a", "b")]


# Twins, circles and gaps


def test_twins_in_a_file_are_found(failing: Callable[..., list[str]]) -> None:
    """The same path twice, wherever the records stand; the same name elsewhere is no twin."""
    assert failing(document(("a", "b"), ("a",), ("b",), ("b", "b"), ("a", "b"))) == [
        "categories record 1: has the natural key of record 5; it must be unique. "
        "Remove or rename one",
        "categories record 5: has the natural key of record 1; it must be unique. "
        "Remove or rename one",
    ]


def test_twins_in_the_database_are_no_export(engine: sa.Engine, tmp_path: Path) -> None:
    """The database can't see them where the parent is null, so an export must."""
    world = forest([(1, None, "a"), (2, None, "a"), (3, 1, "b")])
    with pytest.raises(TargetError) as caught:
        export_all(world.filled(engine), tmp_path / "a", catalog=world.catalog)
    assert caught.value.problem == (
        "two rows have the natural key {'parent': None, 'name': 'a'}; it must be unique"
    )


@pytest.mark.parametrize("small", [5_000, 0], ids=["whole", "by-chunk"])
def test_twins_in_the_target_are_not_chosen_between(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """Neither as the record that is there, nor as a parent, nor as any reference's target."""
    monkeypatch.setattr(resolve, "SMALL", small)
    world = forest([(1, None, "a"), (2, None, "a"), (3, 1, "b")], products=False)
    world.filled(engine)
    given = document(("a",), ("a", "c"), ("a", "c", "d"), products=[("a", "b")])
    with pytest.raises(ImportFailed) as caught:
        import_document(engine, given, catalog=world.catalog)
    problems = [str(problem)[:-1] for problem in caught.value.report.problems]
    several = "categories: several records in the database have name 'a' and parent null"
    assert problems[:3] == [
        f"categories record {n}: {several}; make it unique there" for n in (1, 2, 3)
    ]
    assert problems[3:] == [
        "products record 1, category: categories: several records have name 'a' and parent null; make it "
        "unique, or refer to them by another key"
    ]


def test_a_wave_does_not_choose_between_twins(engine: sa.Engine) -> None:
    """A self reference by a field that two rows share is a problem, and no insert of nothing."""
    world = forest([(1, None, "a"), (2, 1, "a")], ("parent", "name"), parent=Ref(by="name"))
    world.filled(engine)
    with pytest.raises(ImportFailed) as caught:
        import_document(
            engine,
            {"categories": [{"parent": {"name": "a"}, "name": "c"}]},
            catalog=world.catalog,
        )
    assert "categories: several records have name 'a'" in str(caught.value)


@pytest.mark.parametrize("at", [1, 3], ids=["itself", "three rows"])
def test_a_circle_of_parents_is_no_export(engine: sa.Engine, tmp_path: Path, at: int) -> None:
    """Its rows have no key that ends; the error names them, and not a level of depth."""
    world = forest([(1, None, "a"), (2, 1, "b"), (3, 2, "c"), (4, 3, "d")])
    world.filled(engine)
    table = world.models.Category.__table__
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == 1).values(parent_id=at))
    with pytest.raises(TargetError) as caught:
        export_all(engine, tmp_path / "a", catalog=world.catalog)
    error = caught.value
    assert (error.entity, error.field) == ("categories", "parent")
    assert error.key["name"] in "abc"
    assert error.problem == (
        f"the row with name {error.key['name']!r} is among its own ancestors, so its natural key "
        f"has no end; the rows of this circle have {_circle(error.key['name'], at)}"
    )


def _circle(first: str, at: int) -> str:
    """Name the rows of a circle, each followed by the one above it."""
    names = "cba"[3 - at :]
    start = names.index(first)
    return "; ".join(f"name {name!r}" for name in names[start:] + names[:start])


@pytest.mark.parametrize("mode", ["skip", "error", "update", "mirror"])
@pytest.mark.parametrize("dry_run", [False, True], ids=["import", "plan"])
def test_new_records_are_refused_beside_rows_in_a_circle(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, mode: str, dry_run: bool
) -> None:
    """They might be these rows, which no key finds; the error names them as an export's does."""
    monkeypatch.setattr(resolve, "SMALL", 2)
    world = forest([(1, None, "z"), (2, None, "a"), (3, 2, "b"), (4, 3, "c"), (5, 4, "d")])
    world.filled(engine)
    table = world.models.Category.__table__
    document = export_document(engine, catalog=world.catalog)
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == 2).values(parent_id=4))
        before = connection.execute(sa.select(table).order_by(table.c.id)).all()
    with pytest.raises(TargetError, match="Break the circle: set parent of one") as caught:
        import_document(engine, document, catalog=world.catalog, on_conflict=mode, dry_run=dry_run)
    assert caught.value.problem.endswith("have name 'c'; name 'b'; name 'a'")
    with engine.connect() as connection:
        assert connection.execute(sa.select(table).order_by(table.c.id)).all() == before


@pytest.mark.parametrize("mode", ["skip", "update"])
def test_rows_in_a_circle_are_no_matter_to_an_import_that_finds_all(
    engine: sa.Engine, mode: str
) -> None:
    """A record whose key is there means that row."""
    world = forest([(1, None, "z"), (2, None, "a"), (3, 2, "b")], products=False)
    world.filled(engine)
    table = world.models.Category.__table__
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == 2).values(parent_id=3))
    report = import_document(
        engine, {"categories": [nested("z")]}, catalog=world.catalog, on_conflict=mode
    )
    assert report.imported == 0


def test_new_records_are_refused_beside_rows_without_a_root(sqlite_file: Backend) -> None:
    """Their keys have no end either."""
    world = forest([(1, None, "a"), (2, 1, "b")], products=False)
    with sqlite_file.database() as engine:
        world.filled(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("UPDATE categories SET parent_id = 77 WHERE id = 1")
            connection.commit()
        with pytest.raises(TargetError, match="parent_id = 77 refers to no row of categories"):
            import_document(engine, {"categories": [nested("c")]}, catalog=world.catalog)


@pytest.mark.parametrize("only", [None, ["products"]], ids=["its own row", "an ancestor alone"])
@pytest.mark.parametrize("hung", [1, 2], ids=["root", "between"])
def test_a_dangling_parent_is_no_export(sqlite_file: Backend, hung: int, only: Any) -> None:
    """Where a database lets it, the row above an ancestor may be missing as well."""
    world = forest([(1, None, "a"), (2, 1, "b"), (3, 2, "c")])
    with sqlite_file.database() as engine:
        world.filled(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql(f"UPDATE categories SET parent_id = 77 WHERE id = {hung}")
            connection.commit()
        with pytest.raises(TargetError) as caught:
            export_document(engine, catalog=world.catalog, only=only)
    assert "parent_id = 77 refers to no row of categories" in caught.value.problem
    assert (caught.value.entity, caught.value.field) == ("categories", "parent")


# What is wrong within a key


@pytest.mark.parametrize(
    "parent,problem",
    [
        ('{"parent":null,"name":"a","name":"b"}', "isn't valid JSON: key 'name' stands twice in one object. Correct it"),
        ('{"parent":{"parent":null,"name":1},"name":"b"}', "parent.parent.name: 1 is not a string. Write a text of whole characters, in quotes"),
        ('{"parent":{"parent":null},"name":"b"}', "parent.parent.name: Missing data for required field. Add it"),
        ('{"name":"b"}', "parent.parent: Missing data for required field. Add it, with null if it has no value"),
        ('{"parent":{"parent":null,"name":"a","x":1},"name":"b"}', "parent.parent.x: Unknown field. Expected one of: parent, name. Correct the name, or remove the field; if another version has it, declare a change"),
        ('{"parent":"a","name":"b"}', "parent.parent: expected an object with parent, name, found 'a'. Write the target's key"),
        ('"a"', "parent: expected an object with parent, name, found 'a'. Write the target's key"),
    ],
)  # fmt: skip
def test_a_bad_level_is_named(backend: Backend, tmp_path: Path, parent: str, problem: str) -> None:
    """The dotted path says how far up it stands."""
    world = forest([(1, None, "a"), (2, 1, "b")], products=False)
    line = f'{{"parent":{parent},"name":"c"}}'.encode()
    with backend.database() as engine, backend.database(world.metadata) as target:
        export_all(world.filled(engine), tmp_path / "a", catalog=world.catalog)
        rewritten(
            tmp_path / "a", lambda name, found: [*found, line] if name == "categories" else found
        )
        with pytest.raises(ImportFailed) as caught:
            import_all(target, tmp_path / "a", catalog=world.catalog)
    (found,) = caught.value.report.problems
    separator = ": " if problem.startswith("isn't") else ", "
    problem = problem.removesuffix(".")
    assert str(found) == f"01_categories.json record 3{separator}{problem}."


def test_a_flat_part_is_named_as_it_is_written(engine: sa.Engine) -> None:
    """Within a nested key, in a problem's text and in its key."""
    world = flat_parts()
    world.metadata.create_all(engine)
    category = {"kind_slug": None, "parent": None, "name": "c"}
    missing = {"kind_slug": "k", "category": category}
    given = {
        "kinds": [{"slug": "k"}],
        "categories": [
            category,
            {"kind_slug": "k", "parent": {**category, "name": "d"}, "name": "e"},
        ],
        "products": [missing, missing],
        "offers": [],
    }
    with pytest.raises(ImportFailed) as caught:
        import_document(engine, given, catalog=world.catalog)
    first, second, third = caught.value.report.problems
    assert first.message.startswith(
        "categories: no record has kind_slug null and name 'd' and parent null"
    )
    assert first.key == given["categories"][1]
    assert second.key == third.key == missing


# marshmallow's own way


def test_schemas_load_and_dump_deep_keys() -> None:
    """Two hundred levels of objects, and of plain data, without a session."""
    world = forest([])
    schema = world.models.Category
    above = None
    for n in range(200):
        above = schema(name=f"n{n}", parent=above)
    dumping = world.catalog.use()["categories"].schema()
    written = dumping.dump(above)
    assert written == nested(*(f"n{n}" for n in range(200)))
    assert dumping.load(json.loads(json.dumps(written))) == written


def test_schemas_refuse_objects_that_are_their_own_ancestors() -> None:
    """A dump ends, and says why."""
    world = forest([])
    one = world.models.Category(name="a")
    one.parent = world.models.Category(name="b", parent=one)
    schema = world.catalog.use()["categories"].schema()
    with pytest.raises(
        ma.ValidationError,
        match=f"has more than {DEEPEST - 1} levels. Correct the key, or shorten the chain",
    ):
        schema.dump(one)


def test_validators_of_the_self_reference_see_every_level() -> None:
    """They would if each level were read by the field itself."""

    def no_b(value: Any) -> None:
        if value["name"] == "b":
            raise ma.ValidationError("not b")

    world = forest([], parent=Ref(validate=no_b))
    schema = world.catalog.use()["categories"].schema()
    assert schema.validate(nested("b", "c", "d")) == {"parent": {"parent": ["not b"]}}


# Parts of a database


def test_a_closure_takes_the_ancestors_along(engine: sa.Engine) -> None:
    """A kept category needs its parents, or nothing could place it."""
    world = forest([(1, None, "a"), (2, 1, "b"), (3, 2, "c"), (4, 2, "x"), (5, None, "z")])
    world.filled(engine)
    where = {"categories": world.models.Category.name == "c"}
    part = {"catalog": world.catalog, "only": ["categories"], "where": where}
    with pytest.warns(ClosureWarning, match="2 of categories"):
        found = export_document(engine, **part, closure=True)
    assert found["categories"] == [nested("a"), nested("a", "b"), nested("a", "b", "c")]
    assert export_document(engine, **part)["categories"] == [nested("a", "b", "c")]


def test_a_key_may_recur_through_a_subclass_s_own_table(sqlite_memory: Backend) -> None:
    """The rows above are found by the base's key, which the subclass's repeats."""
    base = new_base()

    class Node(base):
        __tablename__ = "nodes"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), nullable=False)
        kind = mapped_column(sa.String(10), nullable=False)
        up_id = mapped_column(sa.Integer)
        up = relationship(
            lambda: Branch, foreign_keys=up_id, remote_side=lambda: Branch.pk, post_update=True
        )
        __table_args__ = (
            sa.ForeignKeyConstraint(["up_id"], ["branches.pk"], use_alter=True, name="up"),
        )
        __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "leaf"}

    class Branch(Node):
        __tablename__ = "branches"
        pk = mapped_column(sa.ForeignKey("nodes.id"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "branch", "inherit_condition": pk == Node.id}

    catalog = Catalog("test")
    schema_for(Node, catalog, natural_key=("up", "name"))
    root = {"up": None, "name": "a"}
    nodes = [
        {**root, "kind": "branch"},
        {"up": root, "name": "b", "kind": "branch"},
        {"up": {"up": root, "name": "b"}, "name": "c", "kind": "leaf"},
    ]
    with sqlite_memory.database(base.metadata) as engine:
        import_document(engine, {"nodes": nodes}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["nodes"] == nodes


def test_a_key_may_recur_through_a_unique_column_of_a_subclass_s_table(
    sqlite_memory: Backend,
) -> None:
    """The row above is found by a column that the base's table hasn't."""
    base, catalog = new_base(), Catalog("test")

    class Place(base):
        __tablename__ = "places"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(9), nullable=False)
        kind = mapped_column(sa.String(9), nullable=False)
        in_code = mapped_column(sa.ForeignKey("towns.code", use_alter=True, name="fk_in"))
        town = relationship(
            "Town",
            foreign_keys=[in_code],
            primaryjoin=lambda: Place.in_code == Town.code,
            remote_side=lambda: [Town.code],
        )
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "place"}

    class Town(Place):
        __tablename__ = "towns"
        id = mapped_column("town_id", sa.ForeignKey("places.id"), primary_key=True)
        code = mapped_column(sa.String(9), unique=True, nullable=False)
        __mapper_args__ = {
            "polymorphic_identity": "town",
            "inherit_condition": id == Place.id,
        }

    schema_for(Place, catalog, natural_key=("town", "name"))
    above = {"town": None, "name": "a"}
    within = {"town": above, "name": "a"}
    places = [
        {**above, "kind": "town", "code": "x"},
        {**within, "kind": "town", "code": "y"},
        {"town": within, "name": "a", "kind": "place"},
    ]
    with sqlite_memory.database(base.metadata) as engine:
        import_document(engine, {"places": places}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["places"] == places


def test_an_unreadable_row_is_named_by_a_key_that_recurs(sqlite_memory: Backend) -> None:
    """Its key is made by the export itself, and no value of the row's own."""
    base, catalog = new_base(), Catalog("test")

    class Place(base):
        __tablename__ = "places"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(9), nullable=False)
        state = mapped_column(sa.Enum("open", "shut", native_enum=False), nullable=False)
        town_id = mapped_column(sa.ForeignKey("places.id"))
        town = relationship("Place", remote_side=id)

    schema_for(Place, catalog, natural_key=("town", "name"))
    rows = "(1, 'a', 'open', NULL), (2, 'b', 'lost', 1)"
    with sqlite_memory.database(base.metadata) as engine:
        with engine.begin() as connection:
            columns = "id, name, state, town_id"
            connection.exec_driver_sql(f"INSERT INTO places ({columns}) VALUES {rows}")
        with pytest.raises(TargetError) as caught:
            export_document(engine, catalog=catalog)
    assert caught.value.key == 'town {"town":null,"name":"a"}, name "b"'
