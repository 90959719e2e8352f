"""Every mistake that a declaration can hold: its full text, pinned once."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, EntitySchema, Owned, Ref, default_catalog, import_order
from lading.catalog import filled_catalogs
from lading.errors import DeclarationError
from support.declaring import catalog_of, new_base, schema_for


def refusal(catalog: Catalog) -> str:
    """Return the text of a catalog's declaration error."""
    with pytest.raises(DeclarationError) as caught:
        catalog.use()
    return str(caught.value)


def table(base: Any, class_name: str, table_name: str, /, *args: Any, **columns: Any) -> Any:
    """Make a model with an id and a unique slug beside the given attributes."""
    columns.setdefault("id", mapped_column(sa.Integer, primary_key=True, sort_order=-2))
    columns.setdefault(
        "slug", mapped_column(sa.String(20), unique=True, nullable=False, sort_order=-1)
    )
    return type(
        class_name, (base,), {"__tablename__": table_name, "__table_args__": args, **columns}
    )


def to(target: str, *, nullable: bool = False, **options: Any) -> Any:
    """Make a foreign key column."""
    return mapped_column(sa.ForeignKey(target), nullable=nullable, **options)


# Catalogs and models


def test_an_empty_catalog() -> None:
    """Exporting nothing by mistake would look like a good backup."""
    assert refusal(Catalog("shop")) == (
        "catalog 'shop' is empty; declare an EntitySchema with model = … in it."
    )


def test_a_forgotten_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leaves out ``catalog=`` is told which there are."""
    monkeypatch.setattr(default_catalog, "schemas", [])
    base = new_base()
    catalog = Catalog("an application of its own")
    for name in ("items", "others"):
        schema_for(table(base, name.title(), name), catalog)
    with pytest.raises(DeclarationError) as caught:
        default_catalog.use()
    assert str(caught.value).startswith("the default catalog is empty; '")
    assert str(caught.value).endswith(": pass catalog=….")
    assert "'an application of its own' has 2 schemas" in filled_catalogs()


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_catalog_needs_a_name(name: Any) -> None:
    """The name is written into bundles."""
    with pytest.raises(DeclarationError) as caught:
        Catalog(name)
    assert str(caught.value) == f"Catalog: name is {name!r}; give it a non-empty string."


def test_a_model_must_be_mapped() -> None:
    """Any class could be named by mistake."""

    class Thing:
        pass

    catalog = Catalog("test")
    schema_for(Thing, catalog)
    text = refusal(catalog)
    assert text.startswith("ThingSchema: model = <class ")
    assert text.endswith("isn't a mapped class; map it, or name another.")


def test_models_that_can_t_be_configured() -> None:
    """SQLAlchemy's own error is the cause, and the text."""
    base = new_base()
    item = table(base, "Item", "items", other=relationship("Nowhere"))
    with pytest.raises(DeclarationError, match="the models can't be configured: ") as caught:
        catalog_of(item).use()
    assert isinstance(caught.value.__cause__, sa.exc.SQLAlchemyError)
    base.registry.dispose()


def test_other_models_may_have_mistakes() -> None:
    """Or be half declared: only what a catalog maps, and refers to, must be right."""
    broken = new_base()
    table(broken, "Item", "items", other=relationship("Nowhere"))
    part = table(new_base(), "Part", "parts")
    assert list(catalog_of(part).use().roots) == ["parts"]
    assert list(Catalog.from_metadata(part.registry).use().roots) == ["parts"]
    assert list(Catalog.from_metadata([part]).use().roots) == ["parts"]
    broken.registry.dispose()


def test_a_table_without_a_primary_key() -> None:
    """Rows that can't be told apart can't be updated."""
    base = new_base()
    plain = sa.Table("plain", base.metadata, sa.Column("slug", sa.String, unique=True))

    class Plain(base):
        __table__ = plain
        __mapper_args__ = {"primary_key": [plain.c.slug]}

    assert refusal(catalog_of(Plain)) == (
        "PlainSchema: table plain has no primary key; give it one."
    )


@pytest.mark.parametrize("version", [0, -1, 1.5, "2", True])
def test_a_version_is_a_whole_number_from_one(version: Any) -> None:
    """Changes count in steps of one."""
    catalog = Catalog("test")
    schema_for(table(new_base(), "Item", "items"), catalog, version=version)
    assert refusal(catalog) == f"ItemSchema: version = {version!r}; write a whole number from 1."


