"""Recipients, events and their packages in portable form."""

from lading import Owned

from .catalog import BakerySchema
from .models import (
    Event,
    EventAssemblyTarget,
    EventProductionTarget,
    EventRecipientPackage,
    Recipient,
)


class RecipientSchema(BakerySchema):
    class Meta:
        model = Recipient


class EventProductionTargetSchema(BakerySchema):
    class Meta:
        model = EventProductionTarget


class EventAssemblyTargetSchema(BakerySchema):
    class Meta:
        model = EventAssemblyTarget


class EventSchema(BakerySchema):
    production_targets = Owned(EventProductionTargetSchema)
    assembly_targets = Owned(EventAssemblyTargetSchema)

    class Meta:
        model = Event


class EventRecipientPackageSchema(BakerySchema):
    class Meta:
        model = EventRecipientPackage
