"""``diff``: bundles, documents and databases, against each other, as compared by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship, sessionmaker

from lading import (
    ArgumentError,
    Catalog,
    ChecksumError,
    Diff,
    ImportPlan,
    Owned,
    PlanChanged,
    TargetError,
    diff,
    export_all,
    export_document,
    import_all,
)
from lading.scratch.sort import CHUNK
from support.aged import pantry, stall
from support.aged_keys import depot as aged_depot
from support.aged_more import notebook, workshop
from support.backends import ON_SQLITE, Backend, SQLiteMemory
from support.changed import by_hand, changes_of
from support.declaring import new_base, schema_for
from support.depth import IS_DEEP
from support.packing import changing, packed
from support.rewriting import rewritten
from support.statements import statements
from support.world import World, key, number, slug, text, to
from support.zoo import WORLDS


@pytest.mark.parametrize("name", WORLDS)
def test_what_was_added_is_found_in_every_world(
    name: str, tmp_path: Path, sqlite_memory: Backend
) -> None:
    """From every kind of side to a database; and a side is equal to itself in another form."""
    world = WORLDS[name]()
    with sqlite_memory.database() as engine:
        world.filled(engine)
        export_all(engine, tmp_path / "old", catalog=world.catalog)
        export_all(engine, tmp_path / "old.zip", catalog=world.catalog)
        before = export_document(engine, catalog=world.catalog)
        for side in (tmp_path / "old", tmp_path / "old.zip", before):
            same = diff(side, engine, catalog=world.catalog)
            assert not same, str(same)
            assert same.total.unchanged == sum(map(len, (before[n] for n in same.entities)))
        with Session(engine) as session:
            world.more(session)
            session.commit()
        after = export_document(engine, catalog=world.catalog)
        expected = by_hand(world.catalog, before, after)
        for side in (tmp_path / "old", before):
            assert changes_of(diff(side, engine, catalog=world.catalog)) == expected
        export_all(engine, tmp_path / "new", catalog=world.catalog)
    pairs = [(tmp_path / "old.zip", after), (tmp_path / "old", tmp_path / "new")]
    for left, right in pairs:
        assert changes_of(diff(left, right, catalog=world.catalog)) == expected
        opposite = {"insert": "delete", "delete": "insert", "update": "update"}
        back = changes_of(diff(right, left, catalog=world.catalog))
        assert back == {(entity, k, opposite[action]) for entity, k, action in expected}


@pytest.mark.parametrize("make", [pantry, stall, aged_depot, notebook, workshop])
def test_older_bundles_are_upgraded_first(
    tmp_path: Path, make: Callable[[int], World], sqlite_memory: Backend
) -> None:
    """Whatever became of keys, references and entities."""
    old, new = make(1), make(2)
    path = packed(old, tmp_path / "old")
    with sqlite_memory.database(new.metadata) as engine:
        import_all(engine, path, catalog=new.catalog)
        same = diff(path, engine, catalog=new.catalog)
        assert not same, str(same)
        assert not diff(engine, path, catalog=new.catalog)
        export_all(engine, tmp_path / "new", catalog=new.catalog)
    assert not diff(path, tmp_path / "new", catalog=new.catalog)
    assert not diff(path, path, catalog=new.catalog)


def recipes(*, steps: str = "Step.position", **meta: Any) -> World:
    """Recipes with owned uses in no order, steps in an order, tags, and a stamp that is volatile."""
    base, catalog, order = new_base(), Catalog("kitchen"), steps
    links = sa.Table(
        "recipe_tags",
        base.metadata,
        sa.Column("recipe_id", sa.ForeignKey("recipes.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Tag(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tags"
        id = key()
        slug = slug()

    class Recipe(base):  # type: ignore[misc, valid-type]
        __tablename__ = "recipes"
        id = key()
        slug = slug()
        price = mapped_column(sa.Numeric(10, 2), nullable=False)
        stamp = number()
        uses = relationship("Use")
        steps = relationship("Step", order_by=order)
        tags = relationship(Tag, secondary=links)

    class Use(base):  # type: ignore[misc, valid-type]
        __tablename__ = "uses"
        id = key()
        recipe_id = to("recipes.id")
        name = text(20)

    class Step(base):  # type: ignore[misc, valid-type]
        __tablename__ = "steps"
        id = key()
        recipe_id = to("recipes.id")
        position = number()
        name = text(20)

    schema_for(Tag, catalog)
    owned = {
        "uses": Owned(schema_for(Use, catalog)),
        "steps": Owned(schema_for(Step, catalog)),
    }
    schema_for(Recipe, catalog, owned, volatile=("stamp",), **meta)

    def fill(session: Session) -> None:
        tags = [Tag(slug=f"t{n}") for n in range(3)]
        session.add_all(tags)
        for n in range(1, 4):
            session.add(
                Recipe(
                    slug=f"r{n}",
                    price=n,
                    stamp=n,
                    uses=[Use(name=f"u{m}") for m in range(n)],
                    steps=[Step(name=f"s{m}", position=m) for m in range(n)],
                    tags=tags[:n],
                )
            )

    return World(base, catalog, SimpleNamespace(Recipe=Recipe, Tag=Tag), fill)


def edited(change: Callable[[dict[str, Any]], Any], **meta: Any) -> Diff:
    """The diff between recipes and the same ones after an edit of the last."""
    world = recipes(**meta)
    with SQLiteMemory().database() as engine:
        before = export_document(world.filled(engine), catalog=world.catalog)
    after = json.loads(json.dumps(before))
    change(after["recipes"][2])
    return diff(before, after, catalog=world.catalog)


def test_a_set_in_another_order_makes_no_difference() -> None:
    """Of owned rows, or of links."""

    def turned(record: dict[str, Any]) -> None:
        record["uses"].reverse()
        record["tags"].reverse()

    assert not edited(turned)


def test_a_sequence_in_another_order_makes_one() -> None:
    """It is told with its whole value."""
    found = edited(lambda record: record["steps"].reverse(), steps="Step.id")
    (change,) = found.changes("recipes")
    assert change.before is not None
    assert [step["name"] for step in change.before["steps"]] == ["s0", "s1", "s2"]
    assert "recipes slug 'r3': steps in another order" in str(found)


def test_a_sequence_whose_records_say_their_order_has_that_one() -> None:
    """However they are listed, the database gives them by their positions."""
    assert not edited(lambda record: record["steps"].reverse())
    found = edited(lambda record: record["steps"][0].update(position=9))
    (change,) = found.changes("recipes")
    assert change.after is not None
    assert [step["name"] for step in change.after["steps"]] == ["s1", "s2", "s0"]


def test_volatile_fields_alone_make_no_difference() -> None:
    """They are told where something else differs."""
    assert not edited(lambda record: record.update(stamp=9))
    (change,) = edited(lambda record: record.update(stamp=9, price="5.00")).changes()
    assert change.before == {"price": "3.00", "stamp": 3}
    assert change.after == {"price": "5.00", "stamp": 9}


def test_owned_rows_and_links_are_compared() -> None:
    """By what they say."""
    found = edited(lambda record: (record["uses"].pop(), record["tags"].pop(0)))
    text = "recipes slug 'r3': tags -[{'slug': 't0'}], uses -[{'name': 'u2'}]"
    assert text in str(found)
    assert found["recipes"].updated == 1


def test_lists_are_told_in_the_order_of_exports() -> None:
    """So that a change is the same, whoever wrote the record."""

    def edit(record: dict[str, Any]) -> None:
        record["uses"] = [{"name": "z"}, {"name": "a"}]
        record["tags"].reverse()
        record["slug"] = "r4"

    after = next(c.after for c in edited(edit).changes() if c.action == "insert")
    assert after is not None
    assert after["uses"] == [{"name": "a"}, {"name": "z"}]
    assert after["tags"] == [{"slug": "t0"}, {"slug": "t1"}, {"slug": "t2"}]


def test_hidden_values_are_masked() -> None:
    """In text, changes and files; that they differ is told."""
    found = edited(lambda record: record.update(price="5.00"), hidden=("price",))
    (change,) = found.changes()
    assert (change.before, change.after) == ({"price": "<hidden>"}, {"price": "<hidden>"})
    assert "price <hidden> -> <hidden>" in str(found)


def test_a_diff_reads_like_a_plan_and_is_kept_like_one(tmp_path: Path) -> None:
    """Totals, deletes, updates, inserts; as a plan's file."""
    world = recipes()
    path = packed(world, tmp_path / "old")
    new = rewritten(
        packed(world, tmp_path / "new"),
        changing("recipes", r1=None, r2={"price": "9.00"}, r3={"slug": "r4"}),
    )
    found = diff(path, new, catalog=world.catalog)
    assert str(found) == (
        "diff: 1 inserted, 1 updated, 3 unchanged, 2 deleted\n"
        "  tags     3 unchanged\n"
        "  recipes  1 inserted, 1 updated, 2 deleted\n"
        "deleted: 2\n"
        "  - recipes slug 'r1'\n"
        "  - recipes slug 'r3'\n"
        "updated: 1\n"
        "  ~ recipes slug 'r2': price '2.00' -> '9.00'\n"
        "inserted: 1\n"
        "  + recipes slug 'r4'\n"
        "diff: 1 inserted, 1 updated, 3 unchanged, 2 deleted"
    )
    found.write(tmp_path / "diff.ndjson")
    plan = ImportPlan.read(tmp_path / "diff.ndjson")
    assert list(plan.changes()) == list(found.changes())
    assert Diff.read(tmp_path / "diff.ndjson").header == found.header
    assert found.header.bundle == json.loads((new / "manifest.json").read_text())["content_sha256"]