def test_a_model_must_be_mapped_to_a_table() -> None:
    """What an import would insert into a join or a query isn't known."""
    base = new_base()
    item, other = table(base, "Item", "items"), table(base, "Other", "others")

    class Both:
        pass

    join = sa.join(item.__table__, other.__table__, item.id == other.id)
    base.registry.map_imperatively(
        Both, join, properties={"id": [item.id, other.id], "slug": [item.slug, other.slug]}
    )
    catalog = Catalog("test")
    schema_for(Both, catalog)
    assert (
        "Both is mapped to join, and not to a table; map it to one, or map a class to each of its "
        "tables"
    ) in refusal(catalog)


def test_a_subclass_joins_its_base_by_whole_keys() -> None:
    """A row of a subclass must be one row of the base class, and no two of them the same."""
    base = new_base()
    animal = table(
        base,
        "Animal",
        "animals",
        sort=mapped_column(sa.String(9)),
        __mapper_args__={"polymorphic_on": "sort", "polymorphic_identity": "animal"},
    )
    links = sa.Table(
        "cats",
        base.metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("life", sa.Integer, primary_key=True),
    )
    type(
        "Cat",
        (animal,),
        {
            "__table__": links,
            "__mapper_args__": {
                "polymorphic_identity": "cat",
                "inherit_condition": links.c.id == sa.orm.foreign(animal.__table__.c.id),
            },
            "cat_id": links.c.id,
        },
    )
    assert (
        "the rows of cats don't join those of their base class by the whole of both primary keys"
    ) in refusal(catalog_of(animal))


def test_a_discriminator_has_a_type_that_is_known() -> None:
    """Which class a row is of is read from it."""

    class Odd(sa.types.UserDefinedType[Any]):
        cache_ok = True

    arguments = {"polymorphic_on": "sort", "polymorphic_identity": "animal"}
    animal = table(
        new_base(), "Animal", "animals", sort=mapped_column(Odd()), __mapper_args__=arguments
    )
    type("Cat", (animal,), {"__mapper_args__": {"polymorphic_identity": "cat"}})
    catalog = Catalog("test")
    schema_for(animal, catalog, {"sort": ma.fields.String(required=True)})
    assert (
        "animals.sort says which class a row is of, and its type isn't one that lading knows"
    ) in refusal(catalog)


def test_two_schemas_of_one_name() -> None:
    """An entity's name is its file's."""
    base = new_base()
    catalog = Catalog("test")
    schema_for(table(base, "Item", "items"), catalog)
    schema_for(table(base, "Other", "others"), catalog, name="items")
    assert refusal(catalog) == (
        "OtherSchema: is named 'items' like ItemSchema; write name = … in one's Meta."
    )


def test_two_schemas_of_one_table() -> None:
    """Each row would be written twice."""
    item = table(new_base(), "Item", "items")
    catalog = catalog_of(item)
    schema_for(item, catalog, name="others")
    assert "each row would be written twice" in refusal(catalog)


@pytest.mark.parametrize("name", ["source", "version", "exported_at", "schema_versions", "a/b"])
def test_a_name_that_documents_or_files_cannot_hold(name: str) -> None:
    """A table of such a name needs another name for its entity."""
    assert "write name = … in its Meta" in refusal(catalog_of(table(new_base(), "Item", name)))


def test_volatile_must_name_fields() -> None:
    """A misspelt name would make every record differ."""
    catalog = Catalog("test")
    schema_for(table(new_base(), "Item", "items"), catalog, volatile=("slug", "touched"))
    assert refusal(catalog).startswith(
        "ItemSchema: volatile names an unknown field 'touched'; expected one of:"
    )


def test_depends_on_must_name_entities() -> None:
    """Order is never written by hand, but a dependency may be."""
    catalog = Catalog("test")
    schema_for(table(new_base(), "Item", "items"), catalog, depends_on=("parents",))
    with pytest.raises(DeclarationError) as caught:
        import_order(catalog)
    assert str(caught.value) == (
        "ItemSchema: depends_on names an unknown entity 'parents'; expected one of: items."
    )


# Fields


def test_an_unknown_type_needs_a_declared_field() -> None:
    """Nobody guesses how a value of an unknown type is written."""

    class Strange(sa.types.UserDefinedType):  # type: ignore[type-arg]
        cache_ok = True

        def __repr__(self) -> str:
            return "Strange()"

    item = table(new_base(), "Item", "items", where=mapped_column(Strange, nullable=False))
    assert refusal(catalog_of(item)) == (
        "ItemSchema: where: Strange() has a Python type that lading doesn't know; declare where = "
        "fields.…(required=True), give its TypeDecorator a python_type, or leave it out with "
        "Meta.exclude."
    )


def test_a_declared_field_cures_an_unknown_type() -> None:
    """The remedy that the error offers works."""

    class Strange(sa.types.UserDefinedType):  # type: ignore[type-arg]
        cache_ok = True

    item = table(new_base(), "Item", "items", where=mapped_column(Strange, nullable=False))
    catalog = Catalog("test")
    schema = schema_for(item, catalog, {"where": ma.fields.String(required=True)})
    assert schema().load({"slug": "a", "where": "here"}) == {"slug": "a", "where": "here"}


