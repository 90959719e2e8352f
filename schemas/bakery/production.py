"""Production and assembly runs in portable form."""

from lading import Owned

from .catalog import BakerySchema
from .models import (
    AssemblyFinishedUnitConsumption,
    AssemblyPackagingConsumption,
    AssemblyRun,
    ProductionConsumption,
    ProductionLoss,
    ProductionRun,
)


class ProductionConsumptionSchema(BakerySchema):
    class Meta:
        model = ProductionConsumption


class ProductionLossSchema(BakerySchema):
    class Meta:
        model = ProductionLoss


class ProductionRunSchema(BakerySchema):
    consumptions = Owned(ProductionConsumptionSchema)
    losses = Owned(ProductionLossSchema)

    class Meta:
        model = ProductionRun
        version = 3


class AssemblyFinishedUnitConsumptionSchema(BakerySchema):
    class Meta:
        model = AssemblyFinishedUnitConsumption


class AssemblyPackagingConsumptionSchema(BakerySchema):
    class Meta:
        model = AssemblyPackagingConsumption


class AssemblyRunSchema(BakerySchema):
    finished_unit_consumptions = Owned(AssemblyFinishedUnitConsumptionSchema)
    packaging_consumptions = Owned(AssemblyPackagingConsumptionSchema)

    class Meta:
        model = AssemblyRun
        version = 3
