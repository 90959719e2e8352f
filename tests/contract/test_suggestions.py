"""What ``check`` suggests, pasted as it is, is accepted, or fails where something must be filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Change, Finding, Ref, Rekey, Rename, Split, check, lock
from support.aged import pantry, stall
from support.aged_keys import depot
from support.aged_more import notebook, workshop
from support.declaring import new_base, schema_for
from support.world import World, key, slug, text, to

#: What the golden records find of a place that nobody has filled in.
OPEN = "its function returns ..., where a value must be filled in"


def paste(catalog: Catalog, findings: list[Finding], **names: Any) -> dict[str, Any]:
    """Run what is suggested as it is, and set the versions that its comments name."""
    scope = {"catalog": catalog, **names}
    for finding in findings:
        source = finding.suggestion or ""
        exec(source.replace("# catalog = the", "catalog = catalog  # the"), scope)
        for version, name in re.findall(r"# Set version = (\d+) in the Meta of (.*)'s", source):
            count(catalog, name, int(version))
        for name in re.findall(r"# (.*)'s schema has version = 1\.", source):
            count(catalog, name, 1)
    return scope


def count(catalog: Catalog, entity: str, version: int) -> None:
    """Set an entity's version."""
    for schema in catalog.schemas:
        meta: Any = schema.Meta
        if meta.model.__tablename__ == entity:
            meta.version = version
    catalog._entities = None


def suggested(findings: list[Finding]) -> str:
    """Return the only suggestion."""
    (source,) = [one.suggestion for one in findings if one.suggestion is not None]
    return source


@pytest.mark.parametrize("make", [pantry, stall, depot, notebook, workshop])
def test_suggestions_for_a_real_history_are_accepted(
    make: Callable[[int], World], tmp_path: Path
) -> None:
    """Whatever happened to an application, its changes can be begun from what is suggested."""
    path = tmp_path / "l.json"
    lock(make(1).catalog, path)
    catalog = make(2).catalog
    catalog.changes.clear()
    catalog._entities = None
    paste(catalog, check(catalog, path))
    found = [one for one in check(catalog, path) if one.severity != "safe"]
    assert {one.rule for one in found} <= {"GOLDEN_NOT_UPGRADED"}
    assert all(OPEN in one.message for one in found)
    assert (found == []) == (make in (notebook, workshop))


# The order of changes


def sale(release: int, name: str = "") -> Catalog:
    """Invoices of customers, whose key got another name in release 2, and a currency in 3."""
    base, catalog = new_base(), Catalog("sale")
    name = name or ("code" if release == 1 else "number")
    customer = type("Customer", (base,), {"__tablename__": "customers", "id": key(), name: slug()})
    columns = {"currency": text(3)} if release > 2 else {}
    invoice = type(
        "Invoice",
        (base,),
        {
            "__tablename__": "invoices",
            "id": key(),
            "slug": slug(),
            "customer_id": to("customers.id"),
            "customer": relationship("Customer"),
            **columns,
        },
    )
    schema_for(customer, catalog, version=min(release, 2))
    schema_for(invoice, catalog)
    if release > 1:
        renamed(catalog, "customers", (1, 2), "code", "number")
    return catalog


def renamed(catalog: Catalog, entity: str, move: tuple[int, int], old: str, new: str) -> Any:
    """Declare that a field was renamed."""
    body = {
        "__doc__": "Renamed.",
        "catalog": catalog,
        "upgrades": {entity: move},
        "steps": [Rename(entity, old, new)],
    }
    return type(f"{entity.title()}{move[1]}", (Change,), body)


def test_a_suggestion_comes_after_the_changes_that_matter_to_it(tmp_path: Path) -> None:
    """A change that renames what references are written by, released long before."""
    path = tmp_path / "l.json"
    lock(sale(1), path)
    lock(sale(2), path)
    catalog = sale(3)
    findings = check(catalog, path)
    assert "    after = [Customers2]\n" in suggested(findings)
    (former,) = catalog.changes
    paste(catalog, findings, Customers2=former)
    assert {one.rule for one in check(catalog, path)} == {"GOLDEN_NOT_UPGRADED"}


def test_a_suggestion_names_no_change_that_it_follows_anyway(tmp_path: Path) -> None:
    """Its own entity's former changes come first by their versions."""
    path = tmp_path / "l.json"
    lock(sale(1), path)
    lock(sale(2), path)
    source = suggested(check(sale(2, "token"), path))
    assert 'Rename("customers", "number", "token")' in source
    assert "after" not in source


def test_a_suggestion_that_rewrites_references_comes_after_changes_of_their_records(
    tmp_path: Path,
) -> None:
    """The other way about: the released change is the one of the records that refer."""
    path = tmp_path / "l.json"
    first = sale(1)
    lock(first, path)
    catalog = sale(2)
    catalog.changes.clear()
    change = renamed(catalog, "invoices", (1, 2), "note", "slug")
    change.steps = []
    count(catalog, "invoices", 2)
    findings = check(catalog, path)
    assert "    after = [Invoices2]\n" in suggested(findings)
    paste(catalog, findings, Invoices2=change)
    assert check(catalog, path) == []