def test_a_field_that_matches_no_column() -> None:
    """What nothing could restore must say that it is only exported."""
    catalog = Catalog("test")
    schema_for(table(new_base(), "Item", "items"), catalog, {"extra": ma.fields.String()})
    assert refusal(catalog) == (
        "ItemSchema: extra isn't a column of items, so nothing could restore it; give it "
        "attribute=..., or dump_only=True."
    )


def test_a_load_only_field() -> None:
    """An export would forget it silently."""
    catalog = Catalog("test")
    item = table(new_base(), "Item", "items", name=mapped_column(sa.String))
    schema_for(item, catalog, {"name": ma.fields.String(load_only=True, allow_none=True)})
    assert refusal(catalog) == (
        "ItemSchema: name is load_only, so an export would forget it; remove load_only."
    )


def test_load_only_in_meta_is_the_same_mistake() -> None:
    """Marshmallow has two ways to say load_only."""
    catalog = Catalog("test")
    item = table(new_base(), "Item", "items", name=mapped_column(sa.String))
    schema_for(item, catalog, load_only=("name",))
    assert refusal(catalog) == (
        "ItemSchema: name is load_only, so an export would forget it; remove load_only."
    )


@pytest.mark.parametrize("name", ['a"b', "a\\b"])
def test_a_field_name_that_json_would_escape(name: str) -> None:
    """Records are cut and compared by their bytes."""
    catalog = Catalog("test")
    fields = {"slug": ma.fields.String(data_key=name)}
    schema_for(table(new_base(), "Item", "items"), catalog, fields)
    assert "no field's name may have quotes, backslashes" in refusal(catalog)


def test_two_fields_written_alike() -> None:
    """JSON has one value per name."""
    catalog = Catalog("test")
    item = table(new_base(), "Item", "items", name=mapped_column(sa.String))
    schema_for(item, catalog, {"name": ma.fields.String(data_key="slug", allow_none=True)})
    assert refusal(catalog) == (
        "ItemSchema: two fields would be written as 'slug'; give one a data_key."
    )


# References


def test_a_reference_to_a_table_without_schema() -> None:
    """A record can't name what the catalog doesn't know."""
    base = new_base()
    table(base, "Other", "others")
    item = table(base, "Item", "items", other_id=to("others.id"))
    assert refusal(catalog_of(item)) == (
        "ItemSchema: other refers to table others, which no schema of catalog 'test' carries; "
        "declare one with model = … for it, or leave the reference out with "
        "Meta.exclude = ('other',)."
    )


def test_a_reference_to_a_table_of_two_schemas() -> None:
    """Two entities over one table differ in their keys."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(base, "Item", "items", other_id=to("others.id"))
    catalog = catalog_of(other, item)
    options = type("Meta", (), {"model": other, "catalog": catalog, "name": "again"})
    type(EntitySchema)("AgainSchema", (EntitySchema,), {"Meta": options})
    assert "ItemSchema: other could refer to AgainSchema, OtherSchema; write other = " in refusal(
        catalog
    )


def test_a_foreign_key_with_two_relationships() -> None:
    """A reference has one name."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(
        base,
        "Item",
        "items",
        other_id=to("others.id"),
        home=relationship(other, overlaps="house"),
        house=relationship(other, overlaps="home"),
    )
    assert refusal(catalog_of(other, item)) == (
        "ItemSchema: other_id has several relationships; write home = Ref() or house = Ref()."
    )