def test_a_diff_may_be_signed_as_the_plan_of_a_mirror(tmp_path: Path, backend: Backend) -> None:
    """It lists the same changes; once they were made it is stale."""
    world = WORLDS["shop"]()
    path = packed(world, tmp_path / "old")
    product = world.metadata.tables["products"]
    with backend.database() as engine:
        world.filled(engine)
        with Session(engine) as session:
            world.more(session)
            session.execute(sa.update(product).where(product.c.slug < "p3").values(price=9))
            session.commit()
        found = diff(engine, path, catalog=world.catalog)
        assert (found.total.updated, found.total.deleted) == (3, 4)
        found.write(tmp_path / "signed")
        options: Any = {"catalog": world.catalog, "on_conflict": "mirror"}
        plan = import_all(engine, path, dry_run=True, **options)
        assert changes_of(plan) == changes_of(found)
        assert plan.header == found.header
        with pytest.raises(PlanChanged):
            import_all(engine, path, expect=diff(path, path, catalog=world.catalog), **options)
        import_all(engine, path, expect=tmp_path / "signed", **options)
        assert not diff(engine, path, catalog=world.catalog)
        with pytest.raises(PlanChanged):
            import_all(engine, path, expect=tmp_path / "signed", **options)


def test_elements_of_arrays_on_lines_of_their_own_are_not_taken_for_records(
    tmp_path: Path,
) -> None:
    """Whatever of them is equal, and skipped."""
    world = recipes()
    plain = packed(world, tmp_path / "plain")

    def spread(name: str, records: list[Any]) -> list[Any]:
        texts = (json.dumps(record, separators=(",", ":")).encode() for record in records)
        return [text.replace(b"},{", b"},\n{") for text in texts]

    def altered(name: str, records: list[Any]) -> list[Any]:
        if name == "recipes":
            records[2]["uses"][1]["name"] = "other"
            del records[1]
        return spread(name, records)

    left = rewritten(packed(world, tmp_path / "left"), spread)
    right = rewritten(packed(world, tmp_path / "right"), altered)
    assert not diff(left, plain, catalog=world.catalog)
    for side in (left, plain):
        found = diff(side, right, catalog=world.catalog)
        assert not found.problems
        assert changes_of(found) == {
            ("recipes", '{"slug": "r2"}', "delete"),
            ("recipes", '{"slug": "r3"}', "update"),
        }


