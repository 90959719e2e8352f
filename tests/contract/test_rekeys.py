"""Changes that look beyond one record: other keys, entities split off, and entities merged."""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Add,
    Catalog,
    Convert,
    DeclarationError,
    Each,
    ImportFailed,
    Merge,
    Owned,
    Ref,
    Rekey,
    Rename,
    Split,
    VersionError,
    export_all,
    export_document,
    import_all,
    import_document,
    upgrade,
)
from support.aged import changed
from support.aged_keys import depot
from support.backends import SQLiteMemory
from support.declaring import new_base, schema_for
from support.packing import packed
from support.rewriting import entity_bytes, rewritten
from support.world import World, key, slug, text, to


@pytest.mark.parametrize("where", ["sqlite_memory", "postgresql", "mariadb"])
@pytest.mark.parametrize("name", ["old", "old.zip"])
def test_keys_follow_wherever_they_are_written(
    request: pytest.FixtureRequest, tmp_path: Path, where: str, name: str
) -> None:
    """Nested, through keys, in lists, flat and in themselves; look-alikes stay."""
    old, new = depot(1), depot(2)
    packed(old, tmp_path / name)
    expected = entity_bytes(packed(new, tmp_path / "new"))
    with request.getfixturevalue(where).database(new.metadata) as engine:
        report = import_all(engine, tmp_path / name, catalog=new.catalog)
        export_all(engine, tmp_path / "again", catalog=new.catalog)
    assert report["makers"].inserted == 2
    assert report["animals"].inserted == 4
    assert entity_bytes(tmp_path / "again") == expected


def documents() -> tuple[dict[str, Any], dict[str, Any], World]:
    """Return the depot's document of version 1, what it must become, and the newer world."""
    old, new = depot(1, flat=False), depot(2)
    with SQLiteMemory().database() as engine:
        before = export_document(old.filled(engine), catalog=old.catalog)
    with SQLiteMemory().database() as engine:
        after = export_document(new.filled(engine), catalog=new.catalog)
    return before, after, new