def test_a_declared_ref_chooses_the_relationship() -> None:
    """The remedy that the error offers works."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(
        base,
        "Item",
        "items",
        other_id=to("others.id"),
        home=relationship(other, overlaps="house"),
        house=relationship(other, overlaps="home"),
    )
    catalog = catalog_of(other)
    schema_for(item, catalog, {"house": Ref()})
    assert [ref.name for ref in catalog.use()["items"].references] == ["house"]


def test_a_composite_foreign_key_without_relationship() -> None:
    """Nothing says what to call it."""
    base = new_base()
    other = table(
        base,
        "Other",
        "others",
        sa.UniqueConstraint("a", "b"),
        a=mapped_column(sa.Integer, nullable=False),
        b=mapped_column(sa.Integer, nullable=False),
    )
    item = table(
        base,
        "Item",
        "items",
        sa.ForeignKeyConstraint(["x", "y"], ["others.a", "others.b"]),
        x=mapped_column(sa.Integer, nullable=False),
        y=mapped_column(sa.Integer, nullable=False),
    )
    assert refusal(catalog_of(other, item)) == (
        "ItemSchema: the foreign key (x, y) has no relationship to be named after; name it by its "
        "columns, as in name = Ref(('x', 'y'))."
    )


def test_a_partly_nullable_composite_foreign_key() -> None:
    """A null reference would not restore the other column, whose value means nothing elsewhere."""
    base = new_base()
    tenant = table(base, "Tenant", "tenants")
    other = table(
        base,
        "Other",
        "others",
        sa.UniqueConstraint("a", "b"),
        a=to("tenants.id"),
        b=mapped_column(sa.Integer, nullable=False),
    )
    item = table(
        base,
        "Item",
        "items",
        sa.ForeignKeyConstraint(["x", "y"], ["others.a", "others.b"]),
        x=mapped_column(sa.Integer, nullable=False),
        y=mapped_column(sa.Integer, nullable=True),
        other=relationship(other),
    )
    assert refusal(catalog_of(tenant, other, item)) == (
        "ItemSchema: other: a null reference wouldn't restore x, which is in its foreign key (x, y) "
        "and is never null; give x a foreign key of its own, or make all of the columns nullable "
        "or none."
    )


def test_a_field_and_a_reference_of_one_name() -> None:
    """A column ``other`` beside ``other_id`` collides with its reference."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(base, "Item", "items", other=mapped_column(sa.String), other_id=to("others.id"))
    assert refusal(catalog_of(other, item)) == (
        "ItemSchema: other would be both a field and a reference; name the reference otherwise: "
        "other_name = Ref('other')."
    )


def test_the_other_name_cures_the_collision() -> None:
    """The remedy that the error offers works, whichever column comes first."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(
        base,
        "Item",
        "items",
        other_id=to("others.id"),
        other=mapped_column(sa.String, sort_order=5),
    )
    catalog = catalog_of(other)
    schema_for(item, catalog, {"parent": Ref("other_id")})
    names = [member.name for member in catalog.use()["items"].members]
    assert sorted(names) == ["other", "parent", "slug"]


def test_a_ref_that_names_no_foreign_key() -> None:
    """A misspelt reference would leave the real one under its own name."""
    catalog = Catalog("test")
    schema_for(table(new_base(), "Item", "items"), catalog, {"owner": Ref()})
    assert refusal(catalog) == (
        "ItemSchema: owner = Ref(...) names no foreign key of items; name its relationship: "
        "Ref('relationship')."
    )


def test_by_must_name_a_key_field() -> None:
    """What a reference is written by must exist and identify."""
    base = new_base()
    other = table(
        base,
        "Other",
        "others",
        weight=mapped_column(sa.Float, nullable=False),
        data=mapped_column(sa.JSON, nullable=False),
    )
    item = table(base, "Item", "items", other_id=to("others.id"))
    for by in ("name", "weight", "data"):
        catalog = catalog_of(other)
        schema_for(item, catalog, {"other": Ref(by=by)})
        assert refusal(catalog) == (
            f"ItemSchema: other: by='{by}' isn't a field of OtherSchema that can be a key; "
            "name another, or remove by."
        )


def test_by_must_name_a_field_of_every_class() -> None:
    """A subclass's own field isn't in the table where references are looked up."""
    base = new_base()
    item = table(
        base,
        "Item",
        "items",
        kind=mapped_column(sa.String, nullable=False),
        __mapper_args__={"polymorphic_on": "kind", "polymorphic_identity": "item"},
    )
    type(
        "Rare",
        (item,),
        {
            "__tablename__": "rares",
            "id": to("items.id", primary_key=True),
            "rank": mapped_column(sa.String, nullable=False),
            "__mapper_args__": {"polymorphic_identity": "rare"},
        },
    )
    user = table(base, "User", "users", rare_id=to("rares.id"))
    catalog = catalog_of(item)
    schema_for(user, catalog, {"rare": Ref(by="rank")})
    assert refusal(catalog).startswith(
        "UserSchema: rare: by='rank' is a field that only some classes of ItemSchema have; "
        "name another"
    )


@pytest.mark.parametrize("option", ["exclude", "dump_only"])
def test_a_reference_to_a_column_that_is_not_restored(option: str) -> None:
    """Its target would come back without the value that the reference holds."""
    base = new_base()
    item = table(
        base,
        "Item",
        "items",
        label=mapped_column(sa.String, unique=True),
        source_label=to("items.label", nullable=True),
    )
    catalog = Catalog("test")
    schema_for(item, catalog, **{option: ("label",)})
    assert (
        "source_label refers to items.label, which ItemSchema doesn't restore; carry that column"
    ) in refusal(catalog)


def test_a_computed_reference_to_an_id_that_is_numbered_anew() -> None:
    """The database would compute the old id; where ids are kept, it is the same."""
    base = new_base()
    shelf = table(base, "Shelf", "shelves")
    owner = mapped_column(sa.ForeignKey("shelves.id"), sa.Computed("row + 1", persisted=True))
    box = table(base, "Box", "boxes", row=mapped_column(sa.Integer), shelf_id=owner)
    catalog = catalog_of(shelf, box)
    assert "shelf: the database computes boxes.shelf_id, which is an id of" in refusal(catalog)
    kept = Catalog("kept", keep_ids=True)
    for model in (shelf, box):
        schema_for(model, kept)
    assert kept.use()["boxes"].references


def test_a_computed_field_is_no_key() -> None:
    """No import writes it, so nothing could be matched by it."""
    base = new_base()
    code = mapped_column(sa.Integer, sa.Computed("1"), unique=True)
    item = table(base, "Item", "items", code=code)
    catalog = Catalog("test")
    schema_for(item, catalog, natural_key="code")
    assert "'code', which the database computes" in refusal(catalog)


def test_flat_needs_a_key_of_one_plain_field() -> None:
    """A composite key has no single name."""
    base = new_base()
    other = table(base, "Other", "others", name=mapped_column(sa.String, nullable=False))
    item = table(base, "Item", "items", other_id=to("others.id"))
    catalog = Catalog("test")
    schema_for(other, catalog, natural_key=("slug", "name"))
    schema_for(item, catalog, {"other": Ref(flat=True)})
    assert refusal(catalog) == (
        "ItemSchema: other: flat=True needs a key of one plain field; write it nested."
    )


def test_flat_needs_a_key_that_is_never_null() -> None:
    """A flat null would mean two things."""
    base = new_base()
    other = table(base, "Other", "others", name=mapped_column(sa.String, nullable=True))
    item = table(base, "Item", "items", other_id=to("others.id"))
    catalog = Catalog("test")
    schema_for(other, catalog, natural_key="name")
    schema_for(item, catalog, {"other": Ref(flat=True)})
    assert refusal(catalog) == (
        "ItemSchema: other: flat=True needs a key that is never null; write it nested."
    )


def test_flat_names_may_collide() -> None:
    """The flat name ``other_slug`` may be a column's already."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(
        base, "Item", "items", other_id=to("others.id"), other_slug=mapped_column(sa.String)
    )
    catalog = catalog_of(other)
    schema_for(item, catalog, {"other": Ref(flat=True)})
    assert refusal(catalog) == (
        "ItemSchema: two fields would be written as 'other_slug'; give one a data_key."
    )


