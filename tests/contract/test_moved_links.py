"""Bundles whose many-to-many lists stand on the other side than today's catalog has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import BundleError, Catalog, ImportFailed, Ref, export_all, import_all, upgrade
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.rewriting import entity_bytes, rewritten
from support.world import key, slug, text


def grove() -> Any:
    """Make models: leaves and twigs, tied by one table, and people who follow each other."""
    base = new_base()
    links = sa.Table(
        "leaf_twigs",
        base.metadata,
        sa.Column("leaf_id", sa.ForeignKey("leaves.id"), primary_key=True),
        sa.Column("twig_id", sa.ForeignKey("twigs.id"), primary_key=True),
    )
    follows = sa.Table(
        "follows",
        base.metadata,
        sa.Column("one_id", sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("two_id", sa.ForeignKey("people.id"), primary_key=True),
    )

    class Leaf(base):
        __tablename__ = "leaves"
        id = key()
        slug = slug()
        twigs = relationship("Twig", secondary=links, back_populates="leaves")

    class Twig(base):
        __tablename__ = "twigs"
        __table_args__ = (sa.UniqueConstraint("tree", "number"),)
        id = key()
        tree = text(20)
        number = mapped_column(sa.Integer, nullable=False)
        leaves = relationship(Leaf, secondary=links, back_populates="twigs")

    class Person(base):
        __tablename__ = "people"
        id = key()
        slug = slug()
        leaders = relationship(
            "Person",
            secondary=follows,
            primaryjoin=id == follows.c.two_id,
            secondaryjoin=id == follows.c.one_id,
            back_populates="followers",
        )
        followers = relationship(
            "Person",
            secondary=follows,
            primaryjoin=id == follows.c.one_id,
            secondaryjoin=id == follows.c.two_id,
            back_populates="leaders",
        )

    return Leaf, Twig, Person


def catalog_for(models: Any, *, other_side: bool) -> Catalog:
    """Declare the lists on one side, or on the other."""
    leaf, twig, person = models
    catalog = Catalog("grove")
    schema_for(leaf, catalog, None if other_side else {"twigs": Ref()})
    schema_for(twig, catalog, {"leaves": Ref()} if other_side else None)
    schema_for(person, catalog, {"leaders" if other_side else "followers": Ref()})
    return catalog


def filled(models: Any, engine: sa.Engine) -> sa.Engine:
    """Fill a database with links of every number."""
    leaf, twig, person = models
    leaf.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        twigs = [twig(tree=tree, number=n) for tree in ("b", "a") for n in (10, 9, 2)]
        people = [person(slug=f"p{n}") for n in range(5)]
        for n, one in enumerate(people):
            one.followers = [other for k, other in enumerate(people) if (n * k) % 3 == 1]
        leaves = [leaf(slug=f"l{n}", twigs=twigs[: n % 7]) for n in range(9)]
        session.add_all([*leaves, *twigs, *people])
    return engine


@pytest.mark.parametrize("other_side", [False, True])
def test_a_bundle_is_read_with_its_lists_on_the_other_side(
    other_side: bool, backend: Backend, tmp_path: Path
) -> None:
    """Imported and upgraded, its links are where today's catalog has them."""
    models = grove()
    before = catalog_for(models, other_side=other_side)
    engine = filled(models, backend.fresh())
    export_all(engine, tmp_path / "old", catalog=before)
    today = catalog_for(models, other_side=not other_side)
    export_all(engine, tmp_path / "new", catalog=today)
    target = backend.fresh()
    models[0].metadata.create_all(target)
    import_all(target, tmp_path / "old", catalog=today)
    export_all(target, tmp_path / "again", catalog=today)
    upgrade(tmp_path / "old", tmp_path / "upgraded", catalog=today)
    wanted = entity_bytes(tmp_path / "new")
    assert entity_bytes(tmp_path / "again") == wanted
    assert entity_bytes(tmp_path / "upgraded") == wanted


def old_bundle(models: Any, backend: Backend, path: Path, **options: Any) -> Path:
    """Export with the lists of twigs and leaders."""
    engine = filled(models, backend.fresh())
    export_all(engine, path, catalog=catalog_for(models, other_side=True), **options)
    return path


def test_a_link_whose_holder_is_gone_is_a_problem(sqlite_memory: Backend, tmp_path: Path) -> None:
    """It stands where the bundle has it, and nothing is written."""
    models = grove()

    def without(name: str, records: list[Any]) -> list[Any]:
        return (
            [record for record in records if record["slug"] != "l1"]
            if name == "leaves"
            else (records)
        )

    path = rewritten(old_bundle(models, sqlite_memory, tmp_path / "old"), without)
    target = sqlite_memory.fresh()
    models[0].metadata.create_all(target)
    with pytest.raises(ImportFailed) as caught:
        import_all(target, path, catalog=catalog_for(models, other_side=False))
    assert [str(problem) for problem in caught.value.report.problems] == [
        "03_twigs.json record 6, leaves: holds {'slug': 'l1'}, and links stand in the records of "
        "leaves today, where none has this key. Add the record to leaves, or remove the link."
    ]


def test_a_partial_bundle_without_the_other_side_is_refused(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """No record of it could hold the links, and they aren't dropped."""
    models = grove()
    path = old_bundle(models, sqlite_memory, tmp_path / "old", only=["twigs"])
    with pytest.raises(BundleError) as caught:
        import_all(sqlite_memory.fresh(), path, catalog=catalog_for(models, other_side=False))
    assert str(caught.value) == (
        "01_twigs.json, leaves: twigs.leaves holds links that leaves declares today, but there are "
        "no records of leaves. Export both, or declare leaves = Ref() in the schema of twigs."
    )
