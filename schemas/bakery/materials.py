"""Wrapping materials and their purchases in portable form."""

from lading import Ref

from .catalog import BakerySchema
from .models import (
    Material,
    MaterialCategory,
    MaterialProduct,
    MaterialPurchase,
    MaterialSubcategory,
    MaterialUnit,
)


class MaterialCategorySchema(BakerySchema):
    class Meta:
        model = MaterialCategory


class MaterialSubcategorySchema(BakerySchema):
    class Meta:
        model = MaterialSubcategory
        version = 2


class MaterialSchema(BakerySchema):
    class Meta:
        model = Material


class MaterialProductSchema(BakerySchema):
    class Meta:
        model = MaterialProduct


class MaterialUnitSchema(BakerySchema):
    class Meta:
        model = MaterialUnit


class MaterialPurchaseSchema(BakerySchema):
    supplier = Ref(by="name")

    class Meta:
        model = MaterialPurchase