def test_keys_that_contain_each_other() -> None:
    """Neither could be written down."""
    base = new_base()
    left = table(base, "Left", "lefts", right_id=to("rights.id"))
    right = table(base, "Right", "rights", left_id=to("lefts.id"))
    catalog = Catalog("test")
    schema_for(left, catalog, natural_key=("slug", "right"))
    schema_for(right, catalog, natural_key="left")
    assert refusal(catalog) in {
        f"natural keys {path} contain each other; give one of them a key of its own."
        for path in ("lefts -> rights -> lefts", "rights -> lefts -> rights")
    }


def test_a_key_may_recur_through_a_nullable_self_reference() -> None:
    """DESIGN, section 3: a category keyed by parent and name, at any depth."""
    base = new_base()
    item = table(
        base,
        "Item",
        "items",
        slug=mapped_column(sa.String, nullable=False),
        parent_id=to("items.id", nullable=True),
    )
    catalog = Catalog("test")
    schema_for(item, catalog, natural_key=("parent", "slug"))
    assert catalog.use()["items"].key_names == ("parent", "slug")


def folders(**columns: Any) -> Any:
    """A table that may refer to itself by ``parent_id`` and by ``above_id``."""
    base = new_base()
    return table(
        base,
        "Item",
        "items",
        name=mapped_column(sa.String, nullable=False),
        **{name: to("items.id", nullable=nullable) for name, nullable in columns.items()},
    )


def test_a_key_recurs_through_one_reference_alone() -> None:
    """Two would make a tree of each key, and not a path."""
    catalog = Catalog("test")
    key = ("parent", "above", "name")
    schema_for(folders(parent_id=True, above_id=True), catalog, natural_key=key)
    assert refusal(catalog) == (
        "ItemSchema: its natural key recurs through parent and above, and it may through one "
        "alone; leave one out of it, or write above = Ref(by=…) with a field that is unique."
    )


def test_a_key_beside_the_one_that_recurs_may_be_written_by_another_field() -> None:
    """So the advice that is given can be followed."""
    catalog = Catalog("test")
    key = ("parent", "above", "name")
    model = folders(parent_id=True, above_id=True)
    schema_for(model, catalog, {"above": Ref(by="name")}, natural_key=key)
    assert catalog.use()["items"].key_names == key