def taken(document: dict[str, Any], world: World, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Import a document into an empty database; return the report, and what is there then."""
    with SQLiteMemory().database(world.metadata) as engine:
        report = import_document(engine, document, catalog=world.catalog, **options)
        return report, records_in(export_document(engine, catalog=world.catalog))


def records_in(document: dict[str, Any]) -> dict[str, Any]:
    """Return the lists of a document."""
    return {name: value for name, value in document.items() if isinstance(value, list)}


def test_documents_become_the_same(tmp_path: Path) -> None:
    """Without a manifest, the former key is what ``was`` says; the caller's data stays."""
    before, after, new = documents()
    held = deepcopy(before)
    assert taken(before, new)[1] == records_in(after)
    assert before == held


def test_a_document_needs_the_former_key_only_for_flat_references() -> None:
    """Nested references say by themselves what they were written by."""

    def shop(version: int, **options: Any) -> World:
        base, catalog = new_base(), Catalog("shop")

        class Item(base):
            __tablename__ = "items"
            id = key()
            slug = slug()
            code = mapped_column(sa.String(20), unique=True, nullable=False)

        class Use(base):
            __tablename__ = "uses"
            id = key()
            slug = slug()
            item_id = to("items.id")
            item = relationship(Item)

        flat = {"item": Ref(flat=True)} if options.pop("flat", False) else {}
        schema_for(Item, catalog, natural_key="code" if version == 2 else "slug", version=version)
        schema_for(Use, catalog, flat)
        if version == 2:
            changed(catalog, {"items": (1, 2)}, Rekey("items", "code", **options))

        def fill(session: Session) -> None:
            session.add_all(
                [Use(slug=f"u{n}", item=Item(slug=f"s{n}", code=f"c{n}")) for n in (1, 2)]
            )

        return World(base, catalog, None, fill)  # type: ignore[arg-type]

    old = shop(1)
    with SQLiteMemory().database() as engine:
        document = export_document(old.filled(engine), catalog=old.catalog)
    assert taken(document, shop(2))[1]["uses"][1] == {"slug": "u2", "item": {"code": "c2"}}
    document["uses"][1]["item"] = {"code": "c2", "slug": "s2"}
    with pytest.raises(ImportFailed, match="is not a key of items, which was slug"):
        taken(document, shop(2, was="slug"))
    with pytest.raises(DeclarationError, match="name the fields of the former key by was"):
        taken(document, shop(2, flat=True))
    old = shop(1, flat=True)
    with SQLiteMemory().database() as engine:
        document = export_document(old.filled(engine), catalog=old.catalog)
    again = taken(document, shop(2, flat=True, was="slug"))[1]
    assert again["uses"][1] == {"slug": "u2", "item_code": "c2"}


def test_parts_that_differ_are_refused_where_they_stand() -> None:
    """Two goods of one maker, in different towns: which is right, nobody can tell."""
    before, _, new = documents()
    for good in before["goods"]:
        if good["slug"] == "salt":
            good["maker_town"] = "elsewhere"
        if good["slug"] == "plain":
            good["maker_town"] = "nowhere"
    with pytest.raises(ImportFailed) as caught:
        taken(before, new)
    texts = sorted(text for text in map(str, caught.value.report.problems) if "Goods" in text)
    assert texts[0].startswith("goods record 3, maker_town: change Goods, Split('goods', 'makers'")
    assert "has 'maker_town', but nothing that becomes 'name' of makers" in texts[0]
    assert texts[1].startswith("goods record 4, maker: change Goods")
    assert "to 'elsewhere', and an earlier record sets it to 'Seatown'; they must agree" in texts[1]
    with pytest.raises(ImportFailed) as caught:
        taken(before, new, only=["makers"])
    texts = sorted(map(str, caught.value.report.problems))
    assert len(texts) == 2, "also where only the parts are loaded"
    assert texts[1].startswith("goods record 4: what becomes makers {'name': 'Sea'} differs from")


def test_what_was_made_of_records_is_located_in_them() -> None:
    """A problem of the made record names the record that it was made of, and why."""
    before, _, new = documents()
    odd = {"slug": "odd", "area": "q", "parent": None, "maker_name": "Odd", "maker_town": 7}
    before["goods"].append(odd)
    before["dogs"][1]["slug"] = "cat3"
    report, held = taken(before, new, on_error="continue")
    made = "which were upgraded."
    twin = "it must be unique. Remove or rename one. The record was made of cats and dogs"
    assert sorted(map(str, report.problems)) == [
        f"cats record 2: has the natural key of record 2 of dogs; {twin}, {made}",
        f"dogs record 2: has the natural key of record 2 of cats; {twin}, {made}",
        "goods record 5, maker: makers: the record with name 'Odd' has a problem of its own. Mend that one. The "
        "record was upgraded from version 1 to 2.",
        f"goods record 5, town: 7 is not a string. Write a text of whole characters, in quotes. The record was made of goods, {made}",
        "homes record 1, cat: animals: the record with slug 'cat3' has a problem of its own. Mend that one.",
        "homes record 1, dog: animals: no record has slug 'dog4'; closest is 'dog2'. Add the record to "
        "animals, or correct the key.",
    ]
    assert [one["name"] for one in held["makers"]] == ["Hill", "Sea"]
    assert [one["slug"] for one in held["animals"]] == ["cat1", "dog2"]


def tree(version: int) -> World:
    """Categories that are known by their parents: the key recurs, and gets another name in it."""
    base, catalog = new_base(), Catalog("tree")

    class Node(base):
        __tablename__ = "nodes"
        id = key()
        parent_id = to("nodes.id", null=True)
        name = text(40)
        code = text(40)
        parent = relationship("Node", remote_side=id)

    class Leaf(base):
        __tablename__ = "leaves"
        id = key()
        slug = slug()
        node_id = to("nodes.id")
        node = relationship(Node)

    natural = ("parent", "name") if version == 1 else ("parent", "code")
    schema_for(Node, catalog, natural_key=natural, version=version)
    schema_for(Leaf, catalog)
    if version == 2:
        changed(catalog, {"nodes": (1, 2)}, Rekey("nodes", ("parent", "code")))

    def fill(session: Session) -> None:
        above = None
        for n in range(40):
            above = Node(name=f"n{n}", code=f"c{40 - n}", parent=above)
            session.add(Leaf(slug=f"l{n}", node=above))

    return World(base, catalog, None, fill)  # type: ignore[arg-type]


def test_a_key_that_recurs_is_rewritten_at_every_level(tmp_path: Path) -> None:
    """In the records themselves, and in all that refers to them."""
    old, new = tree(1), tree(2)
    path = packed(old, tmp_path / "old")
    upgrade(path, tmp_path / "upgraded", catalog=new.catalog)
    assert entity_bytes(tmp_path / "upgraded") == entity_bytes(packed(new, tmp_path / "new"))


def test_a_circle_of_keys_is_refused() -> None:
    """Two that are each other's parent have no key by their parents: there is no end to it."""
    nodes = [
        {"name": name, "code": name, "parent": {"name": other}} for name, other in ("ab", "ba")
    ]
    document = {"schema_versions": {"nodes": 1, "leaves": 1}, "nodes": nodes, "leaves": []}
    with pytest.raises(ImportFailed, match="the keys of nodes refer to each other in a circle"):
        taken(document, tree(2))


@pytest.mark.parametrize(
    ("upgrades", "step", "text"),
    [
        (
            {"goods": (1, 2)},
            Rekey("goods", "code"),
            "the natural key of goods is 'area' and 'code' after this step; name that one, or "
            "correct natural_key",
        ),
        (
            {"goods": (1, 2)},
            Rekey("goods", ()),
            "key = (); name the fields of a natural key, each once",
        ),
        (
            {"goods": (1, 2)},
            Rekey("goods", ("area", "code"), was="other"),
            "goods: unknown field 'other' at that point",
        ),
        (
            {"goods": (1, 2)},
            Split("goods", "makers", fields=["name"], key="name", ref="maker"),
            "is for makers, which it doesn't upgrade",
        ),
        (
            {"goods": (1, 2), "makers": (None, 1)},
            Split("goods", "makers", fields=["name"], key="name", ref="maker"),
            "nothing sets 'town' of makers; name it in fields",
        ),
        (
            {"goods": (1, 2), "makers": (None, 1)},
            Split("goods", "makers", fields=["name", "town"], key="town", ref="maker"),
            "the natural key of makers is 'name', not 'town'",
        ),
        (
            {"goods": (1, 2), "makers": (None, 1)},
            Split("goods", "makers", fields=["name", "town"], key="name", ref="parent"),
            "'parent' of goods refers to goods",
        ),
        (
            {"goods": (1, 2), "makers": (None, 1)},
            Split("goods", "makers", fields=["name", "town"], key="nom", ref="maker"),
            "key names 'nom', which is none of the new entity's fields",
        ),
        (
            {"goods": (1, 2), "makers": (None, 1)},
            Split(
                "goods", "makers", fields={"area": "name", "town": "town"}, key="name", ref="maker"
            ),
            "the field 'area' of goods still exists after this step",
        ),
        (
            {"cats": (1, None), "animals": (None, 1)},
            Merge(["cats", "dogs"], "animals"),
            "is for dogs, which it doesn't upgrade",
        ),
        (
            {"cats": (1, None), "dogs": (1, 2), "animals": (None, 1)},
            Merge(["cats", "dogs"], "animals"),
            "ends dogs; write (n, None) as its versions",
        ),
        (
            {"cats": (1, None), "homes": (1, None), "animals": (None, 1)},
            Merge(["cats", "homes"], "animals"),
            "ends homes, which still has a schema",
        ),
        ({"animals": (None, 1)}, Merge(["animals"], "animals"), "name at least two, each once"),
    ],
)
def test_mistakes_in_such_steps_are_told(upgrades: Any, step: Any, text: str) -> None:
    """At the catalog's first use, with what would be right."""
    new = depot(2)
    new.catalog.changes.clear()
    changed(new.catalog, upgrades, step)
    with pytest.raises(DeclarationError) as caught:
        import_document(sa.create_engine("sqlite://"), {}, catalog=new.catalog)
    assert text in str(caught.value)


def test_entities_that_differ_are_not_merged(tmp_path: Path) -> None:
    """By the shapes that the bundle gives: fields, types and keys, each with what to do."""
    path = packed(depot(1), tmp_path / "old")
    for change, problem in (
        (lambda shape: shape["fields"].pop("name"), "the field 'name' is in dogs but not in cats"),
        (lambda shape: shape["fields"]["name"].update(type="integer"), "of another type in cats"),
        (lambda shape: shape.update(key=["name"]), "the natural key of cats is 'name', and that"),
    ):

        def entry(found: Any, change: Any = change) -> Any:
            shape = deepcopy(dict(found.shape))
            if found.entity_type == "cats":
                change(shape)
            return replace(found, shape=shape)

        edited = tmp_path / "edited"
        shutil.copytree(path, edited)
        rewritten(edited, entry=entry)
        with pytest.raises(VersionError, match=problem):
            upgrade(edited, tmp_path / "out", catalog=depot(2).catalog)
        shutil.rmtree(edited)


def test_changes_of_referrers_must_be_ordered() -> None:
    """A rekey and a change of what refers to the entity: which is first is for a person to say."""
    new = depot(2)
    late = new.catalog.changes[-1]
    late.after = []  # type: ignore[misc]
    with pytest.raises(DeclarationError, match="write after"):
        import_document(sa.create_engine("sqlite://"), {}, catalog=new.catalog)


def people(version: int, *, was: Any = None) -> World:
    """Streets of people, split off in version 2 and renamed in 3; cities get other keys."""
    base, catalog = new_base(), Catalog("people")
    iso = "code" if version == 1 else "iso"

    class Country(base):
        __tablename__ = "countries"
        id = key()
        locals()[iso] = slug()

    class City(base):
        __tablename__ = "cities"
        __table_args__ = (sa.UniqueConstraint("country_id", "name"),)
        id = key()
        country_id = to("countries.id")
        name = text(40)
        if version == 3:
            slug = slug()
        country = relationship(Country)

    class Person(base):
        __tablename__ = "people"
        __table_args__ = (sa.UniqueConstraint("street" if version == 1 else "street_id", "name"),)
        id = key()
        name = text(40)
        city_id = to("cities.id")
        locals()["street" if version == 1 else "street_id"] = (
            text(40) if version == 1 else to("places.id")
        )
        city = relationship(City)
        if version > 1:
            street = relationship("Place")

    if version > 1:

        class Place(base):
            __tablename__ = "places"
            id = key()
            name = slug()

        place = "places" if version == 3 else "streets"
        schema_for(Place, catalog, name=place, natural_key="name", version=version - 1)

    class Dog(base):
        __tablename__ = "dogs"
        id = key()
        slug = slug()
        owner_id = to("people.id")
        owner = relationship(Person)

    schema_for(Country, catalog, natural_key=iso, version=min(version, 2))
    city_key = "slug" if version == 3 else ("country", "name")
    schema_for(City, catalog, natural_key=city_key, version=2 if version == 3 else 1)
    schema_for(Person, catalog, natural_key=("street", "name"), version=min(version, 2))
    schema_for(Dog, catalog)
    if version > 1:
        first = changed(
            catalog,
            {"countries": (1, 2), "people": (1, 2), "streets": (None, 1)},
            Rename("countries", "code", "iso"),
            Split("people", "streets", fields={"street": "name"}, key="name", ref="street"),
            name="First",
        )
    if version == 3:
        changed(
            catalog,
            {"cities": (1, 2), "streets": (1, 2)},
            Add("cities", "slug", lambda city: f"{city['country']['iso']}-{city['name']}"),
            Rekey("cities", "slug", was=was),
            Rename("streets", to="places"),
            after=[first],
            name="Second",
        )

    def fill(session: Session) -> None:
        city = City(name="Ghent", country=Country(**{iso: "BE"}))
        if version == 3:
            city.slug = "BE-Ghent"
        held = "High" if version == 1 else Place(name="High")
        for n in (1, 2):
            person = Person(name=f"p{n}", city=city, street=held)
            session.add(Dog(slug=f"d{n}", owner=person))

    return World(base, catalog, None, fill)  # type: ignore[arg-type]


def test_what_a_change_begins_is_followed_by_later_changes(tmp_path: Path) -> None:
    """An entity split off in one change and renamed in the next; its fields were part of a key."""
    old, new = people(1), people(3)
    path = packed(old, tmp_path / "old")
    upgrade(path, tmp_path / "upgraded", catalog=new.catalog)
    assert entity_bytes(tmp_path / "upgraded") == entity_bytes(packed(new, tmp_path / "new"))
    dogs = entity_bytes(tmp_path / "upgraded")["05_dogs.json"]
    assert b'{"slug":"d1","owner":{"street":{"name":"High"},"name":"p1"}}' in dogs


def test_a_document_says_by_was_what_older_changes_must_follow() -> None:
    """A key that nobody knows may hold what an older change renamed: that is refused, not missed."""
    old = people(1)
    with SQLiteMemory().database() as engine:
        document = export_document(old.filled(engine), catalog=old.catalog)
    with pytest.raises(VersionError, match="the key that cities had before Rekey isn't known"):
        taken(document, people(3))
    held = taken(document, people(3, was=("country", "name")))[1]
    assert [one["city"] for one in held["people"]] == [{"slug": "BE-Ghent"}] * 2


def basket(version: int, *, items: int = 1) -> World:
    """Owned rows that are known by their item within their basket, and nothing refers to them."""
    base, catalog = new_base(), Catalog("baskets")

    class Item(base):
        __tablename__ = "items"
        id = key()
        slug = slug()

    class Line(base):
        __tablename__ = "lines"
        __table_args__ = (sa.UniqueConstraint("basket_id", "item_id"),)
        id = key()
        basket_id = to("baskets.id")
        item_id = to("items.id")
        item = relationship(Item)

    class Basket(base):
        __tablename__ = "baskets"
        id = key()
        slug = slug()
        lines = relationship(Line)

    lines = schema_for(Line, catalog, {"item": Ref(flat=version == 1)})
    schema_for(Basket, catalog, {"lines": Owned(lines)}, version=version)
    schema_for(Item, catalog, version=items)

    def fill(session: Session) -> None:
        session.add(Basket(slug="b", lines=[Line(item=Item(slug=name)) for name in "xy"]))

    return World(base, catalog, SimpleNamespace(), fill)


def test_keys_of_owned_rows_that_nothing_refers_to_may_be_written_otherwise(tmp_path: Path) -> None:
    """They identify nothing outside of their list, where other steps may take and give them."""
    old, new = packed(basket(1), tmp_path / "old"), basket(2)
    expected = entity_bytes(packed(new, tmp_path / "new"))
    nested = [Convert("baskets.lines", "item_slug", lambda value: {"slug": value})]
    steps = [
        [*nested, Rename("baskets.lines", "item_slug", "item")],
        [Each("baskets.lines", by_slug, adds="item", drops="item_slug")],
    ]
    for n, taken_steps in enumerate(steps):
        new.catalog.changes.clear()
        changed(new.catalog, {"baskets": (1, 2)}, *taken_steps)
        upgrade(old, tmp_path / f"{n}", catalog=new.catalog)
        assert entity_bytes(tmp_path / f"{n}") == expected


def by_slug(line: dict[str, Any]) -> dict[str, Any]:
    """Nest a line's item."""
    return {"item": {"slug": line["item_slug"]}}


def test_references_that_a_later_change_made_need_no_order() -> None:
    """A change of their entity's key met none of them, whatever came before, in owned rows too."""
    new = basket(3, items=2)
    owner = new.catalog
    codes = changed(owner, {"items": (1, 2)}, Rename("items", "code", "slug"), name="Codes")
    nest = Each("baskets.lines", by_slug, adds="item", drops="item_slug")
    changed(owner, {"baskets": (2, 3)}, nest, after=[codes], name="Nest")
    changed(owner, {"baskets": (1, 2)}, name="Early")
    document = {"schema_versions": {"baskets": 1, "items": 1}, "baskets": [], "items": []}
    with SQLiteMemory().database(new.metadata) as engine:
        import_document(engine, document, catalog=owner)
