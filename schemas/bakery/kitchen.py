"""Recipes and the units they yield, in portable form."""

from lading import Owned, Ref

from .catalog import BakerySchema
from .models import FinishedUnit, Recipe, RecipeComponent, RecipeIngredient


class RecipeIngredientSchema(BakerySchema):
    ingredient = Ref(flat=True)

    class Meta:
        model = RecipeIngredient


class RecipeComponentSchema(BakerySchema):
    class Meta:
        model = RecipeComponent


class RecipeSchema(BakerySchema):
    ingredients = Owned(RecipeIngredientSchema)
    components = Owned(RecipeComponentSchema)

    class Meta:
        model = Recipe


class FinishedUnitSchema(BakerySchema):
    class Meta:
        model = FinishedUnit
