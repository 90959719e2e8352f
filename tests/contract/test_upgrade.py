"""``upgrade``: an old bundle, written again at today's versions without a database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, relationship

from lading import (
    BundleError,
    Catalog,
    ImportFailed,
    Owned,
    Progress,
    export_all,
    import_all,
    upgrade,
)
from support.aged import pantry, stall
from support.aged_keys import depot
from support.aged_more import notebook, workshop
from support.backends import Backend, SQLiteMemory
from support.declaring import new_base, schema_for
from support.packing import packed
from support.rewriting import entity_bytes, rewritten
from support.world import World, key, number, slug, text, to
from support.zoo import WORLDS


@pytest.mark.parametrize("made", [pantry, stall, depot, notebook, workshop])
def test_it_equals_an_export_after_an_import(
    tmp_path: Path, made: Callable[[int], World], sqlite_memory: Backend
) -> None:
    """Byte for byte, in the order of the newer keys, with the same manifest."""
    old, new = made(1), made(2)
    path = packed(old, tmp_path / "old")
    with sqlite_memory.database(new.metadata) as engine:
        import_all(engine, path, catalog=new.catalog)
        expected = export_all(engine, tmp_path / "expected", catalog=new.catalog)
    manifest = upgrade(path, tmp_path / "upgraded", catalog=new.catalog)
    assert entity_bytes(tmp_path / "upgraded") == entity_bytes(tmp_path / "expected")
    assert manifest.content_sha256 == expected.content_sha256
    assert manifest.files == expected.files
    assert manifest.deferred == expected.deferred
    assert manifest.left_out.items() >= expected.left_out.items()


@pytest.mark.parametrize("name", WORLDS)
def test_a_bundle_of_today_stays_as_it_is(tmp_path: Path, name: str) -> None:
    """Whatever features it uses, and whatever its schemas do."""
    world = WORLDS[name]()
    path = packed(world, tmp_path / "now")
    upgrade(path, tmp_path / "again", catalog=world.catalog)
    assert entity_bytes(tmp_path / "again") == entity_bytes(path)


def test_a_partial_bundle_says_what_leads_out_of_it(tmp_path: Path) -> None:
    """The links whose targets it doesn't hold, as the export itself counted them."""
    world = pantry(2)
    only = ["orders", "ingredients", "products", "recipes"]
    with SQLiteMemory().database() as engine:
        world.filled(engine)
        where = {"ingredients": world.models.Ingredient.code != "flour"}
        before = export_all(
            engine, tmp_path / "part", catalog=world.catalog, only=only, where=where
        )
    assert before.external
    after = upgrade(tmp_path / "part", tmp_path / "again", catalog=world.catalog)
    assert after.partial
    assert after.external == before.external
    assert after.files == before.files


def test_a_rekeyed_target_must_be_in_the_bundle(tmp_path: Path) -> None:
    """Without it nothing says the newer key: every such record is told, and nothing is written."""
    path = packed(depot(1), tmp_path / "part", only=["crates"])
    with pytest.raises(ImportFailed) as caught:
        upgrade(path, tmp_path / "out", catalog=depot(2).catalog)
    assert len(caught.value.report.problems) == 6
    assert str(caught.value.report.problems[0]) == (
        "01_crates.json record 1, good: change Goods, Rekey('goods', ('area', 'code')): refers to "
        "goods {'code': 'mill'}, and without that record its newer key isn't "
        "known; give both together (closure=True adds it to a partial bundle). Correct the change, or the record."
    )
    assert not (tmp_path / "out").exists()


def test_every_problem_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    """Values that no schema takes, and keys that two records have, by their place."""

    def edit(name: str, records: list[Any]) -> list[Any]:
        if name != "cats":
            return records
        return [{**records[0], "name": 5}, {**records[1], "slug": "dog2"}]

    path = rewritten(packed(depot(1), tmp_path / "old"), edit)
    with pytest.raises(ImportFailed) as caught:
        upgrade(path, tmp_path / "out.zip", catalog=depot(2).catalog)
    assert sorted(map(str, caught.value.report.problems)) == [
        "02_cats.json record 1, name: 5 is not a string. Write a text of whole characters, in quotes.",
        "04_dogs.json record 1: has the natural key of record 2 of 02_cats.json; it must be "
        "unique. Remove or rename one.",
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_that_is_split_is_told_once(tmp_path: Path) -> None:
    """Its file is read for the part and for the rest."""

    def edit(name: str, records: list[Any]) -> list[Any]:
        if name != "goods":
            return records
        return [{n: value for n, value in records[0].items() if n != "maker_name"}, *records[1:]]

    path = rewritten(packed(depot(1), tmp_path / "old"), edit)
    with pytest.raises(ImportFailed) as caught:
        upgrade(path, tmp_path / "out.zip", catalog=depot(2).catalog)
    texts = [str(one) for one in caught.value.report.problems if "maker_name" in str(one)]
    assert len(texts) == 1


def test_a_bundle_may_be_upgraded_in_its_place(tmp_path: Path) -> None:
    """Only where overwriting was asked for."""
    new = depot(2)
    path = packed(depot(1), tmp_path / "old")
    with pytest.raises(BundleError, match="overwrite"):
        upgrade(path, path, catalog=new.catalog)
    upgrade(path, path, catalog=new.catalog, overwrite=True)
    assert entity_bytes(path) == entity_bytes(packed(new, tmp_path / "new"))


def test_progress_is_told(tmp_path: Path) -> None:
    """By entity, with how many records there are."""
    seen: list[Progress] = []
    upgrade(
        packed(depot(1), tmp_path / "old"),
        tmp_path / "new",
        catalog=depot(2).catalog,
        progress=seen.append,
    )
    assert Progress("upgrade", "goods", 4, 4) in seen
    assert Progress("upgrade", "makers", 2, 2) in seen
    assert Progress("upgrade", "animals", 4, 4) in seen


def test_lists_are_in_the_order_that_is_declared_now(tmp_path: Path) -> None:
    """As an export after an import would list them."""

    def orders(by: str) -> World:
        base, catalog = new_base(), Catalog("orders")

        class Line(base):
            __tablename__ = "lines"
            id = key()
            order_id = to("orders.id")
            place = number()
            words = text()

        class Order(base):
            __tablename__ = "orders"
            id = key()
            slug = slug()
            lines = relationship(Line, order_by=f"Line.{by}")

        schema_for(Order, catalog, {"lines": Owned(schema_for(Line, catalog))})

        def fill(session: Session) -> None:
            lines = [Line(place=n, words=word) for n, word in enumerate("cab")]
            session.add(Order(slug="o", lines=lines))

        return World(base, catalog, None, fill)  # type: ignore[arg-type]

    new = orders("words.desc()")
    upgrade(packed(orders("place"), tmp_path / "old"), tmp_path / "new", catalog=new.catalog)
    expected = entity_bytes(packed(new, tmp_path / "expected"))
    assert entity_bytes(tmp_path / "new") == expected
