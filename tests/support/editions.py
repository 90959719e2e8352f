"""One application whose source is edited, so that its schemas drift from what was sealed.

Each edition is a module of its own, as an application's would be: it has the models, the
schemas, and the catalog ``shop``.
"""

from __future__ import annotations

import itertools
import sys
from types import ModuleType

_number = itertools.count(1)

SOURCE = """
import enum
import marshmallow as ma
import sqlalchemy as sa
from marshmallow import validate
from sqlalchemy.orm import DeclarativeBase, mapped_column, relationship
from lading import Catalog, EntitySchema, Owned, Ref

shop = Catalog("shop")

class Base(DeclarativeBase):
    pass

class Size(enum.Enum):
    small = 1
    large = 2

class Maker(Base):
    __tablename__ = "makers"
    id = mapped_column(sa.Integer, primary_key=True)
    slug = mapped_column(sa.String(20), unique=True, nullable=False)

class Item(Base):
    __tablename__ = "items"
    __table_args__ = (sa.UniqueConstraint("maker_id", "name"),)
    id = mapped_column(sa.Integer, primary_key=True)
    maker_id = mapped_column(sa.ForeignKey("makers.id"), nullable=False)
    name = mapped_column(sa.String(30), nullable=False)
    parent_id = mapped_column(sa.ForeignKey("items.id"))
    price = mapped_column(sa.Numeric(8, 2), nullable=False)
    size = mapped_column(sa.Enum(Size), nullable=False)
    note = mapped_column(sa.String(40))
    stock = mapped_column(sa.Integer, nullable=False, default=1)
    maker = relationship(Maker)
    parent = relationship("Item", remote_side=id)

class Step(Base):
    __tablename__ = "steps"
    id = mapped_column(sa.Integer, primary_key=True)
    part_id = mapped_column(sa.ForeignKey("parts.id"), nullable=False)
    place = mapped_column(sa.Integer, nullable=False)
    text = mapped_column(sa.String(40), nullable=False)

class Part(Base):
    __tablename__ = "parts"
    id = mapped_column(sa.Integer, primary_key=True)
    kit_id = mapped_column(sa.ForeignKey("kits.id"), nullable=False)
    item_id = mapped_column(sa.ForeignKey("items.id"), nullable=False)
    count = mapped_column(sa.Integer, nullable=False)
    weight = mapped_column(sa.Integer)
    item = relationship(Item)
    steps = relationship(Step, order_by=Step.place)

class Kit(Base):
    __tablename__ = "kits"
    id = mapped_column(sa.Integer, primary_key=True)
    slug = mapped_column(sa.String(20), unique=True, nullable=False)
    maker_id = mapped_column(sa.ForeignKey("makers.id"))
    maker = relationship(Maker)
    parts = relationship(Part)

class Tool(Base):
    __tablename__ = "tools"
    id = mapped_column(sa.Integer, primary_key=True)
    slug = mapped_column(sa.String(20), unique=True, nullable=False)
    kind = mapped_column(sa.String(10), nullable=False)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "tool"}

class Saw(Tool):
    teeth = mapped_column(sa.Integer)
    __mapper_args__ = {"polymorphic_identity": "saw"}

class MakerSchema(EntitySchema):
    class Meta:
        model, catalog, version = Maker, shop, 1

class ItemSchema(EntitySchema):
    class Meta:
        model, catalog, version = Item, shop, 1
        natural_key = ("maker", "name")

class StepSchema(EntitySchema):
    class Meta:
        model, catalog = Step, shop

class PartSchema(EntitySchema):
    steps = Owned(StepSchema)
    class Meta:
        model, catalog = Part, shop

class KitSchema(EntitySchema):
    maker = Ref(flat=True)
    parts = Owned(PartSchema)
    class Meta:
        model, catalog, version = Kit, shop, 1

class ToolSchema(EntitySchema):
    class Meta:
        model, catalog, version = Tool, shop, 1
"""

#: The lines after which another entity stands.
NEW_ENTITY = """
class Label(Base):
    __tablename__ = "labels"
    id = mapped_column(sa.Integer, primary_key=True)
    slug = mapped_column(sa.String(20), unique=True, nullable=False)

class LabelSchema(EntitySchema):
    class Meta:
        model, catalog, version = Label, shop, 1
"""


def edition(*edits: tuple[str, str], more: str = "") -> ModuleType:
    """Return the application with texts of its source replaced, each of which must be there."""
    source = SOURCE
    for old, new in edits:
        assert old in source, old
        source = source.replace(old, new)
    module = ModuleType(f"edition_{next(_number)}")
    sys.modules[module.__name__] = module
    run(module, source + more)
    return module


def run(module: ModuleType, source: str) -> None:
    """Run more source in an application's module."""
    exec(compile(source, module.__name__, "exec"), vars(module))


def counted(model: str, version: int) -> tuple[str, str]:
    """Return the edit that counts an entity's version up to a number."""
    start = f"model, catalog, version = {model}, shop,"
    return f"{start} 1", f"{start} {version}"
