"""A foreign key whose columns ``Meta.stored`` names holds the id itself, and is no reference."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import relationship

from lading import Catalog, DeclarationError, Owned, import_order
from lading.mapping.load_order import load_order_of
from support.declaring import new_base, schema_for, table, to


def farm(**options: Any) -> Catalog:
    """Declare hens and eggs, which require each other, and hens by the id of their egg."""
    base, catalog = new_base(), Catalog("farm", **options)
    eggs = table(base, "eggs", hen_id=to("hens.id", null=False))
    egg = relationship("Eggs", foreign_keys="Hens.egg_id")
    hens = table(base, "hens", egg_id=to("eggs.id", null=False), egg=egg)
    schema_for(eggs, catalog)
    schema_for(hens, catalog, stored=("egg_id",))
    return catalog


def test_a_circle_of_required_references_is_opened_by_a_line() -> None:
    """The column is a plain field, though a relationship follows it."""
    catalog = farm(keep_ids=True)
    assert import_order(catalog) == {"hens": 1, "eggs": 2}
    hens = catalog.use()["hens"]
    assert [value.name for value in hens.values] == ["slug", "id", "egg_id"]
    assert not hens.references


def test_what_a_stored_reference_leads_to_comes_first() -> None:
    """The database minds the foreign key all the same."""
    base, catalog = new_base(), Catalog("farm", keep_ids=True)
    schema_for(table(base, "zoos"), catalog)
    hens = table(base, "hens", zoo_id=to("zoos.id"))
    schema_for(hens, catalog, stored=("zoo_id",))
    assert import_order(catalog) == {"zoos": 1, "hens": 2}


@pytest.mark.parametrize(
    ("hen_to", "where"), [("hens.id", "to its own table"), ("eggs.id", "in a circle to its own")]
)
def test_stored_references_that_lead_back_have_no_order(hen_to: str, where: str) -> None:
    """As references they are set later; as plain fields rows would come before what they need."""
    base, catalog = new_base(), Catalog("farm", keep_ids=True)
    schema_for(table(base, "hens", from_id=to(hen_to)), catalog, stored=("from_id",))
    schema_for(table(base, "eggs", hen_id=to("hens.id", null=False)), catalog)
    message = f"HensSchema: Meta.stored names from_id, a foreign key that leads {where}"
    with pytest.raises(DeclarationError, match=message):
        import_order(catalog)


def test_ids_that_imports_make_anew_cant_be_stored() -> None:
    """They would lead to other rows."""
    with pytest.raises(
        DeclarationError,
        match=r"Meta\.stored names 'egg_id', which holds eggs\.id, an id that every import makes "
        "anew; keep those ids with keep_id = True",
    ):
        farm().use()


def test_owned_rows_wait_for_what_their_stored_references_lead_to() -> None:
    """They come after their parents where these must be there before."""
    base, catalog = new_base(), Catalog("farm", keep_ids=True)
    nests = table(base, "nests", coop_id=to("coops.id", null=False))
    coops = table(base, "coops", hens=relationship("Hens"))
    hens = table(base, "hens", coop_id=to("coops.id", null=False), nest_id=to("nests.id"))
    schema_for(nests, catalog)
    owned = schema_for(hens, catalog, stored=("nest_id",))
    schema_for(coops, catalog, {"hens": Owned(owned)})
    order = load_order_of(catalog.use())
    assert order.steps == ("coops", "nests", "coops.hens")
