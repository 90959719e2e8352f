"""Suppliers, ingredients and products in portable form."""

from .catalog import BakerySchema
from .models import Allergen, Ingredient, Product, Supplier


class SupplierSchema(BakerySchema):
    class Meta:
        model = Supplier


class AllergenSchema(BakerySchema):
    class Meta:
        model = Allergen


class IngredientSchema(BakerySchema):
    class Meta:
        model = Ingredient


class ProductSchema(BakerySchema):
    class Meta:
        model = Product
        version = 2
