"""Rows that a mirror would delete, and that become those of new records which need their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    Catalog,
    ImportFailed,
    Owned,
    Ref,
    diff,
    export_document,
    import_document,
)
from support.applications import examples
from support.backends import Backend
from support.declaring import new_base, schema_for, table, to
from support.deleting import filled
from support.statements import run_sql, statements

#: A text whose letter case some databases don't tell apart.
BLIND = (
    sa.String(20)
    .with_variant(sa.String(20, collation="NOCASE"), "sqlite")
    .with_variant(sa.String(20, collation="utf8mb4_general_ci"), "mariadb", "mysql")
)


def shops(*, keep_ids: bool = True) -> tuple[Any, Catalog]:
    """Map shops with owned hours that have pauses, tags, and what refers to them: by key and otherwise."""
    base, catalog = new_base(), Catalog("shops", keep_ids=keep_ids)
    tags = sa.Table(
        "tags_of",
        base.metadata,
        sa.Column("shop_id", sa.ForeignKey("shops.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )
    tag = table(base, "tags")
    pause = table(base, "pauses", hour_id=to("hours.id", null=False))
    hour = table(base, "hours", shop_id=to("shops.id", null=False), pauses=relationship(pause))
    shop = table(
        base,
        "shops",
        note=mapped_column(sa.String(20), nullable=True),
        next_id=to("shops.id"),
        next=relationship("Shops", remote_side="Shops.id"),
        hours=relationship(hour),
        tags=relationship(tag, secondary=tags),
    )
    sale = table(base, "sales", shop_id=to("shops.id", null=False), shop=relationship(shop))
    price = type(
        "Price",
        (base,),
        {
            "__tablename__": "prices",
            "id": mapped_column(sa.Integer, primary_key=True),
            "shop_id": to("shops.id", null=False, ondelete="CASCADE"),
            "n": mapped_column(sa.Integer, nullable=False),
            "shop": relationship(shop),
            "__table_args__": (sa.UniqueConstraint("shop_id", "n"),),
        },
    )
    schema_for(tag, catalog)
    hours = Owned(schema_for(hour, catalog, {"pauses": Owned(schema_for(pause, catalog))}))
    schema_for(shop, catalog, {"hours": hours, "tags": Ref()})
    schema_for(sale, catalog)
    schema_for(price, catalog, natural_key=("shop", "n"))
    return base, catalog


def rows_of(*shops: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of shops whose ids count from 1, and of what they have."""
    ids = range(1, len(shops) + 1)
    return {
        "tags": [{"id": 1, "slug": "new"}],
        "shops": [
            {"id": n, "slug": slug, "note": None, "next_id": n - 1 or None}
            for n, slug in zip(ids, shops, strict=True)
        ],
        "hours": [{"id": n, "slug": f"h{n}", "shop_id": n} for n in ids],
        "pauses": [{"id": n, "slug": f"p{n}", "hour_id": n} for n in ids],
        "tags_of": [{"shop_id": n, "tag_id": 1} for n in ids],
        "sales": [{"id": n, "slug": f"s{n}", "shop_id": n} for n in ids],
        "prices": [{"id": n, "shop_id": n, "n": 7} for n in ids],
    }


def document_of(backend: Backend, base: Any, catalog: Catalog, *shops: str) -> dict[str, Any]:
    """Return what a database with these shops exports."""
    with filled(backend, base, **rows_of(*shops)) as engine:
        return export_document(engine, catalog=catalog)


def actions(changes: Any) -> list[tuple[str, str, Any]]:
    """Return changes as plain data, in one order."""
    return sorted(((c.entity, c.action, str(c.key)) for c in changes.changes()), key=repr)


def counts(report: Any) -> dict[str, Mapping[str, int]]:
    """Return what a report or a plan counts, by entity."""
    return {name: vars_of(report.entities[name]) for name in report.entities}


def vars_of(count: Any) -> dict[str, int]:
    """Return the counts of one entity by name."""
    names = ("inserted", "updated", "unchanged", "deleted", "failed")
    return {name: getattr(count, name) for name in names}