# What is split off


def shop(*, split: bool, names: tuple[str, ...] = ("vendor_name", "town"), **more: Any) -> Catalog:
    """Purchases with their vendor's name and town, or vendors of their own."""
    base, catalog = new_base(), Catalog("shop")
    columns: dict[str, Any] = {name: text(30) for name in names}
    if split:
        vendor = {
            "__tablename__": "vendors",
            "id": key(),
            "name": mapped_column(sa.String(30), unique=True, nullable=False),
            "town": text(30),
            **more,
        }
        schema_for(type("Vendor", (base,), vendor), catalog)
        columns = {"vendor_id": to("vendors.id"), "vendor": relationship("Vendor")}
    purchase = {"__tablename__": "purchases", "id": key(), "slug": slug(), **columns}
    schema_for(type("Purchase", (base,), purchase), catalog)
    return catalog


def test_fields_that_became_an_entity_are_split_off(tmp_path: Path) -> None:
    """Dropping them would lose what the new entity holds."""
    path = tmp_path / "l.json"
    lock(shop(split=False), path)
    catalog = shop(split=True)
    findings = check(catalog, path)
    source = suggested(findings)
    assert (
        'Split("purchases", "vendors", fields={"vendor_name": "name", "town": "town"}, '
        'key="name", ref="vendor")'
    ) in source
    assert 'upgrades = {"purchases": (1, 2), "vendors": (None, 1)}' in source
    assert "Drop(" not in source
    scope = paste(catalog, findings)
    assert isinstance(scope["Purchases2"].steps[0], Split)
    assert check(catalog, path) == []


@pytest.mark.parametrize(
    ("names", "more"),
    [
        (("vendor_name", "town", "other_name"), {}),  # two could be the name
        (("vendor_name", "town"), {"rating": mapped_column(sa.Integer)}),  # nothing gives it
        (("vendor_name",), {}),  # the town comes from elsewhere
    ],
)
def test_nothing_is_split_off_where_it_is_unclear(
    names: tuple[str, ...], more: dict[str, Any], tmp_path: Path
) -> None:
    """A wrong guess would move the wrong field."""
    path = tmp_path / "l.json"
    lock(shop(split=False, names=names), path)
    sources = [one.suggestion or "" for one in check(shop(split=True, **more), path)]
    assert "Split(" not in "".join(sources)
    assert "BeginVendors" in "".join(sources)


# What nobody can guess


@pytest.mark.parametrize(
    ("type_", "default", "told"),
    [
        (sa.String(9), None, "lambda record: ...),  # fill in what older records get"),
        (sa.Integer(), None, "lambda record: ...),  # fill in what older records get"),
        (sa.Boolean(), None, "lambda record: ...),  # fill in what older records get"),
        (sa.Date(), None, "lambda record: ...),  # fill in what older records get"),
        (sa.String(9), "", "''),"),
        (sa.Integer(), 3, "3),"),
    ],
)
def test_no_value_is_invented(type_: Any, default: Any, told: str, tmp_path: Path) -> None:
    """Only a default that somebody declared is a value; an empty text would pass for data."""

    def catalog(**columns: Any) -> Catalog:
        base, found = new_base(), Catalog("items")
        item = {"__tablename__": "items", "id": key(), "slug": slug(), **columns}
        schema_for(type("Item", (base,), item), found)
        return found

    lock(catalog(), tmp_path / "l.json")
    options = {} if default is None else {"default": default}
    newer = catalog(extra=mapped_column(type_, nullable=False, **options))
    findings = check(newer, tmp_path / "l.json")
    assert f'Add("items", "extra", {told}' in suggested(findings)
    paste(newer, findings)
    found = check(newer, tmp_path / "l.json")
    assert (found == []) == (default is not None)
    assert all(OPEN in one.message for one in found)


@pytest.mark.parametrize("flat", [False, True])
def test_a_rekey_is_ordered_like_a_renaming(flat: bool, tmp_path: Path) -> None:
    """A change of key rewrites the references to it as well, flat ones too."""

    def catalog(**meta: Any) -> Catalog:
        base, found = new_base(), Catalog("books")
        book = {"__tablename__": "books", "id": key(), "slug": slug()}
        book["title"] = mapped_column(sa.String(20), unique=True, nullable=False)
        loan: dict[str, Any] = {"__tablename__": "loans", "id": key(), "slug": slug()}
        loan |= {"book_id": to("books.id"), "book": relationship("Book")}
        if meta:
            loan["note"] = mapped_column(sa.String(9))
        schema_for(type("Book", (base,), book), found, **(meta or {"natural_key": "slug"}))
        schema_for(type("Loan", (base,), loan), found, {"book": Ref(flat=True)} if flat else {})
        return found

    lock(catalog(), tmp_path / "l.json")
    newer = catalog(natural_key="title")
    findings = check(newer, tmp_path / "l.json")
    scope = paste(newer, findings)
    assert isinstance(scope["Books2"].steps[0], Rekey)
    assert scope["Loans2"].after == [scope["Books2"]]
    assert check(newer, tmp_path / "l.json") == []