def test_a_damaged_bundle_is_refused(tmp_path: Path) -> None:
    """Whether its file is compared, or has the other one's checksum."""
    world = WORLDS["shop"]()
    left, right = packed(world, tmp_path / "a"), packed(world, tmp_path / "b")
    file = next(right.glob("*products.json"))
    file.write_bytes(file.read_bytes().replace(b"p1", b"q1"))
    for pair in ((left, right), (right, left), (right, right)):
        with pytest.raises(ChecksumError):
            diff(*pair, catalog=world.catalog)
    rewritten(left, changing("products", p2={"price": "9.00"}))
    for pair in ((left, right), (right, left)):
        with pytest.raises(ChecksumError):
            diff(*pair, catalog=world.catalog)


def test_only_some_entities_are_compared(tmp_path: Path) -> None:
    """An unknown one is refused."""
    world = WORLDS["shop"]()
    left = packed(world, tmp_path / "a")
    right = packed(world, tmp_path / "b", changing("products", p2={"price": "9.00"}))
    assert not diff(left, right, catalog=world.catalog, only=["suppliers"])
    found = diff(left, right, catalog=world.catalog, only="products")
    assert list(found.entities) == ["products"]
    assert found["products"].updated == 1
    with pytest.raises(ArgumentError, match="only: unknown entity 'product'"):
        diff(left, right, catalog=world.catalog, only=["product"])
    with pytest.raises(ArgumentError, match="entity"):
        found.changes("product")


