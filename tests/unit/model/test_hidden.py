"""What is shown in place of hidden values: masks where they stand, and nothing else altered."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Ref
from lading.model.hidden import HIDDEN, masked, masked_value
from support.declaring import new_base, schema_for


def test_hidden_keys_are_masked_wherever_they_stand() -> None:
    """In references, in lists of links, and as a record's own."""
    base, catalog = new_base(), Catalog("test")
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("door_id", sa.ForeignKey("doors.id"), primary_key=True),
        sa.Column("code_id", sa.ForeignKey("codes.id"), primary_key=True),
    )

    class Code(base):
        __tablename__ = "codes"
        id = mapped_column(sa.Integer, primary_key=True)
        pin = mapped_column(sa.String(9), unique=True, nullable=False)

    class Door(base):
        __tablename__ = "doors"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        main_id = mapped_column(sa.ForeignKey("codes.id"))
        main = relationship(Code)
        codes = relationship(Code, secondary=links)

    schema_for(Code, catalog, natural_key="pin", hidden=("pin",))
    schema_for(Door, catalog, {"codes": Ref()}, natural_key="slug")
    members = {member.written: member for member in catalog.use()["doors"].members}
    assert masked_value(members["codes"], [{"pin": "1"}, {"pin": "2"}]) == [{"pin": HIDDEN}] * 2
    assert masked_value(members["codes"], "broken") == HIDDEN
    assert masked_value(members["main"], {"pin": "1"}) == {"pin": HIDDEN}
    assert masked_value(members["main"], None) is None
    record = {"slug": "a", "more": 5, "codes": [{"pin": "1"}]}
    assert masked(members.values(), record) == {**record, "codes": [{"pin": HIDDEN}]}
    assert masked(members.values(), "broken") == HIDDEN
