"""Catalogs: when they derive, what they inherit, and what they leave out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    Catalog,
    Change,
    DeclarationError,
    EntitySchema,
    Owned,
    Ref,
    default_catalog,
    export_document,
)
from support.aged import changed
from support.declaring import catalog_of, new_base, schema_for


def simple(base: Any, class_name: str, table_name: str, /, **columns: Any) -> Any:
    """Make a model with an id, a unique slug and more attributes."""
    return type(
        class_name,
        (base,),
        {
            "__tablename__": table_name,
            "id": mapped_column(sa.Integer, primary_key=True, sort_order=-2),
            "slug": mapped_column(sa.String, unique=True, nullable=False, sort_order=-1),
            **columns,
        },
    )


def test_entities_stand_by_name() -> None:
    """The order of declaration means nothing."""
    base = new_base()
    catalog = catalog_of(*(simple(base, name.title(), name) for name in ("b", "a", "c")))
    assert [schema.__name__ for schema in catalog.schemas] == ["BSchema", "ASchema", "CSchema"]
    assert list(catalog.use().roots) == ["a", "b", "c"]
    assert repr(catalog) == "<Catalog 'test': 3 schemas>"


@pytest.mark.parametrize("source", [5, b"shop 1", {"shop": 1}, "\ud800"])
def test_a_source_is_text(source: Any) -> None:
    """Else it would be refused with the manifest, once everything was read, or written as bytes."""
    with pytest.raises(DeclarationError, match="Catalog: source is"):
        Catalog("shop", source=source)


def test_a_name_that_no_file_can_hold_is_refused() -> None:
    with pytest.raises(DeclarationError, match="Catalog: name is"):
        Catalog("\ud800")


@pytest.mark.parametrize("unlabelled", [["1.0"], {"1.0": 1}, 5])
def test_an_unlabelled_that_is_no_release_is_named(unlabelled: Any) -> None:
    """Even what can't be looked up."""
    catalog = catalog_of(simple(new_base(), "Item", "items"))
    catalog.unlabelled = unlabelled
    with pytest.raises(DeclarationError, match="isn't a release"):
        export_document(sa.create_engine("sqlite://"), catalog=catalog)


@pytest.mark.parametrize("change", [None, "Renamed", 5, object, EntitySchema, Change])
def test_only_changes_are_registered(change: Any) -> None:
    """A base without upgrades is none either."""
    catalog = Catalog("shop")
    with pytest.raises(DeclarationError, match="catalog 'shop' can't register"):
        catalog.register_change(change)
    assert catalog.changes == []


@pytest.mark.parametrize(
    "options",
    [{"keep_ids": 1}, {"leaves_out": ["logs"]}, {"releases": 5}, {"sqlite_decimals": "rounded"}],
)
def test_an_option_of_another_form_is_refused(options: Any) -> None:
    """By name, with what it is and what to give."""
    with pytest.raises(DeclarationError) as caught:
        Catalog("shop", **options)
    ((name, value),) = options.items()
    assert str(caught.value).startswith(f"Catalog: {name} is {value!r}; ")


def test_a_change_may_be_registered_again() -> None:
    """A module that is reloaded does so; it still runs once."""
    catalog = catalog_of(simple(new_base(), "Things", "things"))
    some = changed(catalog, {"things": (1, 2)})
    catalog.register_change(some)
    assert catalog.changes == [some]


def test_a_schema_s_catalog_is_one() -> None:
    """Told where it is declared."""
    with pytest.raises(DeclarationError) as caught:
        schema_for(simple(new_base(), "Things", "things"), 5)  # type: ignore[arg-type]
    assert str(caught.value) == "ThingsSchema: catalog = 5; give it a Catalog."


def test_without_a_catalog_a_schema_goes_to_the_default_one() -> None:
    """Scripts need no catalog of their own."""
    before = list(default_catalog.schemas)
    item = simple(new_base(), "Item", "items")
    try:

        class ItemSchema(EntitySchema):
            class Meta:
                model = item

        assert default_catalog.schemas == [*before, ItemSchema]
        assert default_catalog.name == "default"
    finally:
        default_catalog.schemas[:] = before
        default_catalog._entities = None


def test_declaring_configures_no_mapper() -> None:
    """A mapper that is configured before its related classes exist stays broken for good."""
    base = new_base()
    child = simple(
        base,
        "Child",
        "children",
        parent_id=mapped_column(sa.ForeignKey("parents.id"), nullable=False),
        parent=relationship("Parent"),
    )
    catalog = Catalog("test")
    schema = schema_for(child, catalog)
    parent = simple(base, "Parent", "parents")
    schema_for(parent, catalog)
    base.registry.configure()
    assert schema().load({"slug": "a", "parent": {"slug": "b"}})


def test_an_abstract_base_passes_on_catalog_and_volatile() -> None:
    """A schema without model is no entity; its subclasses are of its catalog."""
    ours = Catalog("ours")

    class OurSchema(EntitySchema):
        class Meta:
            catalog = ours
            volatile = ("note",)

    assert ours.schemas == []
    item = simple(new_base(), "Item", "items", note=mapped_column(sa.String))

    class ItemSchema(OurSchema):
        class Meta:
            model = item

    assert ours.schemas == [ItemSchema]
    assert ours.use()["items"].volatile == {"note"}


