"""Which rows an adopted catalog nests in their parents' records, if it is asked to."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import relationship

from lading import Catalog, DeclarationError
from support.declaring import new_base, table


def cascading(target: str, **options: Any) -> Any:
    """Return a foreign key's column that goes with its target."""
    return sa.Column(sa.ForeignKey(target, ondelete="CASCADE"), **{"nullable": False, **options})


def nested(base: Any) -> list[str]:
    """Return the names of all row sets, as they are nested."""
    catalog = Catalog.from_metadata(base, owned=True)
    return sorted(rows.name for rows in catalog.use().all_rows())


def test_rows_that_go_with_their_parent_are_nested_at_any_depth() -> None:
    """Under the name of a relationship, or of the table."""
    base = new_base()
    table(base, "orders", parts=relationship("Lines"))
    table(base, "lines", order_id=cascading("orders.id"))
    table(base, "notes", line_id=cascading("lines.id"))
    assert nested(base) == ["orders", "orders.parts", "orders.parts.notes"]
    assert nested(base.metadata) == ["orders", "orders.lines", "orders.lines.notes"]
    assert len(Catalog.from_metadata(base).use().roots) == 3


def test_what_others_refer_to_is_not_nested() -> None:
    """Nor what may have no parent, has two, or refers to itself."""
    base = new_base()
    table(base, "orders")
    table(base, "referred", order_id=cascading("orders.id"))
    table(base, "others", referred_id=sa.Column(sa.ForeignKey("referred.id")))
    table(base, "loose", order_id=cascading("orders.id", nullable=True))
    table(base, "both", a_id=cascading("orders.id"), b_id=cascading("others.id"))
    table(base, "selfish", a_id=cascading("orders.id"), b_id=sa.Column(sa.ForeignKey("selfish.id")))
    assert nested(base) == ["both", "loose", "orders", "others", "referred", "selfish"]


def test_a_relationships_cascade_deletes_as_well() -> None:
    """The application deletes the rows, not the database."""
    base = new_base()
    table(base, "orders", lines=relationship("Lines", cascade="all, delete-orphan"))
    table(base, "lines", order_id=sa.Column(sa.ForeignKey("orders.id"), nullable=False))
    table(base, "notes", order_id=sa.Column(sa.ForeignKey("orders.id"), nullable=False))
    assert nested(base) == ["notes", "orders", "orders.lines"]


def test_rows_that_no_natural_key_tells_apart_are_nested_without_being_asked() -> None:
    """In the record that they require, with the reason."""
    metadata = sa.MetaData()
    sa.Table("runs", metadata, sa.Column("id", sa.Integer, primary_key=True))
    run = sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True)
    sa.Table("metrics", metadata, run, sa.Column("value", sa.Float, primary_key=True))
    catalog = Catalog.from_metadata(metadata)
    assert [rows.name for rows in catalog.use().all_rows()] == ["runs", "runs.metrics"]
    (choice,) = catalog.choices()
    assert choice.fields == (
        (
            "metrics",
            "holds the rows of metrics, whose only key has a value that can't be one, such as a float",
        ),
    )


def test_owned_is_true_or_false() -> None:
    """A table's name isn't understood."""
    with pytest.raises(DeclarationError, match="owned is 'lines'; give it True or False"):
        Catalog.from_metadata(sa.MetaData(), owned="lines")  # type: ignore[arg-type]
