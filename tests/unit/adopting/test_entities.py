"""What is ambiguous about an adopted table is decided, and what can't be carried has a reason."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, DeclarationError, import_order
from support.declaring import new_base, table, to

Column = sa.Column[Any]


def adopted(*tables: tuple[Any, ...], **options: Any) -> Catalog:
    """Adopt tables, each a name and what it consists of."""
    metadata = sa.MetaData()
    for name, *parts in tables:
        sa.Table(name, metadata, *parts)
    return Catalog.from_metadata(metadata, **options)


def number(name: str = "id", **options: Any) -> Column:
    return sa.Column(name, sa.Integer, primary_key=True, **options)


def text(name: str, **options: Any) -> Column:
    return sa.Column(name, sa.String(20), **{"nullable": False, **options})


def foreign(name: str, target: str, **options: Any) -> Column:
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), **{"nullable": False, **options})


def keys(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {choice.entity: choice.key for choice in catalog.choices()}


def references(catalog: Catalog, entity: str) -> list[str]:
    return [reference.name for reference in catalog.use()[entity].references]


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        (lambda: [text("code", unique=True), text("name", unique=True)], ("code",)),
        (lambda: [text("slug", unique=True, nullable=True)], ("id",)),
        (lambda: [text("uuid", unique=True, default=str), text("code", unique=True)], ("code",)),
        (lambda: [text("name")], ("id",)),
    ],
    ids=["the first of several", "never null", "business before uuids", "nothing unique"],
)
def test_every_table_has_a_key(columns: Any, key: tuple[str, ...]) -> None:
    """Where a declared schema would have to say which, an order decides."""
    assert keys(adopted(("things", number(), *columns()))) == {"things": key}


def test_an_id_as_the_identity_says_what_it_is_worth() -> None:
    """Another database may have another record under the same id."""
    (choice,) = adopted(("things", number(), text("name"))).choices()
    assert "only in databases that share their ids" in choice.reason


def test_natural_keys_may_be_given_by_table() -> None:
    """They are checked like those of a schema, and a misspelt table is told."""
    with pytest.raises(DeclarationError, match="ThingsSchema: natural_key names an unknown field"):
        adopted(("things", number()), natural_keys={"things": "nam"}).use()
    things = ("things", number(), text("name"), text("code", unique=True))
    assert keys(adopted(things, natural_keys={"things": "name"})) == {"things": ("name",)}
    with pytest.raises(DeclarationError, match=r"natural_keys names 'thing'.*one of: things"):
        adopted(("things", number()), natural_keys={"thing": "name"}).use()
    with pytest.raises(DeclarationError, match="natural_keys is 3; give it a mapping"):
        Catalog.from_metadata(sa.MetaData(), natural_keys=3)  # type: ignore[arg-type]


def test_keys_that_lead_back_to_themselves_give_way_to_the_primary_key() -> None:
    """By a self reference that is never null; in a circle, a reference becomes a plain field."""
    catalog = adopted(
        ("left", number(), foreign("right_id", "right.id", nullable=True)),
        ("right", number(), foreign("left_id", "left.id", unique=True)),
        ("steps", number(), foreign("next_id", "steps.id", unique=True)),
        natural_keys={"left": "right"},
    )
    assert keys(catalog) == {"left": ("right",), "right": ("left_id",), "steps": ("id",)}


def test_a_circle_of_required_references_is_opened_by_a_plain_field() -> None:
    """A declared schema is refused for it; here one of them holds the id itself."""
    catalog = adopted(
        ("hens", number(), foreign("egg_id", "eggs.id")),
        ("eggs", number(), foreign("hen_id", "hens.id")),
    )
    assert import_order(catalog) == {"eggs": 1, "hens": 2}
    reason = "holds the id itself, for as a reference it would close a circle of required ones"
    assert [choice.fields for choice in catalog.choices()] == [(("hen_id", reason),), ()]


def test_references_that_would_share_a_name_get_others() -> None:
    """By the column, else by a number; what was decided is recorded."""
    catalog = adopted(
        ("people", number(), text("slug", unique=True)),
        ("teams", number(), text("slug", unique=True)),
        (
            "shifts",
            number(),
            foreign("person_id", "people.id"),
            text("person"),
            sa.Column("id_id", sa.ForeignKey("people.id"), sa.ForeignKey("teams.id")),
        ),
    )
    assert references(catalog, "shifts") == ["person_id", "id_id", "id_ref"]
    fields = dict(catalog.choices()[1].fields)
    assert fields["person_id"] == "is the reference by person_id"


def test_composite_references_need_no_relationship() -> None:
    """They are called after their columns."""
    catalog = adopted(
        ("rooms", number("house_id", autoincrement=False), number("nr", autoincrement=False)),
        (
            "beds",
            number(),
            sa.Column("house_id", sa.Integer),
            sa.Column("nr", sa.Integer),
            sa.ForeignKeyConstraint(["house_id", "nr"], ["rooms.house_id", "rooms.nr"]),
        ),
    )
    assert references(catalog, "beds") == ["house_and_nr"]


def test_the_first_of_several_relationships_names_a_reference() -> None:
    """Declared models would have to say which."""
    base = new_base()
    table(base, "goods")
    options = {"foreign_keys": "Lines.good_id"}
    views = {name: relationship("Goods", overlaps="a,b", **options) for name in ("b", "a")}
    table(base, "lines", good_id=to("goods.id"), **views)
    catalog = Catalog.from_metadata(base)
    assert references(catalog, "lines") in (["a"], ["b"])
    assert "is the first of the relationships" in catalog.choices()[1].fields[0][1]


def test_a_foreign_key_that_leads_nowhere_is_a_plain_field() -> None:
    """SQLite keeps such a key."""
    catalog = adopted(("things", number(), foreign("owner_id", "owners.id")))
    assert [value.name for value in catalog.use()["things"].values] == ["id", "owner_id"]
    ((name, decision),) = catalog.choices()[0].fields
    assert (name, decision[:50]) == (
        "owner_id",
        "holds the id itself, for its foreign key can't be ",
    )


def test_names_that_are_taken_get_others() -> None:
    """A column may be called as the table that its rows own, or as the table of its links."""
    catalog = adopted(
        ("orders", number(), text("slug", unique=True), text("lines"), text("order_tags")),
        (
            "lines",
            sa.Column("order_id", sa.ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
            number(),
        ),
        ("tags", number(), text("slug", unique=True)),
        (
            "order_tags",
            foreign("order_id", "orders.id"),
            foreign("tag_id", "tags.id"),
        ),
        owned=True,
    )
    rows = catalog.use()["orders"]
    assert [children.name for children in rows.children] == ["lines_list"]
    lists = {links.name for each in catalog.use().all_rows() for links in each.links}
    assert lists <= {"order_tags_links", "order_tags"}
    assert len(lists) == 1


def test_entities_whose_names_no_file_can_hold_are_numbered() -> None:
    """Whatever tables are called, no two entities have one name."""
    tables = [(name, number(), text("slug", unique=True)) for name in ("b/c", "b\\c", "b\nc")]
    assert set(adopted(*tables).use().roots) == {"b_c", "table.b_c", "table.b_c_2"}


def test_types_of_unknown_values_travel_as_stored_or_are_left_out_by_name() -> None:
    """Pickled bytes are bytes; for an address of PostgreSQL there is no portable form."""
    catalog = adopted(
        (
            "things",
            number(),
            sa.Column("box", sa.PickleType),
            sa.Column("address", postgresql.INET),
        )
    )
    assert [value.name for value in catalog.use()["things"].values] == ["id", "box"]
    assert dict(catalog.choices()[0].fields)["box"].startswith("travels as it is stored, for")
    reasons = catalog.coverage()
    assert reasons == {"things.address": "lading has no portable form for values of INET()"}


def test_what_cant_be_an_entity_is_left_out_with_the_reason() -> None:
    """A table without a primary key, one whose key has no order, and alembic's own."""
    catalog = adopted(
        ("alembic_version", text("version_num", primary_key=True)),
        ("logs", text("line")),
        ("ratios", sa.Column("ratio", sa.Float, primary_key=True)),
        ("things", number()),
    )
    reasons = catalog.coverage()
    assert reasons["alembic_version"] == "alembic's own record of its revision"
    assert reasons["logs"] == "it has no primary key"
    assert reasons["ratios"] == (
        "it has no natural key: no unique columns of it, nor its primary key, can be one"
    )
    assert sorted(catalog.use().roots) == ["things"]