def test_a_key_that_recurs_must_end() -> None:
    """A required self reference leads round and round."""
    catalog = Catalog("test")
    schema_for(folders(parent_id=False), catalog, natural_key=("parent", "name"))
    assert refusal(catalog) == (
        "ItemSchema: its natural key recurs through parent, which is never null, so the key would "
        "have no end; make it nullable, leave it out of the key, or write parent = Ref(by=…) with "
        "a field that is unique."
    )


def test_a_key_that_recurs_needs_another_field() -> None:
    """The parent alone tells no siblings apart."""
    catalog = Catalog("test")
    schema_for(folders(parent_id=True), catalog, natural_key="parent")
    assert refusal(catalog) == (
        "ItemSchema: its natural key is parent alone, so that all rows of one parent would have the same; "
        "add a field to it."
    )


def test_a_key_that_recurs_is_never_flat() -> None:
    """It has a value for every level, and a flat field has one."""
    base = new_base()
    node = table(
        base,
        "Node",
        "nodes",
        name=mapped_column(sa.String, nullable=False),
        parent_id=to("nodes.id", nullable=True),
        other_id=to("nodes.id", nullable=True),
    )
    item = table(base, "Item", "items", node_id=to("nodes.id"))
    catalog = Catalog("test")
    schema_for(node, catalog, {"other": Ref(flat=True)}, natural_key=("name", "parent"))
    schema_for(item, catalog, {"node": Ref(flat=True)})
    flat = "flat=True needs a key of one plain field; write it nested"
    assert f"ItemSchema: node: {flat}" in refusal(catalog)
    assert f"NodeSchema: other: {flat}" in refusal(catalog)


# Links and owned children


def test_a_link_table_with_columns_of_its_own() -> None:
    """A plain list of references would forget them."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
        sa.Column("note", sa.String),
    )
    tag = table(base, "Tag", "tags")
    item = table(base, "Item", "items", tags=relationship(tag, secondary=links))
    assert refusal(catalog_of(tag, item)) == (
        "ItemSchema: tags: its link table links has columns of its own (note); map it to a class "
        "and declare a schema for it (an entity, or Owned)."
    )


def test_owned_rows_need_a_schema_of_the_catalog() -> None:
    """A schema of another catalog isn't derived here."""
    base = new_base()
    item = table(base, "Item", "items")
    part = table(base, "Part", "parts", item_id=to("items.id"))
    other = Catalog("other")
    owned = schema_for(part, other)
    catalog = Catalog("test")
    schema_for(item, catalog, {"parts": Owned(owned)})
    text = refusal(catalog)
    assert text.startswith("ItemSchema: parts = Owned(<class ")
    assert text.endswith(
        "): no schema of this catalog with a model; "
        "name one, or give its Meta model = … and catalog 'test'."
    )


def test_owned_rows_must_refer_to_their_parent() -> None:
    """Without a foreign key nothing says whose they are."""
    base = new_base()
    item = table(base, "Item", "items")
    part = table(base, "Part", "parts")
    catalog = Catalog("test")
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))})
    assert refusal(catalog) == (
        "ItemSchema: parts = Owned(...): PartSchema must refer to items exactly once; name the "
        "way with via=… (its references: none)."
    )


def test_owned_rows_with_two_ways_to_the_parent() -> None:
    """The way is named by via."""
    base = new_base()
    item = table(base, "Item", "items")
    part = table(base, "Part", "parts", item_id=to("items.id"), twin_id=to("items.id"))
    catalog = Catalog("test")
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))})
    assert refusal(catalog) == (
        "ItemSchema: parts = Owned(...): PartSchema must refer to items exactly once; name the "
        "way with via=… (its references: item or twin)."
    )
    catalog = Catalog("test")
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog), via="twin")})
    (children,) = catalog.use()["items"].children
    assert [member.name for member in children.rows.members] == ["slug", "item"]


def test_a_reference_to_owned_rows_without_a_key() -> None:
    """What has no name can't be named."""
    base = new_base()
    item = table(base, "Item", "items")
    part = table(
        base,
        "Part",
        "parts",
        slug=mapped_column(sa.String, nullable=False),
        item_id=to("items.id"),
    )
    user = table(base, "User", "users", part_id=to("parts.id"))
    catalog = Catalog("test")
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))})
    schema_for(user, catalog)
    assert refusal(catalog) == (
        "UserSchema: part: refers to PartSchema, whose rows are owned and have no natural key; "
        "declare natural_key there."
    )


