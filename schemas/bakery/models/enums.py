"""The closed vocabularies of the bakery.

A member's name is what databases and bundles hold, so names are lower-case words
that a person may read, and are never renamed without a change.
"""

from enum import StrEnum, auto


class SupplierKind(StrEnum):
    """Where a supplier sells."""

    shop = auto()
    market = auto()
    wholesale = auto()
    online = auto()


class Unit(StrEnum):
    """What quantities are measured in."""

    gram = auto()
    kilogram = auto()
    millilitre = auto()
    litre = auto()
    teaspoon = auto()
    tablespoon = auto()
    piece = auto()


class StorageLocation(StrEnum):
    """Where stock is kept."""

    pantry = auto()
    fridge = auto()
    freezer = auto()
    cellar = auto()


class DepletionReason(StrEnum):
    """Why stock left the shelf."""

    production = auto()
    assembly = auto()
    packing = auto()
    spoilage = auto()
    correction = auto()


class RecipeCategory(StrEnum):
    """How the recipe book is divided."""

    cookies = auto()
    cakes = auto()
    confectionery = auto()
    preserves = auto()
    savoury = auto()
    basics = auto()


class YieldMode(StrEnum):
    """How a batch becomes units: counted out, or as a share of the batch."""

    discrete_count = auto()
    batch_portion = auto()


class AssemblyType(StrEnum):
    """What a finished good is put into."""

    tin = auto()
    box = auto()
    bag = auto()
    basket = auto()


class MaterialBasis(StrEnum):
    """What a wrapping material is counted in."""

    each = auto()
    linear_cm = auto()
    square_cm = auto()


class EventState(StrEnum):
    """How far an event has come."""

    draft = auto()
    planned = auto()
    in_production = auto()
    completed = auto()


class FulfillmentStatus(StrEnum):
    """How far a recipient's package has come."""

    pending = auto()
    ready = auto()
    delivered = auto()


class ProductionStatus(StrEnum):
    """How a production run ended."""

    complete = auto()
    partial_loss = auto()
    total_loss = auto()


class LossCategory(StrEnum):
    """What happened to the units that a run lost."""

    burnt = auto()
    broken = auto()
    dropped = auto()
    underbaked = auto()
    contaminated = auto()
    other = auto()