@pytest.mark.parametrize("by", ["plan", "diff", None])
def test_a_renamed_record_keeps_its_row(backend: Backend, by: str | None) -> None:
    """With all that refers to it; plan, diff and report say alike what happens to records."""
    base, catalog = shops()
    document = document_of(backend, base, catalog, "a", "b", "c")
    options: dict[str, Any] = {"catalog": catalog, "on_conflict": "mirror"}
    with filled(backend, base, **rows_of("renamed", "b", "moved")) as engine:
        run_sql(engine, "UPDATE shops SET note = 'old' WHERE id < 3")
        difference = diff(engine, document, catalog=catalog)
        plan = import_document(engine, document, dry_run=True, **options)
        assert plan.problems == []
        assert actions(plan) == actions(difference)
        assert plan["shops"].inserted == plan["shops"].deleted == 2
        expect = {"plan": plan, "diff": difference, None: None}[by]
        report = import_document(engine, document, expect=expect, **options)
        assert counts(report) == counts(plan)
        assert export_document(engine, catalog=catalog)["shops"] == document["shops"]
        assert not diff(engine, document, catalog=catalog)
        assert not import_document(engine, document, dry_run=True, **options)


def planned_and_imported(engine: sa.Engine, document: Any, **options: Any) -> list[str]:
    """Return the problems of a plan, which the import must have too."""
    options = {"on_conflict": "mirror", **options}
    plan = import_document(engine, document, dry_run=True, **options)
    with pytest.raises(ImportFailed) as caught:
        import_document(engine, document, **options)
    problems = list(map(str, plan.problems))
    assert list(map(str, caught.value.report.problems)) == problems
    return problems


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "NO ACTION"])
def test_what_goes_with_a_replaced_record_is_refused_by_name(backend: Backend, action: str) -> None:
    """Even with ``cascade``: it would stay, and refer to another record than before."""
    base, catalog = shops()
    document = document_of(backend, base, catalog, "a", "b")
    logs = (
        "CREATE TABLE logs (id INTEGER PRIMARY KEY, shop_id INTEGER, "
        f"FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE {action})"
    )
    with filled(backend, base, **rows_of("renamed", "b")) as engine:
        run_sql(engine, logs, "INSERT INTO logs VALUES (1, 1), (2, 1), (3, 2)")
        problems = planned_and_imported(engine, document, catalog=catalog, cascade=True)
        run_sql(engine, "UPDATE shops SET slug = 'a' WHERE id = 1")
        import_document(engine, document, catalog=catalog, on_conflict="mirror")
        assert not diff(engine, document, catalog=catalog)
        run_sql(engine, "DROP TABLE logs")
    effects = {"CASCADE": "deleted", "SET NULL": "set to null"}
    along = f": logs.shop_id: 2 {effects[action]}, with shops" if action in effects else ""
    assert problems[-1] == (
        "shops record 1: {'slug': 'a'} needs the row of {'slug': 'renamed'} (primary key 1), which "
        f"the bundle lacks, and other rows that refer to that one would stay{along}. Give the row "
        "the new natural key in the database, or delete it there first."
    )
    held = "shops: can't be deleted: 2 rows of logs refer to it by shop_id, such as the one with id"
    assert [problem[: len(held)] for problem in problems[:-1]] == ([] if along else [held])