def test_a_reference_by_a_key_that_holds_an_owner_without_one() -> None:
    """Owned rows don't write their owner's key; whoever refers to them does."""
    base = new_base()
    line = table(
        base,
        "Line",
        "lines",
        slug=mapped_column(sa.String, nullable=False),
        page_id=to("pages.id"),
        page=relationship("Page"),
    )
    no_slug = mapped_column(sa.String, nullable=False)
    page = table(base, "Page", "pages", slug=no_slug, book_id=to("books.id"))
    catalog = Catalog("test")
    lines = schema_for(line, catalog, natural_key=("page", "slug"))
    pages = schema_for(page, catalog, {"lines": Owned(lines, via="page")})
    schema_for(table(base, "Book", "books"), catalog, {"pages": Owned(pages, via="book")})
    catalog.use()
    schema_for(table(base, "User", "users", line_id=to("lines.id")), catalog)
    assert refusal(catalog) == (
        "UserSchema: line is written by a key that holds page, and that refers to PageSchema, "
        "which has no natural key; declare natural_key there."
    )


def test_an_order_that_is_no_column() -> None:
    """A sequence is ordered by what is exported."""
    base = new_base()
    part = table(base, "Part", "parts", item_id=to("items.id"))
    item = table(base, "Item", "items", parts=relationship(part, order_by=sa.func.lower(part.slug)))
    catalog = Catalog("test")
    schema_for(item, catalog, {"parts": Owned(schema_for(part, catalog))})
    assert refusal(catalog) == (
        "ItemSchema: parts = Owned(...): order_by=lower(parts.slug) isn't a column of parts."
    )


def test_rows_that_own_each_other() -> None:
    """In a ring of owners nobody is an entity, and an export would forget them all."""
    base = new_base()
    left = table(base, "Left", "lefts", right_id=to("rights.id", nullable=True))
    right = table(base, "Right", "rights", left_id=to("lefts.id", nullable=True))
    catalog = catalog_of(table(base, "Item", "items"))
    schema = schema_for(left, catalog)
    schema._declared_fields["rights"] = Owned(schema_for(right, catalog, {"lefts": Owned(schema)}))
    assert "own" in refusal(catalog)


def test_rows_that_own_their_own_parents() -> None:
    """A tree of owned rows would have no end that a schema could say."""
    base, catalog = new_base(), Catalog("test")
    node = table(
        base,
        "Node",
        "nodes",
        item_id=to("items.id", nullable=True),
        node_id=to("nodes.id", nullable=True),
    )
    item = table(base, "Item", "items", nodes=relationship(node))
    schema = schema_for(node, catalog)
    schema._declared_fields["nodes"] = Owned(schema)
    schema_for(item, catalog, {"nodes": Owned(schema)})
    assert "NodeSchema: nodes owns its own parents' rows, which isn't supported yet" in refusal(
        catalog
    )


def test_a_foreign_key_is_carried_once() -> None:
    """Two references by one relationship would contradict each other."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(base, "Item", "items", other_id=to("others.id"), other=relationship(other))
    catalog = catalog_of(other)
    schema_for(item, catalog, {"first": Ref("other"), "second": Ref("other")})
    assert (
        "second = Ref('other') names a foreign key that another field or reference carries already"
    ) in refusal(catalog)


# All at once


def test_every_mistake_is_reported_at_once() -> None:
    """Whoever declares twenty entities mends them in one go."""
    base = new_base()
    other = table(base, "Other", "others", slug=mapped_column(sa.String, nullable=False))
    item = table(base, "Item", "items", gone_id=to("others.id"), weight=mapped_column(sa.Float))
    catalog = Catalog("test")
    schema_for(other, catalog, version=1.5)
    schema_for(item, catalog, {"extra": ma.fields.String(), "what": Ref()}, natural_key="weight")
    with pytest.raises(DeclarationError) as caught:
        catalog.use()
    mistakes = caught.value.mistakes
    assert [text.split(":")[0] for text in sorted(mistakes)] == [
        "ItemSchema",
        "ItemSchema",
        "ItemSchema",
        "OtherSchema",
        "OtherSchema",
    ]
    assert str(caught.value).startswith("5 declarations can't be used:\n  ")
    assert len(set(mistakes)) == len(mistakes)


def test_a_catalog_that_was_mended_can_be_used() -> None:
    """An error isn't remembered: later schemas may be what was missing."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(base, "Item", "items", other_id=to("others.id"))
    catalog = catalog_of(item)
    assert "which no schema of catalog" in refusal(catalog)
    schema_for(other, catalog)
    assert list(catalog.use().roots) == ["items", "others"]


