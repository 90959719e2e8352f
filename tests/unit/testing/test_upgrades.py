"""``assert_upgrades``: what passes, and what it says of changes that lose or break something."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
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
    check,
    export_document,
    lock,
)
from lading.testing import RoundTripError, assert_upgrades
from support.aged import changed, pantry, stall
from support.aged_keys import depot
from support.aged_more import notebook
from support.backends import SQLiteMemory
from support.declaring import new_base, schema_for, table
from support.depth import examples
from support.world import World, key, number, slug, text, to

pytestmark = pytest.mark.usefixtures("few")


@pytest.fixture
def few(request: pytest.FixtureRequest) -> Any:
    """Draw as many examples as show a mistake; always the same."""
    before, count = settings(), examples(getattr(request, "param", 40))
    settings.register_profile("few", max_examples=count, derandomize=True, deadline=None)
    settings.load_profile("few")
    yield
    settings.register_profile("before", before)
    settings.load_profile("before")


def locked(path: Path, *worlds: World) -> Path:
    """Seal one version after the other, each with golden records of its own data."""
    for world in worlds:
        with SQLiteMemory().database() as engine:
            document = export_document(world.filled(engine), catalog=world.catalog)
        lock(world.catalog, path / "lading.lock.json", goldens=document)
    return path / "lading.lock.json"


@pytest.mark.parametrize("few", [10], indirect=True)
@pytest.mark.parametrize("made", [pantry, stall, depot, notebook])
def test_what_changes_do_right_passes(
    made: Callable[[int], World], tmp_path: Path, few: Any
) -> None:
    """References of every form, owned rows, hierarchies, other keys, splits and merges."""
    old, new = made(1), made(2)
    amounts = st.builds("{} {}".format, st.integers(0, 999), st.sampled_from(["g", "ml"]))
    overrides = {
        "recipes.uses.amount": amounts,
        "recipes.uses.position": st.integers(1, 99),
        "recipes.uses.swaps.ratio": st.just("2:3"),
    }
    if made is not pantry:
        overrides = {}
    assert_upgrades(new.catalog, locked(tmp_path, old, new), overrides=overrides)


def shop(*steps: Any) -> World:
    """Items with optional kinds, at version 1, or at 2 with one change of these steps."""
    base, catalog = new_base(), Catalog("shop")
    version = 2 if steps else 1

    class Kind(base):
        __tablename__ = "kinds"
        id = key()
        slug = slug()

    class Item(base):
        __tablename__ = "items"
        id = key()
        slug = slug()
        amount = number(null=True)
        kind_id = to("kinds.id", null=True)
        kind = relationship(Kind)

    schema_for(Kind, catalog)
    schema_for(Item, catalog, version=version)
    if steps:
        changed(catalog, {"items": (1, 2)}, *steps, name="Later")

    def fill(session: Session) -> None:
        session.add(Item(slug="i", amount=5, kind=Kind(slug="k")))
        session.add(Item(slug="j", amount=5))

    return World(base, catalog, None, fill)  # type: ignore[arg-type]


def without_kind(record: dict[str, Any]) -> dict[str, Any]:
    """Forget what isn't in golden records."""
    return record if record["amount"] in (5, None) else {**record, "kind": None}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            Convert("items", "amount", lambda value: value + 1),
            "items record 3, amount: change Later, Convert('items', 'amount'): its function "
            "failed: TypeError",
        ),
        (Each("items", without_kind), "links lead to kinds, and"),
        (
            Convert("items", "amount", lambda value: 5 if value == 5 else str(value)),
            "once upgraded, isn't accepted: {'amount': ",
        ),
    ],
)
def test_what_changes_do_wrong_is_found(step: Any, said: str, tmp_path: Path) -> None:
    """Though golden records don't show it: what fails, what goes, and what is no value."""
    old, new = shop(), shop(step)
    path = tmp_path / "lading.lock.json"
    document = {
        "schema_versions": {"kinds": 1, "items": 1},
        "kinds": [{"slug": "k"}],
        "items": [{"slug": n, "amount": 5, "kind": {"slug": "k"}} for n in "ij"],
    }
    lock(old.catalog, path, goldens=document)
    with pytest.raises(RoundTripError, match=re.escape(said)) as caught:
        assert_upgrades(new.catalog, path)
    assert "upgrading from seal 1" in str(caught.value)


def baskets(*steps: Any) -> World:
    """Baskets that own lines, at version 1, or at 2 with one change of these steps."""
    base, catalog = new_base(), Catalog("baskets")
    owner = mapped_column(sa.ForeignKey("baskets.id"), nullable=False)
    line = table(base, "lines", basket_id=owner, pieces=number())
    basket = table(base, "baskets", lines=relationship(line))
    owned = {"lines": Owned(schema_for(line, catalog))}
    schema_for(basket, catalog, owned, version=2 if steps else 1)
    if steps:
        changed(catalog, {"baskets": (1, 2)}, *steps, name="Later")
    return World(base, catalog, None, lambda _: None)  # type: ignore[arg-type]


