"""The catalog of the bakery, and the base of its schemas."""

from lading import Catalog, EntitySchema

bakery = Catalog("bakery", source="bakery 3.0")


class BakerySchema(EntitySchema):
    class Meta:
        catalog = bakery
        volatile = ("updated_at",)