# Options that can't be carried out


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({"dump_only": "slug"}, "Meta.dump_only = 'slug'; write names in a tuple"),
        ({"dump_only": None}, "Meta.dump_only = None; write names in a tuple"),
        ({"load_only": (5,)}, "Meta.load_only = (5,); write names in a tuple"),
        ({"exclude": "slug"}, "Meta.exclude = 'slug'; write names in a tuple"),
        ({"depends_on": 5}, "Meta.depends_on = 5; write names in a tuple"),
        ({"include": ["slug"]}, "Meta.include = ['slug']; write a mapping of fields by name"),
        ({"dump_only": ("nosuch",)}, "Meta names an unknown field 'nosuch'"),
        ({"dump_only": ("other",)}, "other is dump_only, and what refers to other records is"),
        (
            {"dump_only": ("slug",), "natural_key": "slug"},
            "natural_key names 'slug', which is dump_only",
        ),
        ({"natural_key": ("slug", "slug")}, "natural_key = ('slug', 'slug') names a field twice"),
        ({"natural_key": 5}, "natural_key = 5; write a field's name, or several"),
        ({"natural_key": ()}, "natural_key names no field"),
        ({"fields": ("slug", "nosuch")}, "Meta names an unknown field 'nosuch'"),
        ({"name": 5}, "name = 5; write a non-empty string"),
        ({"name": ""}, "name = ''; write a non-empty string"),
        ({"keep_id": "yes"}, "Meta.keep_id = 'yes'; write True or False"),
    ],
    ids=lambda value: next(iter(value.items())).__repr__() if isinstance(value, dict) else "",
)
def test_an_option_that_cannot_be_meant(meta: Any, text: str) -> None:
    """What marshmallow would take letter by letter, or not at all, is refused by name."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(base, "Item", "items", other_id=to("others.id"), other=relationship(other))
    user = table(base, "User", "users", item_id=to("items.id"))
    catalog = catalog_of(other, user)
    with pytest.raises(DeclarationError) as caught:
        schema_for(item, catalog, **meta)
        catalog.use()
    assert f"ItemSchema: {text}" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"slug": ma.fields.Method("nosuch")}, "its fields can't be used (AttributeError("),
        ({"other": Ref(data_key=5)}, "other: data_key = 5; write a string"),  # type: ignore[arg-type]
        (
            {"other": Ref(entity="zz")},
            "other = Ref(entity='zz') isn't a schema of others; expected one of",
        ),
        ({"other": Ref(load_only=True)}, "other is load_only, and what refers to other records"),
        ({"other": Ref(attribute="other_id")}, "other has attribute='other_id'; name its relat"),
    ],
    ids=["method", "data_key", "entity", "load_only", "attribute"],
)
def test_a_field_that_cannot_be_carried_out(fields: Any, text: str) -> None:
    """A field's options are all obeyed, or refused."""
    base = new_base()
    other = table(base, "Other", "others")
    item = table(base, "Item", "items", other_id=to("others.id"), other=relationship(other))
    catalog = catalog_of(other)
    schema_for(item, catalog, fields, natural_key="id")
    assert f"ItemSchema: {text}" in refusal(catalog)


def test_an_owned_list_goes_by_its_own_relationship() -> None:
    """A ``via`` that contradicts the relationship of that name would write other rows under it."""
    base = new_base()
    child = table(base, "Child", "children", left_id=to("items.id"), right_id=to("items.id"))
    item = table(base, "Item", "items", lefts=relationship(child, foreign_keys=[child.left_id]))
    catalog = Catalog("test")
    schema_for(item, catalog, {"lefts": Owned(schema_for(child, catalog), via="right")})
    assert "lefts = Owned(...): ChildSchema must refer to items exactly once" in refusal(catalog)


@pytest.mark.parametrize(
    ("attributes", "meta"),
    [
        ({}, {"exclude": ("id",)}),
        ({}, {"fields": ("slug",)}),
        ({}, {"dump_only": ("id",)}),
        ({"id": ma.fields.Integer(dump_only=True)}, {}),
    ],
    ids=["exclude", "fields", "dump-only", "declared"],
)
def test_an_id_that_is_kept_and_not_restored(attributes: Any, meta: Any) -> None:
    """What points at it from elsewhere would point at another row after an import."""
    catalog = Catalog("shop")
    schema_for(table(new_base(), "Item", "items"), catalog, attributes, keep_id=True, **meta)
    assert refusal(catalog) == (
        "ItemSchema: keep_id = True, and id is left out or dump_only, so that no import would "
        "keep it; remove one of the two."
    )


def test_an_id_that_is_kept_is_a_field() -> None:
    """Where nothing leaves it out."""
    catalog = Catalog("shop")
    schema_for(table(new_base(), "Item", "items"), catalog, keep_id=True)
    assert {value.name for value in catalog.use()["items"].values} == {"id", "slug"}
