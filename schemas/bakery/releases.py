"""The releases of the bakery's application, and the versions of its entities in each.

Bundles say the versions of their entities; history files say their release alone, and those
of the first release not even that.
"""

FIRST = "1.0"
TODAY = "3.0"

_ENTITIES = [
    "suppliers",
    "allergens",
    "ingredients",
    "products",
    "material_subcategories",
    "materials",
    "material_products",
    "material_units",
    "material_purchases",
    "recipes",
    "finished_units",
    "finished_goods",
    "packages",
    "purchases",
    "inventory_items",
    "inventory_depletions",
    "recipients",
    "events",
    "event_recipient_packages",
    "production_runs",
    "assembly_runs",
]

RELEASES: dict[str, dict[str, int]] = {FIRST: dict.fromkeys(_ENTITIES, 1)}
RELEASES["1.1"] = RELEASES[FIRST] | {"production_runs": 2, "assembly_runs": 2}
RELEASES["2.0"] = RELEASES["1.1"] | {
    "products": 2,
    "material_categories": 1,
    "material_subcategories": 2,
}
RELEASES[TODAY] = RELEASES["2.0"] | {"production_runs": 3, "assembly_runs": 3}
