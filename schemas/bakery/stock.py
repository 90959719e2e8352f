"""Purchases, inventory and what left it, in portable form."""

from .catalog import BakerySchema
from .models import InventoryDepletion, InventoryItem, Purchase


class PurchaseSchema(BakerySchema):
    class Meta:
        model = Purchase


class InventoryItemSchema(BakerySchema):
    class Meta:
        model = InventoryItem


class InventoryDepletionSchema(BakerySchema):
    class Meta:
        model = InventoryDepletion