def test_an_inherited_volatile_may_name_what_a_schema_lacks() -> None:
    """A base speaks for many tables, not all of which have the column."""
    ours = Catalog("ours")

    class OurSchema(EntitySchema):
        class Meta:
            catalog = ours
            volatile = ("updated_at",)

    item = simple(new_base(), "Item", "items")

    class ItemSchema(OurSchema):
        class Meta:
            model = item

    assert ours.use()["items"].key_names == ("slug",)


def test_an_own_volatile_replaces_the_inherited() -> None:
    """As every option of Meta does."""
    ours = Catalog("ours")

    class OurSchema(EntitySchema):
        class Meta:
            catalog = ours
            volatile = ("updated_at",)

    item = simple(new_base(), "Item", "items", note=mapped_column(sa.String))

    class ItemSchema(OurSchema):
        class Meta:
            model = item
            volatile = ("note",)

    assert ours.use()["items"].volatile == {"note"}


def test_one_volatile_field_may_be_a_string() -> None:
    """Like natural_key: a field or a tuple."""
    catalog = Catalog("test")
    item = simple(new_base(), "Item", "items", note=mapped_column(sa.String))
    schema_for(item, catalog, volatile="note")
    assert catalog.use()["items"].volatile == {"note"}


def test_fields_of_an_abstract_base_are_inherited() -> None:
    """A base may declare a field, or a hook, for all."""
    ours = Catalog("ours")

    class OurSchema(EntitySchema):
        note = ma.fields.String(validate=ma.validate.Length(max=3), allow_none=True)

        class Meta:
            catalog = ours

    base = new_base()
    models = [
        simple(base, name, f"{name.lower()}s", note=mapped_column(sa.String))
        for name in ("Item", "Thing")
    ]
    schemas = [
        type(EntitySchema)(
            f"{model.__name__}Schema", (OurSchema,), {"Meta": type("Meta", (), {"model": model})}
        )
        for model in models
    ]
    for schema in schemas:
        assert schema().validate({"slug": "a", "note": "long"}) == {
            "note": ["Longer than maximum length 3."]
        }


def test_key_name_and_version_are_not_inherited() -> None:
    """They belong to one entity."""
    ours = Catalog("ours")

    class OurSchema(EntitySchema):
        class Meta:
            catalog = ours
            version = 7
            name = "same"

    base = new_base()
    for name in ("Item", "Thing"):
        options = type("Meta", (), {"model": simple(base, name, name.lower())})
        type(EntitySchema)(f"{name}Schema", (OurSchema,), {"Meta": options})
    assert {name: rows.version for name, rows in ours.use().roots.items()} == {
        "item": 1,
        "thing": 1,
    }


def test_the_default_name_is_the_table_s() -> None:
    """``Meta.name`` overrides it; an owned one is a path."""
    base = new_base()
    item = simple(base, "Item", "tbl_items")
    part = simple(
        base, "Part", "parts", item_id=mapped_column(sa.ForeignKey("tbl_items.id"), nullable=False)
    )
    catalog = Catalog("test")
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))}, name="items")
    rows = catalog.use()["items"]
    assert [item.name for item in rows.tree()] == ["items", "items.parts"]
    assert {item.entity for item in rows.tree()} == {"items"}


def test_one_model_in_two_catalogs() -> None:
    """Each catalog has its own schema, key and names for it."""
    base = new_base()
    item = simple(base, "Item", "items", code=mapped_column(sa.Integer, nullable=False))
    one, two = Catalog("one"), Catalog("two")
    first = schema_for(item, one)
    second = schema_for(item, two, {"code": ma.fields.Integer(data_key="Code")}, natural_key="code")
    assert one.use()["items"].key_names == ("slug",)
    assert two.use()["items"].key_names == ("Code",)
    assert first().load({"slug": "a", "code": 1}) == {"slug": "a", "code": 1}
    assert second().load({"slug": "a", "Code": 1}) == {"slug": "a", "code": 1}


def test_deriving_happens_once() -> None:
    """A catalog in use is the same object every time."""
    catalog = catalog_of(simple(new_base(), "Item", "items"))
    assert catalog.use() is catalog.use()


def test_a_later_schema_has_everything_derived_again() -> None:
    """From the declarations as they were written, not from what was derived before."""
    base = new_base()
    brand = simple(base, "Brand", "brands")
    item = simple(
        base,
        "Item",
        "items",
        brand_id=mapped_column(sa.ForeignKey("brands.id"), nullable=False),
        brand=relationship(brand),
    )
    catalog = catalog_of(brand)
    schema = schema_for(item, catalog, {"brand": Ref(flat=True)})
    record = {"slug": "a", "brand_slug": "b"}
    assert schema().dump(schema().load(record)) == record
    for n in range(2):
        schema_for(simple(base, f"Late{n}", f"late{n}"), catalog)
        assert list(catalog.use().roots)[-1] == f"late{n}"
        assert schema().dump(schema().load(record)) == record
        assert schema.catalog.use()["items"].references[0].written == "brand_slug"


