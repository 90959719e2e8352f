"""What became of the bakery's records from release to release.

Each change says what happened and why; together they read the bundles and history files of
every release since 1.0.  Which versions belong to a release is said in ``releases``.
"""

from typing import Any

from lading import Add, Change, Convert, Each, Rekey, Rename, Split

from .catalog import bakery

Record = dict[str, Any]

# To 1.1: what goes wrong is written down.


class RecordLosses(Change):
    """Production runs say how they ended, and what was lost.

    Until then a run that failed wasn't entered at all, so all that there are were complete.
    """

    catalog = bakery
    upgrades = {"production_runs": (1, 2)}
    steps = [
        Add("production_runs", "production_status", "complete"),
        Add("production_runs", "loss_quantity", 0),
        Add("production_runs", "losses", []),
    ]


class AllowReusedPackaging(Change):
    """Assembly runs may do without packaging, where tins and boxes come back.

    Until then every run had to take its packaging from the shelf.
    """

    catalog = bakery
    upgrades = {"assembly_runs": (1, 2)}
    steps = [Add("assembly_runs", "packaging_bypassed", False)]


# To 2.0: what had to be typed again and again is an entry of its own, or a part of a key.

#: When 2.0 came out; nobody knows when its categories had been thought of.
CATEGORIES_SINCE = "2024-06-01T00:00:00"


class ShelfPlan(Change):
    """Categories of materials are entries of their own, to be renamed and sorted in one place.

    Each subcategory had spelt out its category's name and place in the order; subcategories
    are known by their category and name, as before.
    """

    catalog = bakery
    upgrades = {"material_subcategories": (1, 2), "material_categories": (None, 1)}
    steps = [
        Split(
            "material_subcategories",
            "material_categories",
            fields={"category_name": "name", "category_sort_order": "sort_order"},
            key="name",
            ref="category",
        ),
        Add("material_categories", "created_at", CATEGORIES_SINCE),
        Add("material_categories", "updated_at", CATEGORIES_SINCE),
    ]


class PackageSizes(Change):
    """Products are known by the size of their package as well.

    Sugar by the kilogram and by the sack are two products, though their names are one; and the
    name is called ``product_name``, for the ingredient and the supplier have names too.
    """

    catalog = bakery
    upgrades = {"products": (1, 2)}
    steps = [
        Rename("products", "name", "product_name"),
        Rekey(
            "products",
            ("ingredient", "brand", "product_name", "package_size"),
            was=("ingredient", "brand", "product_name"),
        ),
    ]


# To 3.0: runs are written as all else is.


def nested(path: str, name: str, *, by: str = "slug") -> list[Convert | Rename]:
    """Return the steps that nest a flat reference; empty text is none, as null is."""

    def key(value: str | None) -> Record | None:
        return {by: value} if value else None

    flat = f"{name}_{by}"
    return [Convert(path, flat, key), Rename(path, flat, name)]


def without_zone(moment: str) -> str:
    """Return a time in UTC without its ``Z``; the runs' times are all in UTC."""
    return moment.removesuffix("Z")


def moments(path: str, *names: str) -> list[Convert]:
    """Return the steps that take the zone from times."""
    return [Convert(path, name, without_zone) for name in (*names, "created_at", "updated_at")]


def of_its_run(loss: Record, run: Record) -> Record:
    """Let a loss say its unit; where it didn't, it lost what the run was for."""
    slug = loss.pop("finished_unit_slug", None) or run.get("finished_unit_slug")
    return {**loss, "finished_unit": {"slug": slug}}


#: What packaging was told by: what is printed on a product, or on the roll that a piece is of.
PRODUCT_WORDS = ("ingredient_slug", "brand", "product_name", "package_size")
PIECE_WORDS = ("material_product_slug", "unit_name")


def from_words(packaging: Record) -> Record:
    """Refer to the product, or the piece of material, that was told in words."""
    slug, *rest = (packaging.pop(name, None) for name in PRODUCT_WORDS)
    roll, unit = (packaging.pop(name, None) for name in PIECE_WORDS)
    product = dict(zip(PRODUCT_WORDS[1:], rest, strict=True))
    return {
        **packaging,
        "product": {"ingredient": {"slug": slug}, **product} if slug else None,
        "material_unit": {"material_product": {"slug": roll}, "name": unit} if roll else None,
    }


class NestProduction(Change):
    """Production runs refer as everything else does, and their times are as all times are.

    They were the first that could be exported, for a spreadsheet, with flat references and times
    with a zone.  A run for no event had an empty cell; a loss of the run's own unit didn't repeat
    it.  Events have no slug, for people know them by their name: ``event_name`` becomes the
    reference by the event's natural key, its name.
    """

    catalog = bakery
    upgrades = {"production_runs": (2, 3)}
    steps = [
        Each(
            "production_runs.losses",
            of_its_run,
            adds="finished_unit",
            drops="finished_unit_slug",
        ),
        *nested("production_runs.consumptions", "ingredient"),
        *nested("production_runs", "recipe"),
        *nested("production_runs", "finished_unit"),
        *nested("production_runs", "event", by="name"),
        *moments("production_runs", "produced_at"),
    ]


class NestAssembly(Change):
    """Assembly runs refer as everything else does, to their packaging too.

    Packaging was told in words, as it stands on the box, so that a history file could do without
    the products.  The words say a product's key with its size, hence after ``PackageSizes``.
    """

    catalog = bakery
    upgrades = {"assembly_runs": (2, 3)}
    after = [PackageSizes]
    steps = [
        *nested("assembly_runs.finished_unit_consumptions", "finished_unit"),
        Each(
            "assembly_runs.packaging_consumptions",
            from_words,
            adds=("product", "material_unit"),
            drops=(*PRODUCT_WORDS, *PIECE_WORDS),
        ),
        *nested("assembly_runs", "finished_good"),
        *nested("assembly_runs", "event", by="name"),
        *moments("assembly_runs", "assembled_at"),
    ]