def without_few(basket: dict[str, Any]) -> dict[str, Any]:
    """Forget the lines of few pieces."""
    return {**basket, "lines": [line for line in basket["lines"] if line["pieces"] >= 5]}


@pytest.mark.parametrize(
    ("step", "passes"),
    [
        (Each("baskets", without_few), False),
        (Each("baskets", without_few, adds="lines", drops="lines"), True),
        (Convert("baskets", "lines", lambda lines: lines[:1]), True),
        (Convert("baskets.lines", "pieces", lambda pieces: 0), True),
    ],
)
def test_owned_rows_that_go_unsaid_are_found(step: Any, passes: bool, tmp_path: Path) -> None:
    """Nothing need refer to them; a step that names the list may let some go."""
    path = tmp_path / "lading.lock.json"
    line = {"slug": "l", "pieces": 5}
    golden = {"baskets": [{"slug": "o", "lines": [line]}]}
    lock(baskets().catalog, path, goldens=golden)
    if passes:
        assert_upgrades(baskets(step).catalog, path)
        return
    with pytest.raises(RoundTripError, match=r"after Later, baskets: its records own \d+ rows"):
        assert_upgrades(baskets(step).catalog, path)


def test_a_value_that_the_next_version_cannot_have_is_found(tmp_path: Path) -> None:
    """After the change that makes it, whatever later ones make of it."""

    def counted(version: int) -> World:
        base, catalog = new_base(), Catalog("counted")

        class Item(base):
            __tablename__ = "items"
            id = key()
            slug = slug()
            count = number()

        schema_for(Item, catalog, version=version)
        if version == 3:
            lost = Each(
                "items", lambda item: item if item["count"] == 5 else item | {"count": None}
            )
            changed(catalog, {"items": (1, 2)}, lost, name="Lost")
            mended = Convert("items", "count", lambda count: count or 0)
            changed(catalog, {"items": (2, 3)}, mended, name="Mended")
        return World(base, catalog, None, lambda _: None)  # type: ignore[arg-type]

    path = tmp_path / "lading.lock.json"
    document = {"schema_versions": {"items": 1}, "items": [{"slug": "i", "count": 5}]}
    lock(counted(1).catalog, path, goldens=document)
    with pytest.raises(
        RoundTripError, match="after Lost, 'count' of items is None, which it may not be"
    ):
        assert_upgrades(counted(3).catalog, path)


def test_a_schema_that_drifted_is_refused_first(tmp_path: Path) -> None:
    """What the check finds, it says."""
    path = locked(tmp_path, shop())
    new = shop(Add("items", "amount2", 1))
    with pytest.raises(DeclarationError):
        assert_upgrades(new.catalog, path)


def test_golden_records_must_load_into_a_database(tmp_path: Path) -> None:
    """Where the tables refuse them, the error says of which seal they are."""
    path = tmp_path / "lading.lock.json"
    twin = {"slug": "i", "amount": 5, "kind": {"slug": "none"}}
    document = {"schema_versions": {"kinds": 1, "items": 1}, "kinds": [], "items": [twin]}
    world = shop()
    lock(world.catalog, path, goldens=document)
    with pytest.raises(ImportFailed, match="kinds: no record has slug 'none'") as caught:
        assert_upgrades(world.catalog, path)
    assert caught.value.__notes__ == ["while the kit loaded the golden records of seal 1"]
    assert_upgrades(world.catalog, path, engine_factory=None)


@pytest.mark.parametrize("few", [100], indirect=True)
@pytest.mark.parametrize("short", [lambda text: text[:1], str.lower, str.strip])
def test_a_key_that_two_records_get_is_found(
    short: Callable[[str], str], tmp_path: Path, few: Any
) -> None:
    """What a Rekey makes of records that could be there must tell them apart."""

    def named(version: int) -> World:
        base, catalog = new_base(), Catalog("named")

        class Item(base):
            __tablename__ = "items"
            id = key()
            slug = slug()
            if version == 2:
                code = mapped_column(sa.String(60), unique=True, nullable=False)

        schema_for(Item, catalog, natural_key="code" if version == 2 else "slug", version=version)
        if version == 2:
            first = Add("items", "code", lambda record: short(record["slug"]))
            changed(catalog, {"items": (1, 2)}, first, Rekey("items", "code"), name="Short")
        return World(base, catalog, None, lambda _: None)  # type: ignore[arg-type]

    path = tmp_path / "lading.lock.json"
    lock(named(1).catalog, path, goldens={"schema_versions": {"items": 1}, "items": []})
    with pytest.raises(RoundTripError, match="has the natural key of record"):
        assert_upgrades(named(2).catalog, path)