@pytest.mark.parametrize("what", ["a column", "a class", "another parent"])
def test_rows_that_no_record_may_take_over_are_refused(backend: Backend, what: str) -> None:
    """They hold what records don't carry, are of another class, or move in a tree of keys."""
    base, catalog = new_base(), Catalog("nodes", keep_ids=True)
    columns: dict[str, Any] = {
        "__tablename__": "nodes",
        "id": mapped_column(sa.Integer, primary_key=True),
        "name": mapped_column(sa.String(20), nullable=False),
        "kind": mapped_column(sa.String(20), nullable=False),
        "secret": mapped_column(sa.String(20), nullable=False, default="fresh"),
        "parent_id": to("nodes.id"),
        "parent": relationship("Node", remote_side="Node.id"),
        "__table_args__": (sa.UniqueConstraint("parent_id", "name"),),
    }
    arguments = {"polymorphic_on": "kind", "polymorphic_identity": "node"}
    if what == "a class":
        columns["__mapper_args__"] = arguments
    node = type("Node", (base,), columns)
    if what == "a class":
        type("Leaf", (node,), {"__mapper_args__": {"polymorphic_identity": "leaf"}})
    key = ("parent", "name") if what == "another parent" else ("name",)
    left_out = ("secret",) if what == "a column" else ()
    schema_for(node, catalog, natural_key=key, exclude=left_out)
    row = {"id": 5, "name": "renamed", "kind": "node", "secret": "s", "parent_id": None}
    top = {"id": 9, "name": "top", "kind": "node", "parent": None, "secret": "s"}
    document = {
        "nodes": [
            *([top] if what == "another parent" else []),
            {
                "name": "a",
                "id": 5,
                "kind": "leaf" if what == "a class" else "node",
                "parent": {"parent": None, "name": "top"} if what == "another parent" else None,
                **({} if left_out else {"secret": "t"}),
            },
        ]
    }
    with filled(backend, base, nodes=[row]) as engine:
        (problem,) = planned_and_imported(engine, document, catalog=catalog)
        with engine.connect() as connection:
            assert connection.scalar(sa.select(node.secret)) == "s"
    assert "id 5 already belongs to nodes {" in problem
    assert "'renamed'}" in problem
    assert "if the bundle lacks it, delete that record first, which mirrors do where" in problem


def test_a_key_that_changed_its_letter_case_keeps_its_row(backend: Backend) -> None:
    """Where the database takes both for one, and ids are its own; elsewhere the row is another."""
    base, catalog = shops(keep_ids=False)
    base.metadata.tables["shops"].c.slug.type = BLIND
    document = document_of(backend, base, catalog, "a", "b")
    options: dict[str, Any] = {"catalog": catalog, "on_conflict": "mirror"}
    with filled(backend, base, **rows_of("A", "b")) as engine:
        difference = diff(engine, document, catalog=catalog)
        plan = import_document(engine, document, dry_run=True, **options)
        assert plan.problems == []
        assert actions(plan) == actions(difference)
        report = import_document(engine, document, expect=difference, **options)
        assert counts(report) == counts(plan)
        assert not diff(engine, document, catalog=catalog)
        with engine.connect() as connection:
            ids = set(connection.scalars(sa.text("SELECT id FROM shops")))
        assert (ids == {1, 2}) == (backend.dialect != "postgresql")


def counted(backend: Backend, count: int) -> int:
    """Count the statements of a mirror that gives so many rows other keys."""
    base, catalog = shops()
    document = document_of(backend, base, catalog, *(f"new {n}" for n in range(count)))
    with filled(backend, base, **rows_of(*(f"old {n}" for n in range(count)))) as engine:
        with statements(engine) as run:
            report = import_document(engine, document, catalog=catalog, on_conflict="mirror")
        assert not diff(engine, document, catalog=catalog)
    assert report["shops"].inserted == report["shops"].deleted == count
    return len(run)


def test_statements_do_not_depend_on_the_rows_that_are_replaced(backend: Backend) -> None:
    """Two hundred records cost as many as twenty in one chunk."""
    assert counted(backend, 200) <= counted(backend, 20) + 12


def test_rows_that_other_tables_refer_to_by_replaced_ones_are_held_to_the_plan(
    backend: Backend,
) -> None:
    """A price is known by its shop: its row stays with that, under the id that it has."""
    base, catalog = shops()
    document = document_of(backend, base, catalog, "a", "b")
    with filled(backend, base, **rows_of("renamed", "b")) as engine:
        run_sql(engine, "UPDATE prices SET id = 9 WHERE id = 1")
        (problem,) = planned_and_imported(engine, document, catalog=catalog)
    assert "prices record 1: id: the record with shop" in problem
    assert "has 9 in the database and 1 here, and an update can't change" in problem


