"""Finished goods and packages in portable form: both own compositions."""

from lading import Owned

from .catalog import BakerySchema
from .models import Composition, FinishedGood, Package


class CompositionSchema(BakerySchema):
    class Meta:
        model = Composition


class FinishedGoodSchema(BakerySchema):
    components = Owned(CompositionSchema)

    class Meta:
        model = FinishedGood


class PackageSchema(BakerySchema):
    components = Owned(CompositionSchema)

    class Meta:
        model = Package