def test_a_class_that_is_mapped_to_a_query_is_left_out() -> None:
    """It has no rows of its own."""
    base = new_base()
    things = table(base, "things")
    query = sa.select(things.id).where(things.id > 3).subquery()
    type("Some", (base,), {"__table__": query, "__mapper_args__": {"primary_key": [query.c.id]}})
    assert Catalog.from_metadata(base).coverage() == {
        "Some": "it is mapped to a query, and not to a table"
    }


def test_a_reason_of_your_own_stands_before_ours() -> None:
    """``leaves_out`` may excuse what can't be carried."""
    tables = ("logs", text("line")), ("things", number())
    catalog = adopted(*tables, leaves_out={"logs": "rotated"})
    assert catalog.coverage() == {"logs": "rotated"}


def test_tables_of_several_schemas_have_names_of_their_own() -> None:
    """The default schema's has its own; so has one that a document needs, or a file can't have."""
    metadata = sa.MetaData()
    for name, schema in (("items", None), ("items", "a"), ("source", None), ("a/b", None)):
        sa.Table(name, metadata, number(), schema=schema)
    roots = Catalog.from_metadata(metadata).use().roots
    assert {name: rows.table.fullname for name, rows in roots.items()} == {
        "a.items": "a.items",
        "a_b": "a/b",
        "items": "items",
        "table.source": "source",
    }