def test_merged_entities_pass_with_made_up_golden_records(tmp_path: Path) -> None:
    """Made-up records of two entities are never alike, for they may become one."""

    def pets(version: int) -> World:
        base, catalog = new_base(), Catalog("pets")
        for name in ("cats", "dogs") if version == 1 else ("animals",):
            body = {"__tablename__": name, "id": key(), "slug": slug(), "name": text()}
            schema_for(type(name.title(), (base,), body), catalog)
        if version == 2:
            upgrades = {"cats": (1, None), "dogs": (1, None), "animals": (None, 1)}
            changed(catalog, upgrades, Merge(["cats", "dogs"], "animals"))
        return World(base, catalog, None, lambda _: None)  # type: ignore[arg-type]

    path = tmp_path / "lading.lock.json"
    lock(pets(1).catalog, path)
    assert not check(pets(2).catalog, path)
    assert_upgrades(pets(2).catalog, path)


def test_golden_records_that_were_waived_are_left_out(tmp_path: Path) -> None:
    """Made-up texts that no real record has; what real ones have is said by overrides."""
    old = shop()
    new = shop(Convert("items", "amount", lambda value: value and 10 // (value - 5)))
    path = locked(tmp_path, old)
    with pytest.raises(DeclarationError, match="GOLDEN_NOT_UPGRADED"):
        assert_upgrades(new.catalog, path)
    sealed = json.loads(path.read_text())
    waiver = {"rule": "GOLDEN_NOT_UPGRADED", "path": "items", "reason": "no amount is 5"}
    path.write_text(json.dumps({**sealed, "waivers": [waiver]}))
    assert_upgrades(new.catalog, path, overrides={"items.amount": st.integers(6, 20)})


def orders(version: int) -> World:
    """Orders of items, which they name by their titles; version 2 writes titles otherwise."""
    base, catalog = new_base(), Catalog("orders")

    class Item(base):
        __tablename__ = "items"
        id = key()
        slug = slug()
        title = mapped_column(sa.String(40), unique=True, nullable=False)

    class Order(base):
        __tablename__ = "orders"
        id = key()
        slug = slug()
        item_id = to("items.id")
        item = relationship(Item)

    schema_for(Item, catalog, version=version)
    schema_for(Order, catalog, {"item": Ref(by="title")})
    if version == 2:
        vowels = Convert("items", "title", lambda title: title.replace("e", "a"))
        changed(catalog, {"items": (1, 2)}, vowels, name="Vowels")
    return World(base, catalog, None, lambda _: None)  # type: ignore[arg-type]


def test_a_link_by_another_field_than_the_key_leads_to_a_record(tmp_path: Path) -> None:
    """No step rewrites what refers to a field that another converts."""
    path = tmp_path / "lading.lock.json"
    lock(orders(1).catalog, path, goldens={"items": [{"slug": "i", "title": "i"}]})
    with pytest.raises(RoundTripError, match=r"after Vowels, .* links to items lead to no record"):
        assert_upgrades(orders(2).catalog, path)


def test_records_without_golden_ones_refer_to_drawn_ones(tmp_path: Path) -> None:
    """What must refer to something is only drawn with something to refer to."""
    path = tmp_path / "lading.lock.json"
    lock(orders(1).catalog, path, goldens={})
    assert_upgrades(orders(1).catalog, path)


def test_keys_of_owned_records_are_whole_before_others_refer_to_them(tmp_path: Path) -> None:
    """Though what is part of these keys refers to the owned records itself."""
    base, catalog = new_base(), Catalog("kitchen")

    class Ingredient(base):
        __tablename__ = "ingredients"
        id = key()
        slug = slug()
        use_id = to("uses.id", null=True)
        use = relationship("Use", foreign_keys=use_id)

    class Use(base):
        __tablename__ = "uses"
        __table_args__ = (sa.UniqueConstraint("recipe_id", "ingredient_id"),)
        id = key()
        recipe_id = to("recipes.id")
        ingredient_id = to("ingredients.id")
        recipe = relationship("Recipe", back_populates="uses")
        ingredient = relationship(Ingredient, foreign_keys=ingredient_id)

    class Recipe(base):
        __tablename__ = "recipes"
        id = key()
        slug = slug()
        uses = relationship(Use, back_populates="recipe")

    schema_for(Ingredient, catalog)
    uses = schema_for(Use, catalog, natural_key=("recipe", "ingredient"))
    schema_for(Recipe, catalog, {"uses": Owned(uses)})
    path = tmp_path / "lading.lock.json"
    lock(catalog, path, goldens={})
    assert_upgrades(catalog, path, engine_factory=None)
