"""Shapes: an entity's declared form, as plain JSON values that a manifest can hold."""

from __future__ import annotations

import enum
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned, Ref
from lading.model.shape import shape_of
from support.declaring import catalog_of, new_base, schema_for


class Size(enum.Enum):
    small = 1
    large = 2


def shop() -> Catalog:
    """Declare one entity that has every kind of member."""
    base = new_base()
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )

    class Tag(base):
        __tablename__ = "tags"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        name = mapped_column(sa.String, nullable=False)

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        price = mapped_column(sa.Numeric(8, 2))
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        size = mapped_column(sa.Enum(Size), nullable=False)
        seen = mapped_column(sa.DateTime(timezone=True))
        double = mapped_column(sa.Integer, sa.Computed("id * 2"))
        tag_id = mapped_column(sa.ForeignKey("tags.id"))
        best_id = mapped_column(sa.ForeignKey("tags.id"), nullable=False)
        tags = relationship(Tag, secondary=links)
        parts = relationship("Part", order_by="Part.position")
        notes = relationship("Note")

    class Part(base):
        __tablename__ = "parts"
        id = mapped_column(sa.Integer, primary_key=True)
        item_id = mapped_column(sa.ForeignKey("items.id"), nullable=False)
        position = mapped_column(sa.Integer, nullable=False)

    class Note(base):
        __tablename__ = "notes"
        id = mapped_column(sa.Integer, primary_key=True)
        item_id = mapped_column(sa.ForeignKey("items.id"), nullable=False)
        doc = mapped_column(sa.JSON)

    catalog = catalog_of(Tag)
    schema_for(
        Item,
        catalog,
        {
            "tag": Ref(flat=True, by="name"),
            "parts": Owned(schema_for(Part, catalog)),
            "notes": Owned(schema_for(Note, catalog)),
        },
    )
    return catalog


def test_a_shape_says_everything_a_reader_needs() -> None:
    """Pinned: fields in written order, types, nulls, key, references, owned shapes."""
    shape = shape_of(shop().use()["items"])
    assert shape == {
        "key": ["slug"],
        "fields": {
            "slug": {"type": "string", "nullable": False},
            "price": {"type": "decimal", "precision": 8, "scale": 2, "nullable": True},
            "size": {"type": "enum", "names": ["small", "large"], "nullable": False},
            "seen": {"type": "datetime", "aware": True, "nullable": True},
            "double": {"type": "integer", "nullable": True, "computed": True},
            "tag_name": {
                "type": "reference",
                "entity": "tags",
                "flat": True,
                "by": "name",
                "nullable": True,
            },
            "best": {"type": "reference", "entity": "tags", "nullable": False},
            "tags": {"type": "references", "entity": "tags"},
            "parts": {
                "type": "owned",
                "order": "sequence",
                "key": [],
                "fields": {"position": {"type": "integer", "nullable": False}},
            },
            "notes": {
                "type": "owned",
                "order": "set",
                "key": [],
                "fields": {"doc": {"type": "json", "nullable": True}},
            },
        },
    }
    assert list(shape["fields"])[:2] == ["slug", "price"]


def test_a_shape_is_json() -> None:
    """It survives a manifest as it is."""
    shape = shape_of(shop().use()["items"])
    assert json.loads(json.dumps(shape)) == shape


def test_a_shape_holds_no_column_s_name() -> None:
    """Tables may be renamed without a new version; the record's form is what counts."""
    made: dict[str, Any] = {}
    for column in ("name", "nom"):

        class Item(new_base()):
            __tablename__ = "items"
            id = mapped_column(sa.Integer, primary_key=True)
            slug = mapped_column(sa.String, unique=True, nullable=False)
            name = mapped_column(column, sa.String)

        made[column] = shape_of(catalog_of(Item).use()["items"])
    assert made["name"] == made["nom"]


def test_a_reference_to_an_owned_child_names_its_path() -> None:
    """The entity of an owned target is where its records are."""
    base = new_base()

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)

    class Part(base):
        __tablename__ = "parts"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        item_id = mapped_column(sa.ForeignKey("items.id"), nullable=False)

    class User(base):
        __tablename__ = "users"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String, unique=True, nullable=False)
        part_id = mapped_column(sa.ForeignKey("parts.id"), nullable=False)

    catalog = Catalog("test")
    schema_for(Item, catalog, {"parts": Owned(schema_for(Part, catalog))})
    schema_for(User, catalog)
    target = shape_of(catalog.use()["users"])["fields"]["part"]["entity"]
    assert target == "items.parts"
