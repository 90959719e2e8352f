"""The bakery's database, one module per family of tables."""

from .base import Base, Entity
from .enums import (
    AssemblyType,
    DepletionReason,
    EventState,
    FulfillmentStatus,
    LossCategory,
    MaterialBasis,
    ProductionStatus,
    RecipeCategory,
    StorageLocation,
    SupplierKind,
    Unit,
    YieldMode,
)
from .events import (
    Event,
    EventAssemblyTarget,
    EventProductionTarget,
    EventRecipientPackage,
    Recipient,
)
from .goods import Composition, FinishedGood, Package
from .kitchen import FinishedUnit, Recipe, RecipeComponent, RecipeIngredient
from .materials import (
    Material,
    MaterialCategory,
    MaterialProduct,
    MaterialPurchase,
    MaterialSubcategory,
    MaterialUnit,
)
from .pantry import Allergen, Ingredient, Product, Supplier, ingredient_allergens
from .production import (
    AssemblyFinishedUnitConsumption,
    AssemblyPackagingConsumption,
    AssemblyRun,
    ProductionConsumption,
    ProductionLoss,
    ProductionRun,
)
from .stock import InventoryDepletion, InventoryItem, Purchase

__all__ = [
    "Allergen",
    "AssemblyFinishedUnitConsumption",
    "AssemblyPackagingConsumption",
    "AssemblyRun",
    "AssemblyType",
    "Base",
    "Composition",
    "DepletionReason",
    "Entity",
    "Event",
    "EventAssemblyTarget",
    "EventProductionTarget",
    "EventRecipientPackage",
    "EventState",
    "FinishedGood",
    "FinishedUnit",
    "FulfillmentStatus",
    "Ingredient",
    "InventoryDepletion",
    "InventoryItem",
    "LossCategory",
    "Material",
    "MaterialBasis",
    "MaterialCategory",
    "MaterialProduct",
    "MaterialPurchase",
    "MaterialSubcategory",
    "MaterialUnit",
    "Package",
    "Product",
    "ProductionConsumption",
    "ProductionLoss",
    "ProductionRun",
    "ProductionStatus",
    "Purchase",
    "Recipe",
    "RecipeCategory",
    "RecipeComponent",
    "RecipeIngredient",
    "Recipient",
    "StorageLocation",
    "Supplier",
    "SupplierKind",
    "Unit",
    "YieldMode",
    "ingredient_allergens",
]