@st.composite
def drawn_rows(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Draw the rows of a few shops; what they have keeps its id as long as it is theirs."""
    ids = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True))
    names = draw(st.permutations("abcde"))
    any_id = st.sampled_from(ids)
    sold = draw(st.lists(any_id, max_size=2))
    priced = draw(st.lists(st.tuples(any_id, st.integers(7, 8)), max_size=3, unique=True))
    opened = draw(st.lists(any_id, max_size=3, unique=True))
    return {
        "tags": [{"id": 1, "slug": "new"}],
        "shops": [
            {"id": n, "slug": slug, "note": draw(st.sampled_from(["x", None])), "next_id": None}
            for n, slug in zip(ids, names, strict=False)
        ],
        "hours": [{"id": n, "slug": f"h{n}", "shop_id": n} for n in opened],
        "pauses": [{"id": n, "slug": f"p{n}", "hour_id": n} for n in opened[:1]],
        "tags_of": [{"shop_id": n, "tag_id": 1} for n in opened[1:]],
        "sales": [{"id": n, "slug": f"s{n}", "shop_id": shop} for n, shop in enumerate(sold, 1)],
        "prices": [{"id": shop * 10 + n, "shop_id": shop, "n": n} for shop, n in priced],
    }


def test_plan_diff_and_import_agree_whatever_keys_rows_had(backend: Backend) -> None:
    """The import does what both say, or has problems where the plan has some."""
    base, catalog = shops()
    options: dict[str, Any] = {"catalog": catalog, "on_conflict": "mirror"}

    def exported(rows: Any) -> dict[str, Any]:
        with engine.begin() as connection:
            for each in reversed(base.metadata.sorted_tables):
                connection.execute(sa.delete(each))
            for name, values in rows.items():
                if values:
                    connection.execute(sa.insert(base.metadata.tables[name]), values)
        return export_document(engine, catalog=catalog)

    @examples(8)
    @given(drawn_rows(), drawn_rows())
    def agree(before: Any, after: Any) -> None:
        document = exported(after)
        exported(before)
        difference = diff(engine, document, catalog=catalog)
        plan = import_document(engine, document, dry_run=True, **options)
        if plan.problems:
            with pytest.raises(ImportFailed):
                import_document(engine, document, **options)
            return
        report = import_document(engine, document, expect=difference, **options)
        assert actions(plan) == actions(difference)
        assert counts(report) == counts(plan)
        assert not diff(engine, document, catalog=catalog)

    with backend.database(base.metadata) as engine:
        agree()


@pytest.mark.parametrize("what", ["an update", "another id", "a primary key"])
def test_other_changes_of_letter_case_are_refused_by_name(backend: Backend, what: str) -> None:
    """No row that goes could become the new record's; the message names both keys."""
    if backend.dialect == "postgresql":
        pytest.skip("PostgreSQL's usual collations tell all texts apart")
    base, catalog = new_base(), Catalog("things", keep_ids=what == "another id")
    is_primary = what == "a primary key"
    columns: dict[str, Any] = {"name": mapped_column(BLIND, primary_key=is_primary, unique=True)}
    if not is_primary:
        columns["id"] = mapped_column(sa.Integer, primary_key=True)
    thing = type("Thing", (base,), {"__tablename__": "things", **columns})
    schema_for(thing, catalog, natural_key="name")
    ids = [{"id": n} if what == "another id" else {} for n in (1, 2)]
    with filled(backend, base, things=[{"name": "A", **ids[0]}]) as engine:
        document = {"things": [{"name": "a", **ids[1]}]}
        mode = "update" if what == "an update" else "mirror"
        (problem,) = planned_and_imported(engine, document, catalog=catalog, on_conflict=mode)
    assert "the database's collation takes name 'a' for name 'A', which is there" in problem


@pytest.mark.parametrize("key", [("parent", "name"), ("name", "parent")])
def test_a_renamed_row_keeps_the_tree_below_it(backend: Backend, key: tuple[str, ...]) -> None:
    """Whose keys hold its own, at any depth and in any order: only its name is written."""
    base, catalog = new_base(), Catalog("nodes", keep_ids=True)
    columns: dict[str, Any] = {
        "__tablename__": "nodes",
        "id": mapped_column(sa.Integer, primary_key=True),
        "name": mapped_column(sa.String(20), nullable=False),
        "parent_id": to("nodes.id"),
        "parent": relationship("Node", remote_side="Node.id"),
        "__table_args__": (sa.UniqueConstraint("parent_id", "name"),),
    }
    schema_for(type("Node", (base,), columns), catalog, natural_key=key)
    parents = {9: None, 4: 9, 7: 4, 2: 7, 5: 9}
    rows = [{"id": n, "name": f"n{n}", "parent_id": parent} for n, parent in parents.items()]
    with filled(backend, base, nodes=rows) as engine:
        document = export_document(engine, catalog=catalog)
        run_sql(engine, "UPDATE nodes SET name = 'renamed' WHERE id IN (9, 7)")
        difference = diff(engine, document, catalog=catalog)
        options: dict[str, Any] = {"catalog": catalog, "on_conflict": "mirror"}
        plan = import_document(engine, document, dry_run=True, **options)
        report = import_document(engine, document, expect=difference, **options)
        assert counts(report) == counts(plan)
        assert report["nodes"].inserted == report["nodes"].deleted == len(parents)
        assert not diff(engine, document, catalog=catalog)


@pytest.mark.parametrize("by", ["number", "room"])
def test_a_renamed_row_gives_way_in_other_unique_sets(backend: Backend, by: str) -> None:
    """Its wing is unique with another field too: with what others have until they are written."""
    base, catalog = new_base(), Catalog("seats", keep_ids=True)
    room, column = table(base, "rooms"), "number" if by == "number" else "room_id"
    columns: dict[str, Any] = {
        "id": mapped_column(sa.Integer, primary_key=True),
        "wing": mapped_column(sa.String(20), nullable=False),
        "place": mapped_column(sa.Integer, nullable=False),
    }
    if by == "number":
        columns |= {"number": mapped_column(sa.Integer, nullable=False)}
    else:
        columns |= {"room_id": to("rooms.id"), "room": relationship(room)}
    unique = sa.UniqueConstraint("wing", "place"), sa.UniqueConstraint("wing", column)
    seat = type("Seat", (base,), {"__tablename__": "seats", "__table_args__": unique, **columns})
    schema_for(room, catalog)
    schema_for(seat, catalog, natural_key=("wing", "place"))

    def rows(*seats: tuple[str, int]) -> dict[str, list[dict[str, Any]]]:
        numbered = enumerate(seats, 1)
        return {
            "rooms": [{"id": n, "slug": f"r{n}"} for n in range(1, 8)],
            "seats": [
                {"id": n, "wing": wing, "place": n, column: held} for n, (wing, held) in numbered
            ],
        }

    after = rows(("east", 5), ("east", 6), ("east", 7), ("east", 4), ("east", 3))
    with filled(backend, base, **after) as engine:
        document = export_document(engine, catalog=catalog)
    # The first needs what the second has, which moves; others meet on their way alone.
    before = rows(("west", 5), ("east", 5), ("north", 6), ("south", 6), ("east", 3))
    options: dict[str, Any] = {"catalog": catalog, "on_conflict": "mirror"}
    with filled(backend, base, **before) as engine:
        difference = diff(engine, document, catalog=catalog)
        plan = import_document(engine, document, dry_run=True, **options)
        assert plan.problems == []
        report = import_document(engine, document, expect=difference, **options)
        assert counts(report) == counts(plan)
        assert (report["seats"].inserted, report["seats"].updated) == (3, 1)
        assert not diff(engine, document, catalog=catalog)
