"""The text of schemas that ``lading init`` writes, and what it says of decisions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lading import Catalog, EngineType
from lading.scaffolding.entity_sources import catalog_source
from lading.scaffolding.families import families_of


def column(name: str, target: str | None = None, **options: Any) -> sa.Column[Any]:
    """Make a column, or a foreign key's."""
    arguments = [sa.ForeignKey(target)] if target else [sa.Integer]
    return sa.Column(name, *arguments, **{"nullable": False, **options})


def sources(metadata: sa.MetaData) -> dict[str, str]:
    """Return the schemas' texts by the names of their entities."""
    catalog = Catalog.from_metadata(metadata)
    places = {rows.mapper.class_: f"models.{rows.name}" for rows in catalog.use().all_rows()}
    source = catalog_source(catalog, {}, places)
    return {entity.entity: entity.source for entity in source.entities}


def test_a_reference_whose_name_was_decided_is_declared_by_its_columns() -> None:
    """One column by its name, several as a tuple, with the reason in a comment."""
    metadata = sa.MetaData()
    sa.Table("people", metadata, column("id", primary_key=True), column("slug", unique=True))
    sa.Table("places", metadata, column("x", primary_key=True), column("y", primary_key=True))
    sa.Table(
        "visits",
        metadata,
        column("id", primary_key=True),
        column("guest"),
        column("guest_id", "people.id"),
        column("x"),
        column("y"),
        sa.ForeignKeyConstraint(["x", "y"], ["places.x", "places.y"]),
    )
    lines = sources(metadata)["visits"].splitlines()
    declared = [line.strip() for line in lines if "Ref(" in line]
    assert declared == ["guest_id = Ref()", 'x_and_y = Ref(("x", "y"))']
    for line in declared:
        name = line.partition(" ")[0]
        comments = lines[: lines.index(f"    {line}")]
        assert any(text.strip().startswith(f"# {name} ") for text in comments)


def test_a_foreign_key_of_an_engines_own_type_that_is_a_plain_field_is_stored() -> None:
    """Else the schema's reader would take it for the reference that it can't be."""
    metadata = sa.MetaData()
    own = EngineType("mariadb", "bit(3)")
    sa.Table("bare", metadata, sa.Column("code", own))
    target = sa.ForeignKey("bare.code")
    key = column("id", primary_key=True)
    sa.Table("uses", metadata, key, sa.Column("code", own, target), sa.Column("other", own))
    assert 'stored = ("code",)' in sources(metadata)["uses"]


def test_a_circle_of_families_has_its_first_by_name_as_head() -> None:
    """Each of them means nothing without the other."""
    metadata = sa.MetaData()
    for name, other in (("b", "a"), ("a", "b")):
        sa.Table(
            name,
            metadata,
            column("id", primary_key=True),
            column("slug", unique=True),
            sa.Column(f"{other}_id", sa.ForeignKey(f"{other}.id"), nullable=name == "a"),
        )
    families = families_of(Catalog.from_metadata(metadata).use())
    assert families == {"a": ["a", "b"]}