def test_columns_that_no_field_can_be_called_get_other_names() -> None:
    """JSON would have to escape them."""
    catalog = adopted(("things", number(), text('the "title"')))
    assert [value.name for value in catalog.use()["things"].values] == ["id", "the _title_"]


def test_hierarchies_are_one_entity_each() -> None:
    """Declared on the base, as a schema would be."""
    base = new_base()
    kind = mapped_column(sa.String(9), nullable=False)
    arguments = {"polymorphic_on": "kind", "polymorphic_identity": "thing"}
    things = table(base, "things", kind=kind, __mapper_args__=arguments)
    type("Toy", (things,), {"__mapper_args__": {"polymorphic_identity": "toy"}})
    catalog = Catalog.from_metadata(base)
    assert catalog.use()["things"].classes == {"thing", "toy"}


def test_a_hierarchy_without_a_discriminator_is_taken_table_by_table() -> None:
    """No record could say which class it is of, and each table has its rows."""
    base = new_base()
    things = table(base, "things")
    key = mapped_column(sa.ForeignKey("things.id"), primary_key=True)
    type("Toy", (things,), {"__tablename__": "toys", "toy_id": key})
    catalog = Catalog.from_metadata(base)
    assert keys(catalog) == {"things": ("slug",), "toys": ("toy",)}
    assert catalog.coverage() == {}


def test_an_adopted_catalog_has_the_safe_defaults() -> None:
    """Nobody has looked at it yet."""
    catalog = Catalog.from_metadata(sa.MetaData())
    assert (catalog.name, catalog.keep_ids, catalog.sqlite_decimals) == ("adopted", True, "as_read")
    with pytest.raises(DeclarationError, match=r"catalog 'adopted' is empty.*\n  it has no tables"):
        catalog.use()
    without_key = sa.MetaData()
    sa.Table("logs", without_key, sa.Column("line", sa.Text))
    with pytest.raises(DeclarationError, match=r"adopted:\n  logs: it has no primary key"):
        Catalog.from_metadata(without_key).use()


def test_a_choice_says_whether_a_declared_schema_makes_it_too() -> None:
    """Without a line: not an id, nor the first of several."""
    catalog = adopted(
        ("things", number(), text("code", unique=True)),
        ("boxes", number(), text("code", unique=True), text("name", unique=True)),
        ("notes", number(), text("body")),
    )
    defaults = {choice.entity: choice.is_default for choice in catalog.choices()}
    assert defaults == {"boxes": False, "notes": False, "things": True}