def test_what_a_side_does_not_hold_is_named(tmp_path: Path) -> None:
    """Nothing is taken for deleted silently."""
    world = WORLDS["shop"]()
    left, right = packed(world, tmp_path / "a"), packed(world, tmp_path / "b", only=["suppliers"])
    found = diff(left, right, catalog=world.catalog)
    assert not found
    assert list(found.entities) == ["suppliers"]
    assert found.unchecked == (
        "categories: b doesn't hold this entity",
        "products: b doesn't hold this entity",
        "order: b doesn't hold this entity",
        "b is partial: filters may have left out what it lacks",
    )
    assert "  ? products: b doesn't hold this entity" in str(found)


def test_a_database_is_compared_with_a_bundle_that_lacks_owners(
    tmp_path: Path, sqlite_memory: Backend
) -> None:
    """Rows that these own are in no record that was read, and nothing is wrong with them."""
    world = WORLDS["recipes"]()
    path = packed(world, tmp_path / "a", only=["remarks"])
    with sqlite_memory.database() as engine:
        world.filled(engine)
        for sides in ((engine, path), (path, engine)):
            assert not diff(*sides, catalog=world.catalog)


def test_records_that_cannot_be_read_are_problems(tmp_path: Path) -> None:
    """A diff with problems is true: nobody knows whether the sides are equal."""
    world = WORLDS["shop"]()
    left = packed(world, tmp_path / "a")
    right = packed(world, tmp_path / "b", changing("suppliers", sup1={"city": 5}))
    found = diff(left, right, catalog=world.catalog, only="suppliers")
    assert found
    text = "b: 02_suppliers.json record 2, city: 5 is not a string. Write a text of "
    text += "whole characters, in quotes."
    assert [str(problem) for problem in found.problems] == [text]
    assert f"  ! {text}" in str(found)


@pytest.mark.parametrize("side", [5, b"path", "", ["a"]])
def test_what_is_no_side_is_refused(side: Any) -> None:
    """By the argument's name, before anything is opened."""
    catalog = WORLDS["shop"]().catalog
    with pytest.raises(ArgumentError, match=r"^a="):
        diff(side, {}, catalog=catalog)
    with pytest.raises(ArgumentError, match=r"^b=") as caught:
        diff({}, side, catalog=catalog)
    assert (caught.value.argument, caught.value.value) == ("b", side)


def test_a_record_that_changes_its_class_is_an_update(tmp_path: Path) -> None:
    """With the fields of both."""
    name = next(name for name in WORLDS if "cls" not in name and _has_classes(WORLDS[name]()))
    world = WORLDS[name]()
    with SQLiteMemory().database() as engine:
        before = export_document(world.filled(engine), catalog=world.catalog)
    entity, rows = next(
        (n, r) for n, r in world.catalog.use().roots.items() if r.discriminator is not None
    )
    assert rows.discriminator is not None
    by_class = {record[rows.discriminator.written]: record for record in before[entity]}
    first, second = list(by_class.values())[:2]
    names = {rows.discriminator.written, *rows.key_names}
    other = {**second, **{k: first[k] for k in rows.key_names}}
    after = {**before, entity: [other if r is first else r for r in before[entity]]}
    (change,) = diff(before, after, catalog=world.catalog).changes(entity)
    assert change.action == "update"
    assert change.before is not None
    assert rows.discriminator.written in change.before
    assert set(change.before) - names <= set(first)