def test_a_schema_may_be_used_before_its_catalog() -> None:
    """The first instance has the whole catalog derived."""
    base = new_base()
    brand = simple(base, "Brand", "brands")
    item = simple(
        base, "Item", "items", brand_id=mapped_column(sa.ForeignKey("brands.id"), nullable=False)
    )
    catalog = Catalog("test")
    schema = schema_for(item, catalog)
    schema_for(brand, catalog)
    assert schema().load({"slug": "a", "brand": {"slug": "b"}})["brand"] == {"slug": "b"}


def test_a_subclass_of_an_entity_s_schema_needs_no_model_of_its_own() -> None:
    """For one table in another catalog, a subclass reuses the declaration."""
    item = simple(new_base(), "Item", "items", note=mapped_column(sa.String))
    one, two = Catalog("one"), Catalog("two")
    schema = schema_for(item, one, {"note": ma.fields.String(data_key="remark", allow_none=True)})
    one.use()
    options = type("Meta", (), {"model": item, "catalog": two})
    again = type(EntitySchema)("AgainSchema", (schema,), {"Meta": options})
    assert again().load({"slug": "a", "remark": None}) == {"slug": "a", "note": None}


# Coverage


def test_coverage_lists_tables_and_columns_that_nobody_carries() -> None:
    """Every table and column has a carrier, or is left out by name."""
    base = new_base()
    item = simple(base, "Item", "items", token=mapped_column(sa.String))
    simple(base, "Session", "sessions")
    sa.Table("stray", base.metadata, sa.Column("id", sa.Integer), schema="shop")
    catalog = Catalog("test", leaves_out={"sessions": "short-lived"})
    schema_for(item, catalog, exclude=("token",))
    assert catalog.coverage() == {
        "items.token": None,
        "sessions": "short-lived",
        "shop.stray": None,
    }


def test_an_unmapped_column_is_left_out() -> None:
    """Columns that the mapper doesn't know are in the table all the same."""
    base = new_base()
    table = sa.Table(
        "items",
        base.metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String, unique=True, nullable=False),
        sa.Column("secret", sa.String),
    )

    class Item(base):
        __table__ = table
        __mapper_args__ = {"exclude_properties": ["secret"]}

    catalog = catalog_of(Item, leaves_out={"items.secret": "nobody's business"})
    assert catalog.coverage() == {"items.secret": "nobody's business"}


def test_ids_references_links_and_owned_rows_are_carried() -> None:
    """What a record's nesting says needs no field of its own."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("brand_id", sa.ForeignKey("brands.id"), primary_key=True),
    )
    brand = simple(base, "Brand", "brands")
    item = simple(
        base,
        "Item",
        "items",
        brand_id=mapped_column(sa.ForeignKey("brands.id")),
        brands=relationship(brand, secondary=links),
    )
    part = simple(
        base, "Part", "parts", item_id=mapped_column(sa.ForeignKey("items.id"), nullable=False)
    )
    catalog = catalog_of(brand)
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))})
    assert catalog.coverage() == {}


def test_a_mapped_column_property_is_no_column() -> None:
    """An expression has no column to restore."""
    base = new_base()
    item = simple(base, "Item", "items")
    item.loud = sa.orm.column_property(sa.func.upper(item.__table__.c.slug))
    catalog = catalog_of(item)
    assert catalog.coverage() == {}
    assert catalog.schemas[0]().load({"slug": "a"}) == {"slug": "a"}


def test_viewonly_relationships_carry_nothing() -> None:
    """They are another way to look at what other fields carry."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("brand_id", sa.ForeignKey("brands.id"), primary_key=True),
    )
    brand = simple(base, "Brand", "brands")
    item = simple(
        base,
        "Item",
        "items",
        brand_id=mapped_column(sa.ForeignKey("brands.id")),
        brand=relationship(brand),
        shown=relationship(brand, viewonly=True),
        brands=relationship(brand, secondary=links, viewonly=True),
    )
    catalog = catalog_of(brand, item)
    assert [member.name for member in catalog.use()["items"].members] == ["slug", "brand"]
    assert catalog.coverage() == {"links": None}


def test_coverage_lists_every_metadata_of_a_registry() -> None:
    """An application that binds several databases has a metadata for each, and one registry."""
    base = new_base()

    class User(base):
        __tablename__ = "users"
        id = mapped_column(sa.Integer, primary_key=True)
        email = mapped_column(sa.String(9), unique=True, nullable=False)

    class Statistic(base):
        __tablename__ = "statistics"
        metadata = sa.MetaData()
        id = mapped_column(sa.Integer, primary_key=True)

    class Archive(base):
        __tablename__ = "archives"
        metadata = sa.MetaData(schema="old")
        id = mapped_column(sa.Integer, primary_key=True)

    sa.Table("counts", Statistic.metadata, sa.Column("n", sa.Integer))
    catalog = catalog_of(User, leaves_out={"counts": "they are counted anew"})
    assert catalog.coverage() == {
        "counts": "they are counted anew",
        "old.archives": None,
        "statistics": None,
    }
