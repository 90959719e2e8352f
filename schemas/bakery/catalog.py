"""The catalog of the bakery, and the base of its schemas."""

from lading import Catalog, EntitySchema

from .releases import FIRST, RELEASES, TODAY

bakery = Catalog("bakery", source=f"bakery {TODAY}", releases=RELEASES, unlabelled=FIRST)


class BakerySchema(EntitySchema):
    class Meta:
        catalog = bakery
        volatile = ("updated_at",)