def _has_classes(world: World) -> bool:
    return any(rows.discriminator is not None for rows in world.catalog.use().roots.values())


def many(world: World, engine: sa.Engine, count: int) -> sa.Engine:
    """Fill a database with recipes, each with a use, a step and a tag."""
    world.metadata.create_all(engine)
    tables = world.metadata.tables
    numbers = range(1, count + 1)
    with engine.begin() as connection:
        connection.execute(sa.insert(tables["tags"]), [{"id": 1, "slug": "t"}])
        for name, fields in (
            ("recipes", {"price": 1, "stamp": 1}),
            ("uses", {"name": "u"}),
            ("steps", {"name": "s", "position": 1}),
            ("recipe_tags", {"tag_id": 1}),
        ):
            rows = [{"id": n, "slug": f"r{n:06}", "recipe_id": n, **fields} for n in numbers]
            names = {column.name for column in tables[name].columns}
            kept = [{k: v for k, v in row.items() if k in names} for row in rows]
            connection.execute(sa.insert(tables[name]), kept)
    return engine


def test_two_databases_are_compared_with_few_statements(backend: Backend) -> None:
    """So many a chunk, and none a record; a sessionmaker and a session do as well."""

    def count(rows: int) -> int:
        world = recipes()
        recipe = world.metadata.tables["recipes"]
        with backend.database() as left, backend.database() as right:
            many(world, left, rows)
            many(world, right, rows)
            with right.begin() as connection:
                connection.execute(sa.update(recipe).where(recipe.c.id > 1).values(price=2))
            with statements(left) as before, statements(right) as after:
                assert diff(left, right, catalog=world.catalog).total.updated == rows - 1
            with Session(right) as session:
                maker = sessionmaker(left)
                assert diff(maker, session, catalog=world.catalog)["recipes"].unchanged == 1
        return len(before) + len(after)

    few, one, two = (count(rows) for rows in (2, CHUNK, 2 * CHUNK))
    assert few == one
    assert few <= 40
    assert two - one <= 12
    if IS_DEEP or backend.dialect == "sqlite":
        assert count(3 * CHUNK) - two == two - one


@ON_SQLITE
def test_one_engine_may_be_both_sides(backend: Backend) -> None:
    """It is equal to itself."""
    world = WORLDS["shop"]()
    with backend.database() as engine:
        world.filled(engine)
        assert not diff(engine, engine, catalog=world.catalog)


def test_databases_as_they_are_are_compared_by_the_kinds_of_one(
    backend: Backend, tmp_path: Path
) -> None:
    """Each is read by the types of its own columns; a text that is no such value is named."""
    if backend.dialect == "sqlite":
        pytest.skip("it has no UUIDs of its own")
    key = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    texts = sa.create_engine(f"sqlite:///{tmp_path / 'texts.db'}")
    with backend.database() as engine:
        for side, kind in ((engine, "UUID"), (texts, "TEXT")):
            with side.begin() as connection:
                connection.exec_driver_sql(f"CREATE TABLE sites (id {kind} PRIMARY KEY)")
                connection.exec_driver_sql(
                    f"CREATE TABLE tools (id INTEGER PRIMARY KEY, site {kind}, "
                    "FOREIGN KEY (site) REFERENCES sites (id))"
                )
                connection.exec_driver_sql(f"INSERT INTO sites VALUES ('{key}')")
                connection.exec_driver_sql(f"INSERT INTO tools VALUES (1, '{key}'), (2, NULL)")
        for a, b in ((engine, texts), (texts, engine)):
            changes = diff(a, b, catalog=Catalog.from_metadata(a))
            assert str(changes).startswith("diff: 3 unchanged")
        with texts.begin() as connection:
            connection.exec_driver_sql("UPDATE tools SET site = NULL")
            connection.exec_driver_sql("UPDATE sites SET id = upper(id)")
        with pytest.raises(TargetError, match=f"'{key.upper()}' would be stored as") as caught:
            diff(engine, texts, catalog=Catalog.from_metadata(engine))
        assert caught.value.remedy.startswith("Delete the row, or set id to what would be stored")
        changes = diff(texts, engine, catalog=Catalog.from_metadata(texts))
        assert str(changes).startswith("diff: 1 inserted, 1 updated, 1 unchanged, 1 deleted")
    texts.dispose()
